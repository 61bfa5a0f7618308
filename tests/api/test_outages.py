"""The house with its database away: it says so, and is back by itself."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import httpx
import pytest
from starlette.responses import PlainTextResponse

from rxchat.api.gateway import Gateway
from rxchat.api.routes import build_api
from rxchat.connections import Connections
from rxchat.domain.errors import DatabaseUnavailable
from rxchat.lifespan import running
from rxchat.settings import Settings
from tests.peers.gateway import gateway

pytestmark = pytest.mark.anyio


async def test_with_postgres_away_it_is_alive_says_what_is_missing_and_recovers(
    settings: Settings, at: Connections
) -> None:
    async with gateway(at.database_url) as between:
        away_and_back = replace(at, database_url=between.url)
        async with running(settings, away_and_back) as services:
            front = Gateway(PlainTextResponse("a page"), build_api(settings, []), settings)
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(app=front), base_url="http://127.0.0.1:8000"
            ) as http:
                assert (await http.get("/readyz")).status_code == 200
                await between.close()
                answer = await http.get("/readyz")
                assert answer.status_code == 503 and "does not respond" in answer.json()["parts"]["database"]
                assert (await http.get("/healthz")).status_code == 200
                sign_in = await http.post("/api/auth/sign-in", json={"email": "a@b.c", "password": "x"})
                assert sign_in.status_code == 503 and sign_in.json()["error"]["code"] == "database_away"
                with pytest.raises(DatabaseUnavailable):
                    await services.accounts.registration.setup_token()
                await between.open()
                async with asyncio.timeout(60):
                    while (await http.get("/readyz")).status_code != 200:
                        await asyncio.sleep(0.1)

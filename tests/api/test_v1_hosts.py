"""Hosts of models for programs: everything that the page does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.api.programs import key_of
from tests.factories import add_user
from tests.peers.scripted_ollama import ScriptedOllama
from tests.security.http import Open, http_clients

pytestmark = [pytest.mark.anyio, pytest.mark.without_engine]
PATH = "/api/v1/admin/hosts"


@pytest.fixture
async def clients(services: Services, settings: Settings) -> AsyncGenerator[Open]:
    assert services
    async with http_clients(settings) as opened:
        yield opened


async def test_a_program_pulls_loads_and_deletes_a_model(
    services: Services, clients: Open, owner_url: str, ollama: ScriptedOllama
) -> None:
    key = await key_of(services, add_user(owner_url, "Grace", "admin"), "admin")
    program = clients(authorization=f"Bearer {key}")
    (host,) = (await program.get(PATH)).json()["hosts"]
    assert (host["name"], host["problem"], host["breakers"]) == (ollama.host, "", [])
    body = {"host": host["name"], "model": "scripted:tokens=7"}
    for verb in ("pull", "load"):
        begun = await program.post(f"{PATH}/{verb}", json=body)
        assert begun.status_code == 202
        async with asyncio.timeout(60):
            while (job := (await program.get(f"{PATH}/jobs/{begun.json()['id']}")).json())["state"] == "running":
                await asyncio.sleep(0.02)
        assert (job["state"], job["kind"], job["error"]) == ("done", verb, "")
    assert len((await program.get(f"{PATH}/jobs")).json()["jobs"]) == 2
    (host,) = (await program.get(PATH)).json()["hosts"]
    assert body["model"] in [item["name"] for item in host["models"]]
    assert body["model"] in [item["name"] for item in host["loaded"]]
    details = (await program.post(f"{PATH}/details", json=body)).json()
    assert {"label": "Family", "value": "scripted"} in details["facts"]
    assert [(await program.post(f"{PATH}/{verb}", json=body)).status_code for verb in ("unload", "delete")] == [
        204,
        204,
    ]
    assert (await program.delete(f"{PATH}/jobs/{begun.json()['id']}")).status_code == 404
    assert (await program.post(f"{PATH}/pull", json=body | {"host": "http://169.254.169.254"})).status_code == 404
    assert (await program.post(f"{PATH}/pull", json=body | {"model": "a b"})).status_code == 422

"""Quotas for programs: administrators set them, users see them, and each API refuses in its own form."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.ids import new_id
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.api.programs import key_of
from tests.factories import add_user
from tests.security.http import Open, http_clients

pytestmark = pytest.mark.anyio
QUOTAS, PRICES = "/api/v1/admin/quotas", "/api/v1/admin/prices"
MODEL = "scripted:tokens=20"
HELLO = {"model": MODEL, "messages": [{"role": "user", "content": "Hello"}]}


@pytest.fixture
async def clients(services: Services, settings: Settings) -> AsyncGenerator[Open]:
    assert services
    async with http_clients(settings) as opened:
        yield opened


async def test_administrators_set_quotas_and_prices(services: Services, clients: Open, owner_url: str) -> None:
    admin = add_user(owner_url, "Grace", "admin")
    program = clients(authorization=f"Bearer {await key_of(services, admin, 'admin', 'read')}")
    added = await program.post(QUOTAS, json={"is_each": True, "period": "day", "tokens": 5_000, "cost": "1.50"})
    assert (added.status_code, added.json()["cost"], added.json()["model"]) == (201, 1.5, "")
    quota = added.json()["id"]
    changed = await program.put(f"{QUOTAS}/{quota}", json={"requests": 9})
    assert (changed.json()["tokens"], changed.json()["requests"]) == (None, 9)
    assert [item["id"] for item in (await program.get(QUOTAS)).json()["quotas"]] == [quota]
    [mine] = (await program.get("/api/v1/quotas")).json()["quotas"]
    assert (mine["measure"], mine["limit"], mine["used"], mine["is_shared"]) == ("requests", 9, 0, False)
    answer = await program.put(PRICES, json={"model": "a/b", "input_price": "0.15", "output_price": 0.6})
    assert answer.status_code == 204
    prices = (await program.get(PRICES)).json()
    assert prices == {"currency": "USD", "prices": [{"model": "a/b", "input_price": 0.15, "output_price": 0.6}]}
    assert (await program.delete(f"{PRICES}?model=a/b")).status_code == 204
    assert (await program.delete(f"{QUOTAS}/{quota}")).status_code == 204
    wrong = [
        await program.post(QUOTAS, json={"period": "day"}),
        await program.post(QUOTAS, json={"period": "week", "tokens": 1}),
        await program.post(QUOTAS, json={"period": "day", "tokens": -1}),
        await program.post(QUOTAS, json={"period": "day", "cost": "NaN"}),
        await program.post(QUOTAS, json={"period": "day", "tokens": 10**18}),
        await program.post(QUOTAS, json={"period": "day", "tokens": 1, "user_id": str(new_id())}),
        await program.put(PRICES, json={"model": "m", "input_price": 1e12, "output_price": 0}),
    ]
    assert {answer.status_code for answer in wrong} == {422}
    gone = [await program.delete(f"{PRICES}?model=a/b"), await program.delete(f"{QUOTAS}/{quota}")]
    assert [answer.status_code for answer in gone] == [404, 404]


async def test_each_api_refuses_in_its_own_form_when_a_quota_is_used_up(
    services: Services, clients: Open, current_user: CurrentUser, owner_url: str
) -> None:
    admin = clients(authorization=f"Bearer {await key_of(services, add_user(owner_url, 'Grace', 'admin'), 'admin')}")
    await admin.post(QUOTAS, json={"user_id": str(current_user.user_id), "period": "month", "requests": 1})
    program = clients(authorization=f"Bearer {await key_of(services, current_user, 'chat')}")
    assert (await program.post("/v1/chat/completions", json=HELLO)).status_code == 200
    for body in (HELLO, HELLO | {"stream": True}):
        refused = await program.post("/v1/chat/completions", json=body)
        assert refused.status_code == 429 and int(refused.headers["Retry-After"]) > 0
        error = refused.json()["error"]
        assert (error["type"], error["code"]) == ("insufficient_quota", "insufficient_quota")
        assert "Your quota of 1 request a month is used up. It resets on 1 " in error["message"]
    refused = await program.post("/ollama/api/chat", json=HELLO)
    assert refused.status_code == 429 and "is used up" in refused.json()["error"]
    refused = await program.post("/api/v1/conversations", json={"text": "Hello", "model": MODEL})
    assert refused.status_code == 429, refused.text
    assert (refused.json()["code"], refused.headers["content-type"]) == ("quota_exceeded", "application/problem+json")
    assert int(refused.headers["Retry-After"]) > 0

"""Usage and the state of the system over HTTP: for keys of administrators with the scope, and for no others."""

from __future__ import annotations

import csv
from collections.abc import AsyncGenerator

import pytest

from rxchat.domain.accounts import CurrentUser
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.api.programs import key_of
from tests.factories import add_user
from tests.peers.scripted_ollama import ScriptedOllama
from tests.security.http import Open, http_clients
from tests.services.answering import ended

pytestmark = pytest.mark.anyio
MODEL = "scripted:tokens=3"


@pytest.fixture
async def clients(services: Services, settings: Settings) -> AsyncGenerator[Open]:
    assert services
    async with http_clients(settings) as opened:
        yield opened


async def test_administrators_read_usage_and_the_state_of_the_system(
    services: Services, clients: Open, current_user: CurrentUser, ollama: ScriptedOllama, owner_url: str
) -> None:
    ollama.offered = [MODEL]
    turn = await services.chat.messages.send_message(current_user, None, "Hello", MODEL)
    await ended(services, current_user, turn.conversation_id)
    key = await key_of(services, add_user(owner_url, "Grace", "admin"), "admin")
    program = clients(authorization=f"Bearer {key}")
    usage = (await program.get("/api/v1/admin/usage?days=7")).json()
    assert (len(usage["days"]), usage["days"][-1]["answers"], usage["models"][0]["tokens"]) == (7, 1, 3)
    assert [(item["name"], item["answers"]) for item in usage["users"]] == [(current_user.name, 1)]
    series = (await program.get("/api/v1/admin/usage/series?days=7&by=user&measure=cost")).json()
    assert [(item["label"], item["requests"], item["input_tokens"]) for item in series["parts"]] == [
        (current_user.name, 1, 10)
    ]
    assert (await program.get("/api/v1/admin/usage/series?by=secret")).status_code == 422
    system = (await program.get("/api/v1/admin/system")).json()
    assert {item["name"]: item["problem"] for item in system["components"]}["database"] == ""
    assert (system["stored"]["conversations"], system["stored"]["messages"]) == (1, 2)
    for wrong in ("5", "x", "99999999999999999999"):
        assert (await program.get(f"/api/v1/admin/usage?days={wrong}")).status_code in {400, 422}


async def test_usage_is_exported_as_csv_that_no_spreadsheet_takes_for_formulas(
    services: Services, clients: Open, ollama: ScriptedOllama, owner_url: str
) -> None:
    ollama.offered = [MODEL]
    mallory = add_user(owner_url, '=cmd|"/c calc"!A1')
    turn = await services.chat.messages.send_message(mallory, None, "Hello", MODEL)
    await ended(services, mallory, turn.conversation_id)
    key = await key_of(services, add_user(owner_url, "Grace", "admin"), "admin")
    answer = await clients(authorization=f"Bearer {key}").get("/api/admin/usage/export?days=7")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    head, line = list(csv.reader(answer.text.splitlines()))
    found = dict(zip(head, line, strict=True))
    assert (found["user_name"], found["model"], found["requests"]) == ("'" + mallory.name, MODEL, "1")
    assert (found["input_tokens"], found["output_tokens"], found["cost"]) == ("10", "3", "0")
    other = clients(authorization=f"Bearer {await key_of(services, mallory, 'read')}")
    assert (await other.get("/api/admin/usage/export")).status_code == 403


async def test_others_read_neither(services: Services, clients: Open, owner_url: str) -> None:
    moderator = add_user(owner_url, "Mo", "moderator")
    program = clients(authorization=f"Bearer {await key_of(services, moderator, 'admin')}")
    for path in ("usage", "usage/series", "system"):
        answer = await program.get(f"/api/v1/admin/{path}")
        assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")

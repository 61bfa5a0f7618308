"""Providers of models for programs: everything that the page does, and no key comes back."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.api.programs import key_of
from tests.factories import add_user
from tests.peers.scripted_openai import ScriptedOpenAI, scripted_openai
from tests.security.http import Open, http_clients

pytestmark = [pytest.mark.anyio, pytest.mark.without_engine]
KEY = "sk-a-secret-of-this-test"
PATH = "/api/v1/admin/providers"


@pytest.fixture
async def clients(services: Services, settings: Settings) -> AsyncGenerator[Open]:
    assert services
    async with http_clients(settings) as opened:
        yield opened


@pytest.fixture
async def server() -> AsyncGenerator[ScriptedOpenAI]:
    async with scripted_openai() as found:
        found.key = KEY
        yield found


async def test_a_program_of_an_administrator_does_what_the_page_does(
    services: Services, clients: Open, owner_url: str, server: ScriptedOpenAI
) -> None:
    key = await key_of(services, add_user(owner_url, "Grace", "admin"), "admin")
    program = clients(authorization=f"Bearer {key}")
    body = {"kind": "openai", "url": server.url, "key": KEY, "headers": f"X-Team: {KEY}"}
    answers = [await program.post(PATH, json=body | {"name": "gpu"})]
    answers.append(await program.get(PATH))
    (found,) = answers[-1].json()["providers"]
    assert (found["name"], found["models"], found["problem"]) == ("gpu", 1, "")
    assert (found["has_key"], found["header_names"], found["timeout_seconds"]) == (True, ["X-Team"], 120)
    body = {"kind": "openai", "url": server.url, "timeout_seconds": 30}
    answers.append(await program.post(f"{PATH}/gpu/test", json=body | {"key": "sk-wrong"}))
    assert answers[-1].json()["problem"].startswith("It refused the key.")
    answers.append(await program.put(f"{PATH}/gpu", json=body))
    answers.append(await program.post(f"{PATH}/gpu/test", json=body))
    assert answers[-1].json() == {"models": ["scripted:tokens=20"], "problem": ""}
    answers += [await program.post(f"{PATH}/gpu/{verb}") for verb in ("disable", "enable")]
    answers.append(await program.get(f"{PATH}/gpu/use"))
    assert answers[-1].json() == []
    answers.append(await program.delete(f"{PATH}/gpu"))
    assert {answer.status_code for answer in answers} == {200, 204}
    assert not [answer.text for answer in answers if KEY in answer.text]
    refused = [
        await program.delete(f"{PATH}/gpu"),
        await program.put(f"{PATH}/gpu", json=body),
        await program.post(PATH, json=body | {"name": "a", "url": "http://169.254.169.254/", "key": KEY}),
        await program.post(PATH, json=body | {"name": "a", "key": f"{KEY} {KEY}"}),
        await program.post(PATH, json=body | {"name": "a", "key": [KEY]}),
        await program.post(PATH, json=body | {"name": "a", "key": KEY * 100}),
    ]
    assert [answer.status_code for answer in refused[:4]] == [404, 404, 422, 422]
    assert all(answer.status_code in {400, 422} for answer in refused[4:])
    assert not [answer.text for answer in refused if KEY in answer.text]


async def test_others_do_none_of_it(services: Services, clients: Open, owner_url: str, server: ScriptedOpenAI) -> None:
    body = {"kind": "openai", "url": server.url, "key": KEY}
    users = {add_user(owner_url, "Mo", "moderator"): "admin", add_user(owner_url, "Root", "admin"): "chat"}
    for user, scope in users.items():
        program = clients(authorization=f"Bearer {await key_of(services, user, scope)}")
        answers = [
            await program.get(PATH), await program.post(PATH, json=body | {"name": "gpu"}), await program.delete(f"{PATH}/gpu"),
            await program.put(f"{PATH}/gpu", json=body), await program.post(f"{PATH}/gpu/test", json=body),
            await program.post(f"{PATH}/gpu/enable"), await program.get(f"{PATH}/gpu/use"),
        ]  # fmt: skip
        assert {answer.status_code for answer in answers} == {403}
    assert not server.keys

"""Messages and runs over HTTP: a program asks, follows, loses its connection, and resumes at the exact character."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from uuid import UUID

import httpx
import pytest

from rxchat.bootstrap import build_services
from rxchat.connections import Connections
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.ids import new_id
from rxchat.domain.run_events import RunPiece
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.api.programs import CALLER, Reader, events_of, key_of, program, serving
from tests.factories import add_user
from tests.peers.scripted_model import counted
from tests.peers.scripted_ollama import ScriptedOllama
from tests.security.http import create_user
from tests.services.answering import ENDLESS

pytestmark = pytest.mark.anyio


@pytest.fixture
async def url(services: Services, settings: Settings) -> AsyncGenerator[str]:
    assert services
    async with serving(settings) as found:
        yield found


async def ask(client: httpx.AsyncClient, model: str, text: str = "Count") -> dict[str, str]:
    answer = await client.post("/api/v1/conversations", json={"text": text, "model": model})
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/api/v1/conversations/{answer.json()['conversation_id']}"
    return answer.json()


async def test_a_program_asks_and_follows_to_the_end(services: Services, current_user: CurrentUser, url: str) -> None:
    async with program(url, await key_of(services, current_user)) as client:
        turn = await ask(client, "scripted:tokens=50,count=1,think=3,rate=200")
        reader = await Reader().follow(client, turn["run_id"])
        assert reader.text == counted(1, 50)
        assert reader.reasoning == "thought 0 thought 1 thought 2 "
        assert reader.ended["state"] == "done" and reader.ended["error"] is None
        assert reader.ended["message_id"] == turn["answer_id"]
        # Several tokens are in one event.
        assert reader.pieces < 50
        message = await client.get(f"/api/v1/conversations/{turn['conversation_id']}/messages/{turn['answer_id']}")
        assert message.json()["text"] == reader.text and message.json()["parent_id"] == turn["message_id"]
        again = await Reader().follow(client, turn["run_id"])
        assert (again.text, again.reasoning) == (reader.text, reader.reasoning)


async def test_a_stream_that_is_cut_anywhere_resumes_at_the_exact_character(
    services: Services, current_user: CurrentUser, url: str, ollama: ScriptedOllama
) -> None:
    async with program(url, await key_of(services, current_user)) as client:
        turn = await ask(client, "scripted:tokens=120,count=1,hold=40+80,rate=400")
        reader = await Reader().follow(client, turn["run_id"], until=len(counted(1, 20)))
        for held in (40, 80):
            await reader.follow(client, turn["run_id"], until=len(counted(1, held)))
            assert reader.text == counted(1, held)
            ollama.go_on()
        before = reader.pieces
        await reader.follow(client, turn["run_id"])
        assert reader.text == counted(1, 120) and reader.pieces > before
        # Each of the ends so far continues with what is missing, and nothing else.
        whole = await Reader().follow(client, turn["run_id"])
        rest = Reader(last_id=whole.last_id, text=whole.text)
        await rest.follow(client, turn["run_id"])
        assert rest.pieces == 0 and rest.ended["state"] == "done"


async def test_a_cursor_that_is_none_begins_at_the_start(
    services: Services, current_user: CurrentUser, url: str, subtests: pytest.Subtests
) -> None:
    async with program(url, await key_of(services, current_user)) as client:
        turn = await ask(client, "scripted:tokens=20,count=1")
        for cursor in ("x", "7-00000000-0-00000000", "99999-0badcafe-0-00000000", "-1", "9" * 99):
            with subtests.test(cursor=cursor):
                reader = Reader(last_id=cursor)
                await reader.follow(client, turn["run_id"])
                assert reader.text == counted(1, 20)


async def test_a_follower_continues_in_another_process(
    services: Services,
    current_user: CurrentUser,
    url: str,
    ollama: ScriptedOllama,
    settings: Settings,
    at: Connections,
) -> None:
    other = build_services(settings, at)
    try:
        async with program(url, await key_of(services, current_user)) as client:
            turn = await ask(client, "scripted:tokens=100,count=1,hold=50,rate=500")
            reader = await Reader().follow(client, turn["run_id"], until=len(counted(1, 50)))
            run_follower = other.services.chat.run_follower
            run = await run_follower.find(current_user, UUID(turn["run_id"]))
            ollama.go_on()
            text = reader.text
            async for event in run_follower.follow(current_user, run, reader.last_id):
                if isinstance(event, RunPiece):
                    assert event.offset == len(text)
                    text += event.text
            assert text == counted(1, 100)
    finally:
        await other.aclose()


async def test_text_that_becomes_reasoning_is_replaced(services: Services, current_user: CurrentUser, url: str) -> None:
    async with program(url, await key_of(services, current_user)) as client:
        model = "scripted:text=So it is.</think>Yes.,echo=4,rate=60"
        turn = await ask(client, model)
        reader = await Reader().follow(client, turn["run_id"])
        assert (reader.text, reader.reasoning) == ("Yes.", "So it is.")


async def test_a_run_is_stopped_and_continued(services: Services, current_user: CurrentUser, url: str) -> None:
    async with program(url, await key_of(services, current_user)) as client:
        turn = await ask(client, "scripted:tokens=5000,count=1,rate=200")
        reader = await Reader().follow(client, turn["run_id"], until=20)
        assert (await client.post(f"/api/v1/runs/{turn['run_id']}/stop")).json() == {"stopped": True}
        await reader.follow(client, turn["run_id"])
        assert reader.ended["state"] == "stopped"
        assert (await client.post(f"/api/v1/runs/{turn['run_id']}/stop")).json() == {"stopped": False}
        at = f"/api/v1/conversations/{turn['conversation_id']}/messages/{turn['answer_id']}"
        continued = (await client.post(f"{at}/continue")).json()["run_id"]
        longer = await Reader().follow(client, continued, until=len(reader.text) + 30)
        assert longer.text.startswith(reader.text)
        # The earlier run has ended, and its message is another run's by now.
        old = await Reader().follow(client, turn["run_id"])
        assert old.text == "" and old.ended["state"] == "stopped"
        assert (await client.post(f"/api/v1/conversations/{turn['conversation_id']}/stop")).json() == {"stopped": True}


async def test_a_failure_is_the_end_with_its_reason(services: Services, current_user: CurrentUser, url: str) -> None:
    async with program(url, await key_of(services, current_user)) as client:
        turn = await ask(client, "scripted:fault=error-line,at=3")
        reader = await Reader().follow(client, turn["run_id"])
        assert reader.text == "word word word " and reader.ended["state"] == "failed"
        assert reader.ended["error"]["message"] and reader.ended["error"]["code"].startswith("model_")
        run = (await client.get(f"/api/v1/runs/{turn['run_id']}")).json()
        assert run["state"] == "failed" and "error_detail" not in run


async def test_messages_branch_regenerate_and_queue(services: Services, current_user: CurrentUser, url: str) -> None:
    async with program(url, await key_of(services, current_user)) as client:
        turn = await ask(client, "scripted:tokens=3")
        await Reader().follow(client, turn["run_id"])
        at = f"/api/v1/conversations/{turn['conversation_id']}"
        said = {"text": "And then?", "id": str(new_id())}
        sent = await client.post(f"{at}/messages", json=said)
        # As after a lost confirmation.
        again = await client.post(f"{at}/messages", json=said)
        assert sent.status_code == 201 and sent.json() == again.json() and sent.json()["message_id"] == said["id"]
        await Reader().follow(client, sent.json()["run_id"])
        assert [item["role"] for item in (await client.get(f"{at}/messages")).json()["messages"]] == [
            "user", "assistant", "user", "assistant",
        ]  # fmt: skip
        branch = await client.post(f"{at}/messages", json={"text": "Or this?", "parent_id": turn["answer_id"]})
        await Reader().follow(client, branch.json()["run_id"])
        shown = (await client.get(f"{at}/messages")).json()["messages"]
        assert [item["text"] for item in shown][2] == "Or this?" and len(shown[2]["versions"]) == 2
        first = await client.post(
            f"{at}/messages", json={"text": "First once more", "parent_id": turn["conversation_id"]}
        )
        await Reader().follow(client, first.json()["run_id"])
        edited = await client.post(f"{at}/messages/{turn['message_id']}/edit", json={"text": "Edited"})
        await Reader().follow(client, edited.json()["run_id"])
        question = (await client.get(f"{at}/messages/{turn['message_id']}")).json()
        assert len(question["versions"]) == 3
        again = await client.post(f"{at}/messages/{edited.json()['answer_id']}/regenerate", json={})
        await Reader().follow(client, again.json()["run_id"])
        mine = await client.post(f"{at}/messages/{edited.json()['answer_id']}/edit", json={"text": "Mine"})
        assert (mine.status_code, mine.json()) == (201, None)
        shown = (await client.get(f"{at}/messages")).json()["messages"]
        assert [item["text"] for item in shown] == ["Edited", "Mine"] and len(shown[1]["versions"]) == 3
        assert (await client.post(f"{at}/messages/{turn['message_id']}/choose")).status_code == 204
        assert (await client.delete(f"{at}/messages/{turn['answer_id']}")).status_code == 204
        assert (await client.post(f"{at}/messages/{turn['answer_id']}/restore")).status_code == 204
        busy = await client.post(f"{at}/messages", json={"text": "Long", "model": ENDLESS})
        queued = await client.post(f"{at}/messages", json={"text": "Later", "model": "scripted:tokens=1"})
        assert queued.json()["is_queued"] and queued.json()["run_id"] is None and not busy.json()["is_queued"]
        assert (await client.delete(f"{at}/queued/{queued.json()['message_id']}")).status_code == 204
        assert (await client.post(f"{at}/stop")).json() == {"stopped": True}


async def test_events_since_a_seq_tell_all_that_happened(
    services: Services, current_user: CurrentUser, url: str
) -> None:
    async with program(url, await key_of(services, current_user)) as client:
        turn = await ask(client, "scripted:tokens=3")
        await Reader().follow(client, turn["run_id"])
        at = f"/api/v1/conversations/{turn['conversation_id']}/events"
        first = (await client.get(at, params={"limit": 2})).json()
        assert [item["type"] for item in first["events"]] == ["conversation_created", "question_asked"] and first[
            "has_more"
        ]
        rest = (await client.get(at, params={"after": 2})).json()
        assert [item["type"] for item in rest["events"]] == ["answer_started", "answer_ended"] and not rest["has_more"]
        assert "error_detail" not in rest["events"][1]["data"]


async def test_a_key_that_is_revoked_ends_its_stream_within_seconds(
    services: Services, url: str, owner_url: str
) -> None:
    boss, member = await create_user(services, owner_url, "Boss", "admin"), await create_user(services, owner_url)
    async with program(url, await key_of(services, member)) as client:
        turn = await ask(client, ENDLESS)
        seen = []
        async with asyncio.timeout(8), client.stream("GET", f"/api/v1/runs/{turn['run_id']}/events") as response:
            async for event in events_of(response):
                if not seen:
                    await services.access.user_admin.suspend(boss, member.user_id, CALLER, is_suspended=True)
                seen.append(event)
        assert seen[-1].name == "error" and seen[-1].data["code"] == "not_signed_in"
        assert (await client.get(f"/api/v1/runs/{turn['run_id']}")).status_code == 401


async def test_another_users_run_is_not_found(
    services: Services, current_user: CurrentUser, url: str, owner_url: str
) -> None:
    other = add_user(owner_url, "Bea")
    async with (
        program(url, await key_of(services, current_user)) as client,
        program(url, await key_of(services, other)) as stranger,
    ):
        turn = await ask(client, ENDLESS)
        run = f"/api/v1/runs/{turn['run_id']}"
        for method, path in (("GET", run), ("GET", f"{run}/events"), ("POST", f"{run}/stop")):
            answer = await stranger.request(method, path)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path
            assert answer.headers["content-type"] == "application/problem+json"
        assert (await client.get(run)).json()["state"] in {"queued", "running"}
        assert (await client.post(f"{run}/stop")).json() == {"stopped": True}


async def test_streams_of_one_user_are_limited(
    services: Services, current_user: CurrentUser, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rxchat.api.event_streams.STREAMS_OF_ONE_USER", 2)
    async with program(url, await key_of(services, current_user)) as client:
        turn = await ask(client, ENDLESS)
        path = f"/api/v1/runs/{turn['run_id']}/events"
        async with client.stream("GET", path), client.stream("GET", path):
            refused = await client.get(path)
            assert (refused.status_code, refused.json()["code"]) == (429, "too_many_attempts")
            assert refused.headers["retry-after"] == "5"
        await client.post(f"/api/v1/runs/{turn['run_id']}/stop")
        # Their places are free again.
        assert (await Reader().follow(client, turn["run_id"])).ended["state"] == "stopped"


async def test_a_key_without_the_scope_asks_nothing(services: Services, current_user: CurrentUser, url: str) -> None:
    async with program(url, await key_of(services, current_user, "read")) as client:
        refused = await client.post("/api/v1/conversations", json={"text": "Hi", "model": "scripted:tokens=3"})
        assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
        assert "“chat”" in refused.json()["detail"]


async def test_a_run_says_what_the_model_saw(services: Services, current_user: CurrentUser, url: str) -> None:
    async with program(url, await key_of(services, current_user)) as client:
        asked = {"text": "Hello", "model": "scripted:tokens=2", "parameters": {"seed": 3}}
        turn = (await client.post("/api/v1/conversations", json=asked)).json()
        await Reader().follow(client, turn["run_id"])
        found = (await client.get(f"/api/v1/runs/{turn['run_id']}/prompt")).json()
        assert [(item["role"], item["content"]) for item in found["messages"]] == [("user", "Hello")]
        assert (found["parameters"], found["message_id"]) == ({"seed": 3}, turn["answer_id"])
        assert (await client.get(f"/api/v1/runs/{new_id()}/prompt")).status_code == 404

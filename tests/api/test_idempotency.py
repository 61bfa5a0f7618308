"""Idempotency-Key: a request that is sent again is made once, whatever happens to its answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import psycopg
import pytest

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.idempotency import KeptAnswer, KeyClaim
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.api.programs import key_of, program, serving
from tests.factories import add_user
from tests.peers.scripted_ollama import ScriptedOllama

pytestmark = [pytest.mark.anyio, pytest.mark.without_engine]

ASKED: dict[str, Any] = {"model": "scripted:tokens=3", "messages": [{"role": "user", "content": "Hello"}]}


@pytest.fixture
async def http(services: Services, settings: Settings, current_user: CurrentUser) -> AsyncGenerator[httpx.AsyncClient]:
    async with serving(settings) as url, program(url, await key_of(services, current_user)) as client:
        yield client


async def post(http: httpx.AsyncClient, path: str, body: dict[str, Any], key: str = "k-1") -> httpx.Response:
    # In ASCII: httpx cannot send lone surrogates.
    headers = {"idempotency-key": key, "content-type": "application/json"}
    return await http.post(path, content=json.dumps(body), headers=headers)


def count(owner_url: str, table: str) -> int:
    with psycopg.connect(owner_url) as connection:
        return connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchall()[0][0]


async def test_a_hundred_posts_with_one_key_make_one_message(http: httpx.AsyncClient, owner_url: str) -> None:
    body = {"text": "Once", "model": "scripted:tokens=20"}
    answers = await asyncio.gather(*(post(http, "/api/v1/conversations", body) for _ in range(100)))
    assert {answer.status_code for answer in answers} == {201}
    assert (
        len({answer.text for answer in answers}) == 1 and len({answer.headers["location"] for answer in answers}) == 1
    )
    assert sum("idempotent-replayed" in answer.headers for answer in answers) == 99
    assert (count(owner_url, "conversation"), count(owner_url, "run")) == (1, 1)
    other = await post(http, "/api/v1/conversations", body | {"text": "Another"})
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_mismatch")
    elsewhere = await post(http, f"{answers[0].headers['location']}/messages", body)
    assert elsewhere.json()["code"] == "idempotency_mismatch"
    assert (await post(http, "/api/v1/conversations", body, "k-2")).json() != answers[0].json()


async def test_a_key_belongs_to_its_user(
    services: Services, settings: Settings, http: httpx.AsyncClient, owner_url: str
) -> None:
    body = {"text": "Mine", "model": "scripted:tokens=20"}
    mine = await post(http, "/api/v1/conversations", body)
    async with (
        serving(settings) as url,
        program(url, await key_of(services, add_user(owner_url, "Bea"))) as stranger,
    ):
        theirs = await post(stranger, "/api/v1/conversations", body)
    assert theirs.status_code == 201 and theirs.json()["message_id"] != mine.json()["message_id"]


async def test_what_a_dead_process_began_is_made_once(http: httpx.AsyncClient, owner_url: str) -> None:
    body = {"text": "Once", "model": "scripted:tokens=20"}
    first = await post(http, "/api/v1/conversations", body)
    with psycopg.connect(owner_url) as connection:
        # As if the process had died between the message and its answer.
        connection.execute(
            "UPDATE idempotency_key SET status = NULL, body = NULL, lease_until = now() - interval '1 s'"
        )
    again = await post(http, "/api/v1/conversations", body)
    assert again.json() == first.json() and "idempotent-replayed" not in again.headers
    assert count(owner_url, "message") == 2


async def test_a_paused_process_does_not_end_the_claim_of_its_successor(
    services: Services, current_user: CurrentUser, owner_url: str
) -> None:
    keys = services.accounts.idempotency_keys
    first = await keys.find_or_claim(current_user.user_id, "k", b"asked")
    with psycopg.connect(owner_url) as connection:
        connection.execute("UPDATE idempotency_key SET lease_until = now() - interval '1 s'")
    second = await keys.find_or_claim(current_user.user_id, "k", b"asked")
    assert isinstance(first, KeyClaim) and isinstance(second, KeyClaim)
    assert first.request_id == second.request_id and first.claim_id != second.claim_id
    async with keys.holding(second) as claim:
        async with keys.holding(first) as paused:
            paused.keep(500, {}, b"late")
        async with keys.holding(first):
            pass
        assert count(owner_url, "idempotency_key WHERE status IS NULL") == 1
        claim.keep(201, {}, b"made")
    kept = await keys.find_or_claim(current_user.user_id, "k", b"asked")
    assert isinstance(kept, KeptAnswer) and (kept.status, kept.body) == (201, b"made")


async def test_a_failure_can_be_tried_again(http: httpx.AsyncClient, owner_url: str) -> None:
    body = {"text": "Hi", "model": "scripted:tokens=20", "parent_id": None}
    nowhere = "/api/v1/conversations/00000000-0000-7000-8000-000000000000/messages"
    assert [(await post(http, nowhere, body)).status_code for _ in range(2)] == [404, 404]
    assert count(owner_url, "idempotency_key") == 0
    for key in ("x" * 201, "ü", "a b"):
        refused = await http.post(nowhere, json=body, headers={b"idempotency-key": key.encode()})
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_input")


async def test_a_completion_is_written_once_plain_and_streamed(http: httpx.AsyncClient, ollama: ScriptedOllama) -> None:
    for number, body in enumerate((ASKED, ASKED | {"stream": True})):
        first, second = [await post(http, "/v1/chat/completions", body, f"k-{number}") for _ in range(2)]
        assert first.status_code == 200 and first.text == second.text
        assert first.headers["content-type"] == second.headers["content-type"]
        assert second.headers["idempotent-replayed"] == "true"
    assert len(ollama.asked) == 2
    wrong = await post(http, "/v1/chat/completions", ASKED | {"seed": 1}, "k-0")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (409, "idempotency_mismatch")


async def test_any_json_has_a_hash(http: httpx.AsyncClient) -> None:
    deep: dict[str, Any] = {}
    for _ in range(150):
        deep = {"a": deep}
    for number, value in enumerate(("\ud800", deep)):
        answers = [
            await post(http, "/v1/chat/completions", ASKED | {"metadata": {"a": value}}, f"k-{number}")
            for _ in range(2)
        ]
        assert [answer.status_code for answer in answers] == [200, 200], answers[0].text
        assert answers[1].headers["idempotent-replayed"] == "true"
    tool = {"type": "function", "function": {"name": "f", "parameters": {"\ud800": deep}}}
    answer = await post(http, "/v1/chat/completions", ASKED | {"tools": [tool]}, "k-tool")
    assert answer.status_code != 500, answer.text


async def test_a_stream_that_was_left_or_failed_is_written_again(
    http: httpx.AsyncClient, ollama: ScriptedOllama, owner_url: str
) -> None:
    body = ASKED | {"model": "scripted:tokens=100000,rate=50", "stream": True}
    async with http.stream("POST", "/v1/chat/completions", json=body, headers={"idempotency-key": "k"}) as response:
        async for _ in response.aiter_lines():
            break
    async with asyncio.timeout(30):
        while ollama.generating or count(owner_url, "idempotency_key"):
            await asyncio.sleep(0.01)
    failing = ASKED | {"model": "scripted:tokens=9,fault=error-line,at=4,rate=50", "stream": True}
    for _ in range(2):
        answer = await post(http, "/v1/chat/completions", failing, "k")
        assert '"error"' in answer.text and "idempotent-replayed" not in answer.headers


async def test_answers_are_kept_for_a_day(services: Services, http: httpx.AsyncClient, owner_url: str) -> None:
    first = await post(http, "/v1/chat/completions", ASKED)
    with psycopg.connect(owner_url) as connection:
        connection.execute("UPDATE idempotency_key SET created_at = now() - interval '25 hours'")
    second = await post(http, "/v1/chat/completions", ASKED | {"seed": 1})
    assert second.status_code == 200 and second.json()["id"] != first.json()["id"]
    with psycopg.connect(owner_url) as connection:
        connection.execute("UPDATE idempotency_key SET created_at = now() - interval '25 hours'")
    await services.accounts.idempotency_keys.purge()
    assert count(owner_url, "idempotency_key") == 0


async def test_a_message_is_sent_once_a_day_with_the_same_key(http: httpx.AsyncClient, owner_url: str) -> None:
    body = {"text": "Good morning", "model": "scripted:tokens=3"}
    first = await post(http, "/api/v1/conversations", body)
    with psycopg.connect(owner_url) as connection:
        connection.execute("UPDATE idempotency_key SET created_at = now() - interval '25 hours'")
    second = await post(http, "/api/v1/conversations", body)
    assert second.status_code == 201 and second.json()["message_id"] != first.json()["message_id"]
    assert count(owner_url, "conversation") == 2

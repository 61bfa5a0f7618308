"""Conversations over HTTP: lists by keyset, versions by ETag, and problems in one form."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from uuid import uuid4

import httpx
import psycopg
import pytest

from rxchat.domain.accounts import CurrentUser
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.api.programs import key_of
from tests.factories import add_user
from tests.security.http import Open, create_user, http_clients, sign_in

pytestmark = [pytest.mark.anyio, pytest.mark.without_engine]

PATH = "/api/v1/conversations"


@pytest.fixture
async def clients(services: Services, settings: Settings) -> AsyncGenerator[Open]:
    assert services
    async with http_clients(settings) as opened:
        yield opened


@pytest.fixture
async def http(services: Services, clients: Open, current_user: CurrentUser) -> httpx.AsyncClient:
    return clients(authorization=f"Bearer {await key_of(services, current_user)}")


async def begun(http: httpx.AsyncClient, text: str) -> str:
    answer = await http.post(PATH, json={"text": text, "model": "scripted:tokens=20"})
    assert answer.status_code == 201, answer.text
    return answer.json()["conversation_id"]


async def test_pages_follow_each_other_while_conversations_come(http: httpx.AsyncClient) -> None:
    made = [await begun(http, f"Question {number}") for number in range(5)]
    seen, path = [], f"{PATH}?limit=2"
    while path:
        answer = await http.get(path)
        page = answer.json()
        seen += [item["id"] for item in page["conversations"]]
        link = answer.headers.get("link", "")
        assert bool(link) == (page["next_cursor"] is not None)
        path = link.partition("<")[2].partition(">")[0]
        # A new one does not move the others to other pages.
        await begun(http, "Another one")
    assert seen == made[::-1]
    for cursor in ("x", "!!!!", "WzEsMl0", "W10", "e30", json.dumps(["2026-01-01", "x"])):
        answer = await http.get(PATH, params={"cursor": cursor})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input"), cursor


async def test_archive_and_trash_are_lists_with_pages_too(http: httpx.AsyncClient) -> None:
    made = [await begun(http, f"Question {number}") for number in range(4)]
    for name in (made[2], made[0], made[1]):
        assert (await http.patch(f"{PATH}/{name}", json={"is_archived": True})).json()["is_archived"]
    first = (await http.get(PATH, params={"list": "archived", "limit": 2})).json()
    rest = await http.get(PATH, params={"list": "archived", "limit": 2, "cursor": first["next_cursor"]})
    pages = [[item["id"] for item in page["conversations"]] for page in (first, rest.json())]
    assert pages == [[made[1], made[0]], [made[2]]]
    assert (await http.delete(f"{PATH}/{made[3]}")).status_code == 204
    assert (await http.get(f"{PATH}/{made[3]}")).status_code == 404
    deleted = (await http.get(PATH, params={"list": "deleted"})).json()["conversations"]
    assert [item["id"] for item in deleted] == [made[3]]
    assert (await http.post(f"{PATH}/{made[3]}/restore")).status_code == 204
    assert (await http.get(f"{PATH}/{made[3]}")).json()["title"] == "Question 3"


async def test_an_edit_of_an_old_version_is_refused(http: httpx.AsyncClient) -> None:
    at = f"{PATH}/{await begun(http, 'Hello')}"
    read = await http.get(at)
    tag = read.headers["etag"]
    assert tag == f'"{read.json()["seq"]}"' and read.headers["cache-control"] == "no-store"
    changed = await http.patch(at, json={"title": "  New \n title ", "is_pinned": True}, headers={"if-match": tag})
    assert (changed.json()["title"], changed.json()["is_pinned"]) == ("New title", True)
    assert changed.headers["etag"] != tag
    late = await http.patch(at, json={"title": "Late"}, headers={"if-match": tag})
    assert (late.status_code, late.json()["code"]) == (412, "version_mismatch")
    assert (await http.patch(at, json={"title": "Any"}, headers={"if-match": "*"})).json()["title"] == "Any"
    assert (await http.patch(at, json={"title": "Any"}, headers={"if-match": "W/x"})).status_code == 422
    nothing = await http.patch(at, json={})
    assert nothing.status_code == 200
    for body in ({"title": " "}, {"tittle": "x"}, {"is_pinned": "perhaps"}, {"title": "x" * 2_000}):
        assert (await http.patch(at, json=body)).status_code == 422, body


async def test_every_failure_is_a_problem(http: httpx.AsyncClient, clients: Open) -> None:
    hostile = {
        b"{": "invalid_json",
        b"[" * 50_000 + b"]" * 50_000: "invalid_input",
        b'{"text": ' + b"9" * 100_000 + b"}": "invalid_input",
        b'{"text": "x", "\\ud800": 1}': "invalid_input",
        b'{"text": "\\u0000\\ud800", "model": "\\ud800\\u0000"}': "invalid_input",
        b'{"text": "\\u0000", "model": "\\u0000"}': "model_unknown",
        b'{"text": 1e999}': "invalid_input",
        b"\xff\xfe": "invalid_json",
        b"": "invalid_input",
        b"null": "invalid_input",
    }
    headers = {"content-type": "application/json"}
    for body, code in hostile.items():
        answer = await http.post(f"{PATH}/{uuid4()}/messages", content=body, headers=headers)
        assert 400 <= answer.status_code < 500, (body[:20], answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        found = answer.json()
        assert {"type", "title", "status", "detail", "code"} <= found.keys() and found["detail"].endswith(".")
        assert (found["status"], found["code"]) == (answer.status_code, code), body[:20]
    large = await http.post(PATH, content=b" " * 1_000_001, headers=headers)
    assert (large.status_code, large.json()["code"]) == (413, "too_large")
    nowhere = await http.get("/api/v1/nowhere")
    assert (nowhere.status_code, nowhere.json()["code"]) == (404, "not_found")
    assert (await http.put(PATH)).json()["code"] == "method_not_allowed"
    stranger = await clients().get(PATH)
    assert (stranger.status_code, stranger.json()["code"]) == (401, "not_signed_in")
    assert stranger.headers["www-authenticate"] == "Bearer"
    foreign = await clients(origin="https://evil.example").post(PATH, json={})
    assert (foreign.status_code, foreign.json()["code"]) == (403, "not_allowed")


async def test_the_longest_message_arrives_however_it_is_written(http: httpx.AsyncClient) -> None:
    text = "é" * 100_000
    for body in (json.dumps({"text": text}), json.dumps({"text": text}, ensure_ascii=False)):
        answer = await http.post(PATH, content=body.encode(), headers={"content-type": "application/json"})
        assert answer.status_code == 201, answer.text


async def test_what_is_another_users_is_not_found_by_any_route(
    services: Services, http: httpx.AsyncClient, clients: Open, owner_url: str
) -> None:
    conversation = await begun(http, "Secret")
    [question, answer] = (await http.get(f"{PATH}/{conversation}/messages")).json()["messages"]
    stranger = clients(authorization=f"Bearer {await key_of(services, add_user(owner_url, 'Bea'))}")
    at = f"{PATH}/{conversation}"
    with psycopg.connect(owner_url) as connection:
        count = "SELECT count(*) FROM conversation_event"
        before = connection.execute(count).fetchone()
        for message in (question["id"], answer["id"]):
            requests = [
                ("GET", at, None),
                ("PATCH", at, {"title": "Mine"}),
                ("DELETE", at, None),
                ("POST", f"{at}/restore", None),
                ("GET", f"{at}/events", None),
                ("GET", f"{at}/messages", None),
                ("GET", f"{at}/messages?before={message}", None),
                ("POST", f"{at}/messages", {"text": "Hi", "model": "scripted:tokens=20"}),
                ("POST", f"{at}/messages", {"text": "Hi", "model": "scripted:tokens=20", "parent_id": message}),
                ("GET", f"{at}/messages/{message}", None),
                ("DELETE", f"{at}/messages/{message}", None),
                ("DELETE", f"{at}/queued/{message}", None),
                *(
                    ("POST", f"{at}/messages/{message}/{verb}", {"text": "x"} if verb == "edit" else {})
                    for verb in ("edit", "regenerate", "continue", "retry", "choose", "restore")
                ),
            ]
            for method, path, body in requests:
                refused = await stranger.request(method, path, json=body)
                assert (refused.status_code, refused.json().get("code")) == (404, "not_found"), (method, path)
            assert (await stranger.post(f"{at}/stop")).json() == {"stopped": False}
        assert connection.execute(count).fetchone() == before
    assert (await stranger.get(PATH)).json()["conversations"] == []


async def test_models_are_those_that_the_user_may_use(
    services: Services, http: httpx.AsyncClient, clients: Open, owner_url: str
) -> None:
    [model] = (await http.get("/api/v1/models")).json()
    assert (model["name"], model["is_default"]) == ("scripted:tokens=20", True)
    guest = clients()
    await sign_in(guest, await create_user(services, owner_url, "Gus", "guest"))
    assert (await guest.get("/api/v1/models")).json() == []


async def test_requests_of_a_minute_are_counted_for_each_user(
    services: Services, settings: Settings, owner_url: str, current_user: CurrentUser
) -> None:
    few = settings.model_copy(update={"api_requests_per_minute": 3})
    async with http_clients(few) as clients:
        http = clients(authorization=f"Bearer {await key_of(services, current_user)}")
        answers = [await http.get(PATH) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert [answer.headers["ratelimit"].partition(";t=")[0] for answer in answers] == [
            f'"default";r={left}' for left in (2, 1, 0, 0)
        ]
        assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"default";q=3;w=60'}
        assert answers[-1].json()["code"] == "too_many_attempts" and 0 < int(answers[-1].headers["retry-after"]) <= 60
        # In all APIs together, and for each user alone.
        assert (await http.get("/v1/models")).status_code == 429
        other = clients(authorization=f"Bearer {await key_of(services, add_user(owner_url, 'Bea'))}")
        assert (await other.get(PATH)).status_code == 200


async def test_a_conversation_is_configured_by_its_version(http: httpx.AsyncClient) -> None:
    asked = {"text": "Hello", "model": "scripted:tokens=20", "system_prompt": "Be brief.", "parameters": {"seed": 3}}
    begun = await http.post(PATH, json=asked | {"conversation_parameters": {"temperature": 0.5}})
    at = f"{PATH}/{begun.json()['conversation_id']}"
    read = await http.get(f"{at}/configuration")
    assert read.json() == {"system_prompt": "Be brief.", "parameters": {"temperature": 0.5}}
    [question, _] = (await http.get(f"{at}/messages")).json()["messages"]
    assert question["parameters"] == {"seed": 3}
    new, old = {"parameters": {"top_k": 5, "stop": ["END"]}}, {"If-Match": read.headers["etag"]}
    changed = await http.put(f"{at}/configuration", json=new, headers=old)
    assert changed.json() == {"system_prompt": "", **new} and changed.headers["etag"] != read.headers["etag"]
    assert (await http.put(f"{at}/configuration", json=new, headers=old)).status_code == 412
    for wrong, field in (({"temperature": 9}, "temperature"), ({"num_gpu": 1}, "num_gpu"), ({"stop": 7}, "stop")):
        refused = await http.put(f"{at}/configuration", json={"parameters": wrong})
        assert (refused.status_code, refused.json()["field"]) == (422, field)
        refused = await http.post(PATH, json=asked | {"parameters": wrong})
        assert (refused.status_code, refused.json()["field"]) == (422, field)

"""Assistants over HTTP: pages by keyset, versions by ETag, shares, and conversations with them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from uuid import uuid4

import httpx
import pytest

from rxchat.domain.accounts import CurrentUser
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.api.programs import key_of
from tests.factories import add_user
from tests.security.http import Open, http_clients

pytestmark = [pytest.mark.anyio, pytest.mark.without_engine]

PATH, MODEL = "/api/v1/assistants", "scripted:tokens=20"
SAID = {
    "name": "Pirate",
    "icon": "P",
    "model": MODEL,
    "system_prompt": "Ahoy.",
    "parameters": {"seed": 1},
    "starters": ["Hi"],
}


@pytest.fixture
async def clients(services: Services, settings: Settings) -> AsyncGenerator[Open]:
    assert services
    async with http_clients(settings) as opened:
        yield opened


@pytest.fixture
async def http(services: Services, clients: Open, current_user: CurrentUser) -> httpx.AsyncClient:
    return clients(authorization=f"Bearer {await key_of(services, current_user)}")


async def test_an_assistant_is_made_read_changed_by_its_version_and_restored(http: httpx.AsyncClient) -> None:
    made = await http.post(PATH, json=SAID)
    assert made.status_code == 201 and made.headers["etag"] == '"1"'
    at = made.headers["location"]
    read = await http.get(at)
    assert read.json() == made.json() and SAID.items() <= read.json().items()
    changed = await http.put(at, json=SAID | {"name": "Captain"}, headers={"If-Match": '"1"'})
    assert (changed.json()["version"], changed.headers["etag"]) == (2, '"2"')
    late = await http.put(at, json=SAID, headers={"If-Match": '"1"'})
    assert (late.status_code, late.json()["code"]) == (412, "version_mismatch")
    kept = (await http.get(f"{at}/versions")).json()
    assert [(item["version"], item["name"]) for item in kept] == [(2, "Captain"), (1, "Pirate")]
    assert (await http.post(f"{at}/versions/1/restore")).json()["name"] == "Pirate"
    assert (await http.post(f"{at}/versions/9/restore")).status_code == 404
    assert (await http.delete(at)).status_code == 204
    assert (await http.get(at)).status_code == 404
    assert (await http.post(f"{at}/restore")).status_code == 204
    assert (await http.get(at)).json()["version"] == 3
    for wrong, field in (({"name": ""}, "name"), ({"parameters": {"seed": -1}}, "seed"), ({"icon": "a b"}, "icon")):
        refused = await http.post(PATH, json=SAID | wrong)
        assert (refused.status_code, refused.json()["field"]) == (422, field)


async def test_pages_follow_each_other_by_name(http: httpx.AsyncClient) -> None:
    for name in ("b", "A", "c", "a", "B"):
        await http.post(PATH, json={"name": name})
    seen, path = [], f"{PATH}?limit=2"
    while path:
        answer = await http.get(path)
        seen += [item["name"] for item in answer.json()["assistants"]]
        path = answer.headers.get("link", "").partition("<")[2].partition(">")[0]
    assert [name.lower() for name in seen] == ["a", "a", "b", "b", "c"]
    for cursor in ("x", "W10", "e30", "WzEsMl0"):
        assert (await http.get(PATH, params={"cursor": cursor})).status_code == 422


async def test_it_is_shared_and_conversations_have_it(
    http: httpx.AsyncClient, clients: Open, services: Services, owner_url: str
) -> None:
    reader = add_user(owner_url, "Reader")
    theirs = clients(authorization=f"Bearer {await key_of(services, reader)}")
    at = (await http.post(PATH, json=SAID)).headers["location"]
    assistant_id = at.rpartition("/")[2]
    begin = {"text": "Hello", "assistant_id": assistant_id}
    for refused in (theirs.get(at), theirs.get(f"{at}/shares"), theirs.post("/api/v1/conversations", json=begin)):
        assert (await refused).status_code == 404
    assert (await http.post(f"{at}/shares", json={"kind": "user", "principal": reader.email})).status_code == 201
    assert (await theirs.put(at, json=SAID)).status_code == 403
    begun = await theirs.post("/api/v1/conversations", json=begin)
    chosen = f"/api/v1/conversations/{begun.json()['conversation_id']}/assistant"
    assert (await theirs.get(f"{chosen.removesuffix('/assistant')}")).json()["model"] == MODEL
    await http.put(at, json=SAID | {"name": "Captain"})
    assert (await theirs.get(chosen)).json() == {
        "id": assistant_id, "name": "Pirate", "version": 1, "newest_version": 2,
    }  # fmt: skip
    newest = await theirs.put(chosen, json={"assistant_id": assistant_id})
    assert (newest.json()["name"], newest.json()["version"]) == ("Captain", 2)
    [share] = (await http.get(f"{at}/shares")).json()
    assert (await http.delete(f"{at}/shares/{share['id']}")).status_code == 204
    assert (await theirs.get(chosen)).json()["newest_version"] is None
    assert (await theirs.put(chosen, json={"assistant_id": assistant_id})).status_code == 404
    assert (await theirs.put(chosen, json={"assistant_id": None})).json() is None
    assert (await http.get(chosen)).status_code == (await http.get(f"{PATH}/{uuid4()}")).status_code == 404

"""Several conversations at once, and what was read, over HTTP."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.ids import new_id
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.api.test_prompts import with_key
from tests.factories import add_user
from tests.security.http import Open, http_clients
from tests.services.chat.test_archive import begun

pytestmark = pytest.mark.anyio


@pytest.fixture
async def clients(services: Services, settings: Settings) -> AsyncGenerator[Open]:
    assert services
    async with http_clients(settings) as opened:
        yield opened


async def test_a_program_changes_several_conversations_or_none(
    services: Services, current_user: CurrentUser, clients: Open, owner_url: str
) -> None:
    ids = [str(await begun(services, current_user, words)) for words in ("one", "two")]
    theirs = str(await begun(services, add_user(owner_url, "Stranger"), "theirs"))
    http = await with_key(services, clients, current_user, "read", "chat")
    for unknown in (theirs, str(new_id())):
        refused = await http.post("/api/conversations/bulk", json={"action": "remove", "ids": [*ids, unknown]})
        assert (refused.status_code, refused.json()["error"]["code"]) == (404, "not_found")
    for wrong in ({"action": "remove", "ids": []}, {"action": "explode", "ids": ids}, {"action": "pin", "ids": ["x"]}):
        assert (await http.post("/api/conversations/bulk", json=wrong)).status_code == 422
    assert len((await http.get("/api/conversations")).json()) == 2
    changed = await http.post("/api/conversations/bulk", json={"action": "archive", "ids": ids})
    assert set(changed.json()["changed"]) == set(ids)
    assert (await http.get("/api/conversations")).json() == []
    reader = await with_key(services, clients, current_user, "read")
    assert (await reader.post("/api/conversations/bulk", json={"action": "pin", "ids": ids})).status_code == 403


async def test_a_program_marks_a_conversation_as_read(
    services: Services, current_user: CurrentUser, clients: Open, owner_url: str
) -> None:
    conversation_id = await begun(services, current_user, "one")
    theirs = await begun(services, add_user(owner_url, "Stranger"), "theirs")
    http = await with_key(services, clients, current_user, "read", "chat")
    assert [item["is_unread"] for item in (await http.get("/api/conversations")).json()] == [True]
    seq = (await http.get(f"/api/conversations/{conversation_id}")).json()["seq"]
    assert (await http.put(f"/api/conversations/{theirs}/read", json={"seq": 1})).status_code == 404
    assert (await http.put(f"/api/conversations/{conversation_id}/read", json={"seq": seq})).status_code == 204
    assert [item["is_unread"] for item in (await http.get("/api/conversations")).json()] == [False]


async def test_a_program_keeps_tags(
    services: Services, current_user: CurrentUser, clients: Open, owner_url: str
) -> None:
    conversation_id = await begun(services, current_user, "one")
    http = await with_key(services, clients, current_user, "read", "chat")
    tag = (await http.post("/api/tags", json={"name": "Work"})).json()["id"]
    assert (await http.post("/api/tags", json={"name": "x", "color": "mauve"})).status_code == 422
    path = f"/api/conversations/{conversation_id}/tags/{tag}"
    assert (await http.put(path)).status_code == 204
    assert (await http.patch(f"/api/tags/{tag}", json={"name": "Office", "color": "blue"})).status_code == 204
    assert (await http.get("/api/tags")).json() == [{"id": tag, "name": "Office", "color": "blue", "count": 1}]
    [listed] = (await http.get("/api/conversations", params={"tag": tag})).json()
    assert listed["tag_ids"] == [tag]
    stranger = await with_key(services, clients, add_user(owner_url, "Stranger"), "read", "chat")
    for method, address in (("PUT", path), ("DELETE", path), ("DELETE", f"/api/tags/{tag}")):
        assert (await stranger.request(method, address)).status_code == 404
    assert (await stranger.patch(f"/api/tags/{tag}", json={"name": "Mine"})).status_code == 404
    assert (await http.delete(path)).status_code == 204
    assert (await http.get("/api/conversations", params={"tag": tag})).json() == []
    assert (await http.delete(f"/api/tags/{tag}")).status_code == 204
    assert (await http.get("/api/tags")).json() == []


async def test_a_program_keeps_projects(
    services: Services, current_user: CurrentUser, clients: Open, owner_url: str
) -> None:
    conversation_id = str(await begun(services, current_user, "one"))
    http = await with_key(services, clients, current_user, "read", "chat")
    house = (await http.post("/api/projects", json={"name": "House", "instructions": "Use meters."})).json()["id"]
    garden = (await http.post("/api/projects", json={"name": "Garden", "parent_id": house})).json()["id"]
    moved = await http.post("/api/conversations/move", json={"ids": [conversation_id], "project_id": garden})
    assert moved.status_code == 204
    found = [(item["name"], item["parent_id"], item["count"]) for item in (await http.get("/api/projects")).json()]
    assert found == [("House", None, 0), ("Garden", house, 1)]
    circle = await http.put(f"/api/projects/{house}", json={"name": "House", "parent_id": garden})
    assert (circle.status_code, circle.json()["error"]["code"]) == (422, "invalid_input")
    stranger = await with_key(services, clients, add_user(owner_url, "Stranger"), "read", "chat")
    assert (await stranger.get("/api/projects")).json() == []
    assert (await stranger.put(f"/api/projects/{house}", json={"name": "Mine"})).status_code == 404
    assert (await stranger.delete(f"/api/projects/{house}")).status_code == 404
    taken = await stranger.post("/api/conversations/move", json={"ids": [conversation_id], "project_id": None})
    assert taken.status_code == 404
    deleted = await http.delete(f"/api/projects/{house}", params={"with_conversations": True})
    assert deleted.json() == {"trashed": 1}
    assert (await http.get("/api/projects")).json() == [] == (await http.get("/api/conversations")).json()


async def test_a_program_reads_and_saves_a_draft(
    services: Services, current_user: CurrentUser, clients: Open, owner_url: str
) -> None:
    path = f"/api/conversations/{await begun(services, current_user, 'one')}/draft"
    http = await with_key(services, clients, current_user, "read", "chat")
    assert (await http.put(path, json={"text": "Half a"})).status_code == 204
    assert (await http.get(path)).json() == {"text": "Half a"}
    stranger = await with_key(services, clients, add_user(owner_url, "Stranger"), "read", "chat")
    assert (await stranger.get(path)).status_code == 404
    assert (await stranger.put(path, json={"text": "Mine"})).status_code == 404

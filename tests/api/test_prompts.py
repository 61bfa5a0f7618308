"""Prompts over HTTP: with a key, within its scopes, and only what its user may read."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import httpx
import pytest

from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.factories import add_user
from tests.security.http import Open, http_clients

pytestmark = [pytest.mark.anyio, pytest.mark.without_engine]

CALLER = ClientInfo("203.0.113.7", "a program")
SAID = {"title": "Translate", "text": "Into {{language=English|German}}: {{text}}"}


@pytest.fixture
async def clients(services: Services, settings: Settings) -> AsyncGenerator[Open]:
    assert services
    async with http_clients(settings) as opened:
        yield opened


async def with_key(services: Services, clients: Open, user: CurrentUser, *scopes: str) -> httpx.AsyncClient:
    """A program with a key of the user's."""
    _, secret = await services.accounts.api_credentials.create_key(
        user, name="k", scopes=list(scopes), days=None, client_info=CALLER
    )
    return clients(authorization=f"Bearer {secret}")


async def test_a_program_keeps_fills_changes_and_deletes_prompts(
    services: Services, current_user: CurrentUser, clients: Open
) -> None:
    http = await with_key(services, clients, current_user, "read", "chat")
    created = (await http.post("/api/prompts", json=SAID)).json()["id"]
    [line] = (await http.get("/api/prompts")).json()
    assert (line["id"], line["command"], line["is_own"], line["version"]) == (created, "translate", True, 1)
    at = f"/api/prompts/{created}"
    found = (await http.get(at)).json()
    assert found["variables"] == [
        {"name": "language", "default": "English", "choices": ["English", "German"]},
        {"name": "text", "default": None, "choices": []},
    ]
    filled = await http.post(f"{at}/fill", json={"values": {"text": "Guten Tag"}})
    assert filled.json() == {"text": "Into English: Guten Tag"}
    assert (await http.post(f"{at}/fill", json={})).json()["error"]["code"] == "invalid_input"
    changed = await http.patch(at, json={"version": 1, "text": "Short"})
    assert (changed.json()["text"], changed.json()["title"], changed.json()["version"]) == ("Short", "Translate", 2)
    late = await http.patch(at, json={"version": 1, "text": "Late"})
    assert (late.status_code, late.json()["error"]["code"]) == (409, "conflict")
    restored = await http.post(f"{at}/versions/1/restore", json={"version": 2})
    assert (restored.json()["text"], restored.json()["version"]) == (SAID["text"], 3)
    assert [item["version"] for item in (await http.get(f"{at}/versions")).json()] == [3, 2, 1]
    assert (await http.post(f"{at}/duplicate")).status_code == 201
    assert (await http.delete(at)).status_code == 204
    assert [item["command"] for item in (await http.get("/api/prompts")).json()] == ["translate-2"]
    assert [item["id"] for item in (await http.get("/api/deleted-prompts")).json()] == [created]
    assert (await http.post(f"/api/deleted-prompts/{created}/restore")).json()["command"] == "translate"
    assert (await http.delete(f"/api/deleted-prompts/{created}")).status_code == 404
    await http.delete(at)
    assert (await http.delete(f"/api/deleted-prompts/{created}")).status_code == 204


async def test_a_prompt_is_shared_and_no_longer(
    services: Services, current_user: CurrentUser, clients: Open, owner_url: str
) -> None:
    http = await with_key(services, clients, current_user, "read", "chat")
    other = add_user(owner_url, "Bea")
    theirs = await with_key(services, clients, other, "read", "chat")
    created = (await http.post("/api/prompts", json=SAID)).json()["id"]
    at = f"/api/prompts/{created}"
    assert (await theirs.get(at)).status_code == 404
    shared = await http.post(f"{at}/shares", json={"kind": "user", "principal": other.email})
    assert (shared.status_code, shared.json()) == (201, {"name": other.email})
    assert (await theirs.get(at)).json()["is_own"] is False
    assert (await theirs.patch(at, json={"version": 1, "text": "x"})).status_code == 403
    assert (await theirs.get(f"{at}/shares")).status_code == 404
    [share] = (await http.get(f"{at}/shares")).json()
    assert (await http.delete(f"{at}/shares/{share['id']}")).status_code == 204
    assert (await theirs.get(at)).status_code == 404


async def test_keys_need_their_scopes_and_bodies_their_shape(
    services: Services, current_user: CurrentUser, clients: Open
) -> None:
    reading = await with_key(services, clients, current_user, "read")
    files = await with_key(services, clients, current_user, "files")
    assert (await reading.get("/api/prompts")).json() == []
    assert (await reading.post("/api/prompts", json=SAID)).status_code == 403
    assert (await files.get("/api/prompts")).status_code == 403
    http = await with_key(services, clients, current_user, "chat", "read")
    for wrong in (
        {}, {"title": "T"}, SAID | {"text": 1}, SAID | {"text": ""}, SAID | {"text": "x" * 20_001},
        SAID | {"title": "\x00" * 3}, SAID | {"command": "a b"},
    ):  # fmt: skip
        assert (await http.post("/api/prompts", json=wrong)).status_code == 422, wrong
    assert (await http.get("/api/prompts")).json() == []
    for path in ("/api/prompts/no-id", "/api/prompts/00000000-0000-0000-0000-000000000000"):
        assert (await http.get(path)).status_code in {404, 422}
    assert (await clients().get("/api/prompts")).status_code == 401

"""Models for programs: how administrators set them, and the favorites of users."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.api.programs import key_of
from tests.factories import add_user
from tests.security.http import Open, http_clients

pytestmark = [pytest.mark.anyio, pytest.mark.without_engine]
PATH = "/api/v1/admin/models"
MODEL = "scripted:tokens=20"


@pytest.fixture
async def clients(services: Services, settings: Settings) -> AsyncGenerator[Open]:
    assert services
    async with http_clients(settings) as opened:
        yield opened


async def test_a_program_of_an_administrator_sets_how_a_model_is_offered(
    services: Services, clients: Open, owner_url: str
) -> None:
    key = await key_of(services, add_user(owner_url, "Grace", "admin"), "admin")
    program = clients(authorization=f"Bearer {key}")
    # Names of models contain slashes and colons.
    for model in (MODEL, "gpu/org/name:7b"):
        read = await program.get(f"{PATH}/{model}")
        assert (read.json()["label"], read.json()["position"], read.headers["etag"]) == ("", None, '"0"')
        body = {"label": "Quick", "is_default": True}
        changed = await program.put(f"{PATH}/{model}", json=body, headers={"if-match": '"0"'})
        assert (changed.json()["model"], changed.json()["is_default"], changed.headers["etag"]) == (model, True, '"1"')
        refused = await program.put(f"{PATH}/{model}", json=body, headers={"if-match": '"0"'})
        assert (refused.status_code, refused.json()["code"]) == (412, "version_mismatch")
    assert [(item["model"], item["is_default"]) for item in (await program.get(PATH)).json()] == [
        ("gpu/org/name:7b", True), (MODEL, False),
    ]  # fmt: skip
    assert (await program.post(f"{PATH}/{MODEL}/move", json={"step": -1})).status_code == 204
    assert (await program.post(f"{PATH}/gone/move", json={"step": -1})).status_code == 422
    assert (await program.put(f"{PATH}/{MODEL}", json={"parameters": {"top_k": 0}})).json()["field"] == "top_k"
    for model in (MODEL, "gpu/org/name:7b"):
        assert (await program.delete(f"{PATH}/{model}")).status_code == 204
    assert (await program.delete(f"{PATH}/{MODEL}")).status_code == 404


async def test_others_are_refused(services: Services, clients: Open, owner_url: str) -> None:
    member = add_user(owner_url, "Mia", "member")
    for scope in ("chat", "read"):
        program = clients(authorization=f"Bearer {await key_of(services, member, scope)}")
        assert (await program.get(PATH)).status_code == 403
        assert (await program.put(f"{PATH}/{MODEL}", json={})).status_code == 403


async def test_a_user_has_favorites(services: Services, clients: Open, owner_url: str) -> None:
    key = await key_of(services, add_user(owner_url, "Mia", "member"), "chat")
    program = clients(authorization=f"Bearer {key}")
    (found,) = (await program.get("/api/v1/models")).json()
    assert (found["title"], found["remote_host"], found["is_favorite"]) == (MODEL, "", False)
    answer = await program.put("/api/v1/models/favorites", json={"model": MODEL, "is_favorite": True})
    assert answer.json() == {"models": [MODEL]}
    assert (await program.get("/api/v1/models")).json()[0]["is_favorite"] is True

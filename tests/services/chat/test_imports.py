"""Imports of conversations: what is stored, once, by whom, and what of a hostile file is not."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.conversations import ConversationList
from rxchat.domain.errors import Conflict, NotAllowed, NotFound, RequestTooLarge
from rxchat.domain.exports.conversation import ExportFormat
from rxchat.domain.ids import new_id
from rxchat.domain.imports import limits
from rxchat.domain.imports.reading import read
from rxchat.domain.imports.report import FoundConversations, ImportReport, ImportState
from rxchat.domain.permissions import Scope
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.domain.imports import samples
from tests.factories import add_user, signed_in_as
from tests.security.http import create_user, error_of, http_clients
from tests.services.app.test_data_export import exported as exported_data
from tests.services.chat.test_conversation_export import exported, two_versions

pytestmark = pytest.mark.anyio

CALLER = ClientInfo("203.0.113.7", "a browser")


async def body_of(content: bytes) -> AsyncGenerator[bytes]:
    for start in range(0, len(content), 1 << 20):
        yield content[start : start + (1 << 20)]


async def ended(services: Services, current_user: CurrentUser, import_id: Any) -> ImportReport:
    async with asyncio.timeout(60):
        while (
            report := await services.chat.conversation_imports.get(current_user, import_id)
        ).state is ImportState.RUNNING:
            await asyncio.sleep(0.05)
    return report


async def imported(services: Services, current_user: CurrentUser, content: Any, name: str = "a.json") -> ImportReport:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    imports = services.chat.conversation_imports
    import_id = await imports.start(current_user, name, body_of(data), CALLER)
    return await ended(services, current_user, import_id)


def zipped(**files: Any) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content if isinstance(content, bytes) else json.dumps(content))
    return buffer.getvalue()


async def titles(
    services: Services, current_user: CurrentUser, of: ConversationList = ConversationList.CURRENT
) -> list[str]:
    return [item.title for item in await services.chat.conversations.page(current_user, of)]


async def test_conversations_of_all_systems_are_imported_from_one_list(
    services: Services, current_user: CurrentUser
) -> None:
    everything = [
        samples.chatgpt(),
        samples.claude(),
        samples.open_webui(),
        samples.librechat(),
        {"no": "conversation"},
    ]
    report = await imported(services, current_user, everything)
    assert (report.state, report.found, report.imported, report.skipped) == (ImportState.DONE, 5, 4, 1)
    assert [item.source for item in report.imported_items] == ["ChatGPT", "Claude", "Open WebUI", "LibreChat"]
    assert [item.reason for item in report.skipped_items] == ["It is no conversation in a form that RxChat knows."]
    # In the list by the times that they had, the archived one in the archive.
    assert await titles(services, current_user) == ["Greeting", "A summary", "Bird in a photo"]
    assert await titles(services, current_user, ConversationList.ARCHIVED) == ["Salt"]
    first = report.imported_items[0].id
    page = await services.chat.conversations.open(current_user, first)
    assert [item.text for item in page.messages][2:] == ["Which one?", "A robin."]
    assert len(page.messages[2].versions) == 2 and page.messages[1].reasoning == "Looking\nIt has wings."
    assert [f"{item.created_at:%H:%M:%S}" for item in page.messages if item.created_at] == [
        "12:00:01",
        "12:00:02",
        "12:00:10",
        "12:00:11",
    ]
    # It is a conversation as any other: the projections are those of its events, and it can be continued.
    history = await services.chat.conversations.history(current_user, first)
    assert [item.text for item in history.branch] == [item.text for item in page.messages]
    turn = await services.chat.messages.send_message(current_user, first, "Thanks", "scripted:tokens=1")
    assert turn.conversation_id == first


async def test_what_was_imported_is_not_imported_again(
    services: Services, current_user: CurrentUser, owner_url: str
) -> None:
    file = zipped(**{"conversations.json": [samples.chatgpt(), samples.chatgpt()], "user.json": {"id": "x"}})
    report = await imported(services, current_user, file, "export.zip")
    assert (report.imported, report.skipped, report.file_name) == (1, 1, "export.zip")
    again = await imported(services, current_user, file)
    assert (again.imported, {item.reason for item in again.skipped_items}) == (0, {"It was imported before."})
    conversation_id = report.imported_items[0].id
    await services.chat.conversations.remove(current_user, conversation_id)
    again = await imported(services, current_user, file)
    assert again.skipped_items[0].reason == "It was imported before. It is in your trash: restore it there."
    await services.chat.conversation_trash.delete_for_good(current_user, [conversation_id])
    assert (await imported(services, current_user, file)).imported == 1
    # Each user has conversations of their own.
    other = add_user(owner_url, "Other")
    assert (await imported(services, other, file)).imported == 1
    assert len(await services.chat.conversation_imports.latest(current_user)) == 4


async def test_a_round_trip_of_rxchats_own_export_is_equal(
    services: Services, current_user: CurrentUser, owner_url: str
) -> None:
    conversations = services.chat.conversations
    conversation_id = await two_versions(services, current_user)
    page = await conversations.open(current_user, conversation_id)
    await services.chat.branches.delete(current_user, conversation_id, page.messages[-1].id)
    await conversations.archive(current_user, conversation_id, is_archived=True)
    file = (await exported(services, current_user, conversation_id, ExportFormat.JSON)).encode()
    assert (await imported(services, current_user, file)).skipped_items[0].reason == "You have it already."
    other = add_user(owner_url, "Other")
    report = await imported(services, other, file)
    # Signed by this instance, and not changed: there is nothing to say.
    assert [item.notes for item in report.imported_items] == [[]]
    again = (await exported(services, other, report.imported_items[0].id, ExportFormat.JSON)).encode()
    assert comparable(again) == comparable(file)
    changed = json.loads(file)
    changed["conversation"]["messages"][0]["text"] = "forged"
    third = add_user(owner_url, "Third")
    [item] = (await imported(services, third, changed)).imported_items
    assert item.notes == ["The file was changed after RxChat exported it."]


def comparable(file: bytes) -> dict[str, Any]:
    """A conversation without what has to differ: IDs, which are replaced by places, and its events."""
    conversation = json.loads(file)["conversation"]
    places = {item["id"]: place for place, item in enumerate(conversation["messages"])} | {None: None}
    messages = [
        {**item, "id": places[item["id"]], "parent_id": places[item["parent_id"]]} for item in conversation["messages"]
    ]
    return {**conversation, "id": 0, "leaf_id": places[conversation["leaf_id"]], "messages": messages, "events": []}


async def test_the_export_of_all_data_can_be_imported(services: Services, owner_url: str) -> None:
    ada = await create_user(services, owner_url, "Ada")
    kept, gone = [await two_versions(services, ada) for _ in range(2)]
    await services.chat.conversations.remove(ada, gone)
    archive = await exported_data(services, ada)
    bob = add_user(owner_url, "Bob")
    assert archive.fp is not None
    archive.fp.seek(0)
    report = await imported(services, bob, archive.fp.read(), "rxchat-my-data.zip")
    assert (report.found, report.imported, report.skipped) == (2, 1, 1)
    assert report.skipped_items[0].reason == "It was in the trash when it was exported."
    assert (await services.chat.conversations.open(bob, report.imported_items[0].id)).title == "Wording"
    with pytest.raises(NotFound):
        await services.chat.conversations.open(bob, kept)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"no json at all", "not valid JSON"),
        (b'[{"mapping": {}}', "not valid JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b"PK\x03\x04 no archive", "damaged"),
        (zipped(**{"picture.png": b"x"}), "contains no conversations"),
        (zipped(**{"conversations.json": b"[" + b" " * 50_000_000 + b"]"}), "too large when unpacked"),
    ],
    ids=["text", "cut off", "deep", "no archive", "no conversations", "bomb"],
)
async def test_files_that_are_no_exports_are_refused_with_a_sentence(
    services: Services, current_user: CurrentUser, content: bytes, sentence: str
) -> None:
    report = await imported(services, current_user, content)
    assert (report.state, report.imported) == (ImportState.FAILED, 0)
    assert sentence in report.error
    assert await titles(services, current_user) == []


async def test_of_a_conversation_that_cannot_be_imported_nothing_is_stored(
    services: Services, current_user: CurrentUser
) -> None:
    circle = samples.chatgpt(title="Circle")
    circle["mapping"]["q1"]["parent"] = "a2"
    report = await imported(services, current_user, [circle, samples.claude()])
    assert [(item.title, item.reason) for item in report.skipped_items] == [
        ("Circle", "Its messages refer to each other in a circle.")
    ]
    assert await titles(services, current_user) == ["A summary"]


async def test_who_may_import_and_how_much(
    services: Services, current_user: CurrentUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    imports = services.chat.conversation_imports
    for refused in (
        replace(current_user, permissions=frozenset()),
        replace(current_user, scopes=frozenset({Scope.READ})),
    ):
        with pytest.raises(NotAllowed):
            await imports.start(refused, "a.json", body_of(b"[]"), CALLER)
    monkeypatch.setattr(limits, "FILE_BYTES", 1_000)
    with pytest.raises(RequestTooLarge, match="which is the limit"):
        await imports.start(current_user, "a.json", body_of(b"x" * 1_000), CALLER)
    assert await imports.latest(current_user) == []

    async def endless() -> AsyncGenerator[bytes]:
        yield b"["
        await asyncio.Event().wait()

    receiving = asyncio.create_task(imports.start(current_user, "a.json", endless(), CALLER))
    async with asyncio.timeout(60):
        while current_user.user_id not in imports._receiving:
            await asyncio.sleep(0)
    with pytest.raises(Conflict, match="already running"):
        await imports.start(current_user, "b.json", body_of(b"[]"), CALLER)
    receiving.cancel()
    await asyncio.gather(receiving, return_exceptions=True)
    assert (await imported(services, current_user, [])).state is ImportState.DONE


async def test_imports_of_others_are_not_found(services: Services, current_user: CurrentUser, owner_url: str) -> None:
    report = await imported(services, current_user, [samples.claude()])
    other = add_user(owner_url, "Other")
    for wanted in (report.id, new_id()):
        with pytest.raises(NotFound):
            await services.chat.conversation_imports.get(other, wanted)
    assert await services.chat.conversation_imports.latest(other) == []


async def test_over_http(services: Services, settings: Settings, current_user: CurrentUser) -> None:
    content = json.dumps([samples.librechat()]).encode() + b" " * 100_000
    async with http_clients(settings) as opened:
        browser = opened()
        assert error_of(await browser.post("/api/imports?name=a.json", content=content)) == "not_signed_in"
        browser.cookies.set("rxchat_session", await signed_in_as(services, current_user))
        crossed = await browser.post(
            "/api/imports?name=a.json", content=content, headers={"origin": "https://evil.example"}
        )
        assert crossed.status_code == 403
        answer = await browser.post("/api/imports?name=a.json", content=content)
        assert answer.status_code == 202
        await ended(services, current_user, UUID(answer.json()["id"]))
        found = (await browser.get(f"/api/imports/{answer.json()['id']}")).json()
        assert (found["state"], found["imported"], found["imported_items"][0]["title"]) == ("done", 1, "Greeting")
        assert [item["id"] for item in (await browser.get("/api/imports")).json()] == [found["id"]]
        assert error_of(await browser.get(f"/api/imports/{new_id()}")) == "not_found"


class Reader:
    """A reader that yields some items, and then fails or never ends."""

    def __init__(self, *items: Any, failure: Exception | None = None) -> None:
        self._items, self._failure = items, failure

    async def read(self, file: Any) -> AsyncGenerator[Any]:
        assert not file.closed
        for item in self._items:
            yield item
        if self._failure is not None:
            raise self._failure
        await asyncio.Event().wait()


async def test_an_import_that_does_not_reach_its_end_says_so_and_keeps_what_it_has_stored(
    services: Services, current_user: CurrentUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    imports = services.chat.conversation_imports
    items = (FoundConversations(2), read(json.dumps(samples.claude()).encode()))
    monkeypatch.setattr(imports, "_reader", Reader(*items, failure=RuntimeError("a bug")))
    failed = await imported(services, current_user, [])
    assert (failed.state, failed.found, failed.imported) == (ImportState.FAILED, 2, 1)
    assert "internal error" in failed.error and "a bug" not in failed.error
    monkeypatch.setattr(imports, "_reader", Reader(*items))
    import_id = await imports.start(current_user, "b.json", body_of(b"[]"), CALLER)
    async with asyncio.timeout(60):
        while not (await imports.get(current_user, import_id)).skipped:
            await asyncio.sleep(0.05)
    with pytest.raises(Conflict, match="already running"):
        await imports.start(current_user, "c.json", body_of(b"[]"), CALLER)
    # As when the process ends: a later import can begin at once.
    await imports.stop()
    assert (await imports.get(current_user, import_id)).state is ImportState.INTERRUPTED
    monkeypatch.undo()
    assert (await imported(services, current_user, [])).state is ImportState.DONE
    assert await titles(services, current_user) == ["A summary"]

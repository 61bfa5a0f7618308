"""The page for documents: each handler as owner and as somebody else, with wrong ids, and live."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.versions import IfExists
from rxchat.services.app.container import Services
from rxchat.states.chat.thread import ThreadState
from rxchat.states.documents import documents
from rxchat.states.documents.documents import DocumentsState
from rxchat.states.documents.search_preview import SearchPreviewState
from tests.factories import add_user, signed_in_as
from tests.services.grounded import EMBEDDER, body, ready, uploaded
from tests.tab import Tab, open_tab, open_tabs

pytestmark = pytest.mark.anyio


@pytest.fixture
async def grace(services: Services, owner_url: str) -> CurrentUser:
    assert services
    return add_user(owner_url, "Grace")


async def opened(tab: Tab, collection_id: object = "") -> None:
    """Be on the page of a collection; what follows it goes on."""
    tab.be_at(collection_id=str(collection_id))
    tab.path = f"/documents/{collection_id}"
    await tab.send_event(DocumentsState, "load")
    await tab.until(lambda: shown(tab, "loaded") or shown(tab, "problem"))


def shown(tab: Tab, name: str) -> Any:
    """What the page shows."""
    return tab.shown(DocumentsState, name)


def names(tab: Tab) -> list[str]:
    """The documents that the page shows."""
    return [line.name for line in shown(tab, "documents")]


async def test_the_page_says_which_embedder_is_used(services: Services, ada: CurrentUser) -> None:
    async with open_tab(await signed_in_as(services, ada)) as tab:
        await opened(tab)
        assert shown(tab, "embedder") == f"Embedding model: {EMBEDDER}, on the Ollama hosts."


async def test_a_collection_is_created_renamed_and_deleted(services: Services, ada: CurrentUser) -> None:
    async with open_tab(await signed_in_as(services, ada)) as tab:
        await opened(tab)
        await tab.do(DocumentsState, "create", form={"dialog": "1", "name": "Handbook", "description": "For all"})
        [line] = shown(tab, "collections")
        assert (line.name, line.is_own, shown(tab, "done_dialog")) == ("Handbook", True, 1)
        assert tab.redirects[-1] == f"/documents/{line.id}"
        await tab.do(DocumentsState, "rename", form={"id": line.id, "name": "Manual", "description": ""})
        assert shown(tab, "collections")[0].name == "Manual"
        await tab.do(DocumentsState, "remove_collection", form={"dialog": "2", "id": line.id})
        assert tab.redirects[-1] == "/documents" and shown(tab, "done_dialog") == 2
        assert shown(tab, "collections") == []
        assert shown(tab, "flash") == "“Manual” was deleted, with all its documents."


async def test_an_error_is_shown_in_the_dialog_that_caused_it(services: Services, ada: CurrentUser) -> None:
    async with open_tab(await signed_in_as(services, ada)) as tab:
        await opened(tab)
        await tab.do(DocumentsState, "create", form={"dialog": "5", "name": " ", "description": ""})
        assert "name" in shown(tab, "problem") and shown(tab, "problem_dialog") == 5
        assert shown(tab, "done_dialog") == 0
        await tab.do(DocumentsState, "create", form={"dialog": "6", "name": "Fine", "description": ""})
        assert (shown(tab, "problem"), shown(tab, "done_dialog")) == ("", 6)
        assert tab.shown(ThreadState, "problem") == ""


async def test_a_document_is_followed_until_it_is_ready(services: Services, ada: CurrentUser) -> None:
    collection = await services.documents.collections.create(ada, "Team")
    async with open_tab(await signed_in_as(services, ada)) as tab:
        await opened(tab, collection)
        await uploaded(services, ada, collection, "notes.txt", "The keys hang behind the door.")
        await tab.until(lambda: [line.state for line in shown(tab, "documents")] == ["ready"], 30)
        [line] = shown(tab, "documents")
        assert (line.kind, line.is_found, line.cited) == ("TXT", True, 0)
        await tab.do(DocumentsState, "rename_document", form={"id": line.id, "name": "keys.txt"})
        assert names(tab) == ["keys.txt"]
        await tab.do(DocumentsState, "read_again", document_id=line.id)
        await tab.do(DocumentsState, "remove_documents", form={"ids": line.id})
        assert shown(tab, "flash") == "The document was deleted."
        # What was read for the news before may come last; the news of the deletion are on their way.
        await tab.until(lambda: names(tab) == [])
        assert shown(tab, "removed") == line.id
        await tab.until(lambda: [item.name for item in shown(tab, "deleted")] == ["keys.txt"])
        await tab.do(DocumentsState, "restore_documents", ids=line.id)
        assert (shown(tab, "flash"), shown(tab, "removed")) == ("The document was restored.", "")
        await tab.until(lambda: (names(tab), shown(tab, "deleted")) == (["keys.txt"], []))
        await tab.do(DocumentsState, "remove_documents", form={"ids": line.id})
        # After a reload it is listed, and not offered in a notice any more.
        await tab.do(DocumentsState, "load")
        assert shown(tab, "removed") == "" and len(shown(tab, "deleted")) == 1
        await tab.do(DocumentsState, "delete_for_good", form={"id": line.id})
        await tab.until(lambda: shown(tab, "deleted") == [])
        await tab.do(DocumentsState, "restore_documents", ids=line.id)
        assert shown(tab, "problem") != ""


async def test_a_reader_sees_what_is_shared_until_it_is_taken_back(
    services: Services, ada: CurrentUser, grace: CurrentUser
) -> None:
    collection = await services.documents.collections.create(ada, "Team")
    await ready(services, ada, collection, "notes.txt", "The keys hang behind the door.")
    cookies = [await signed_in_as(services, person) for person in (ada, grace)]
    async with open_tabs(*cookies) as (owner, reader):
        await opened(owner, collection)
        await opened(reader, collection)
        assert (shown(reader, "collections"), names(reader)) == ([], [])
        await owner.do(DocumentsState, "share", form={"dialog": "3", "kind": "user", "principal": "nobody@example.org"})
        assert "No user has the address" in shown(owner, "problem") and shown(owner, "problem_dialog") == 3
        await owner.do(DocumentsState, "share", form={"kind": "user", "principal": grace.email})
        assert [line.name for line in shown(owner, "shares")] == [grace.email]
        await reader.until(lambda: names(reader) == ["notes.txt"])
        assert shown(reader, "collections")[0].is_own is False and shown(reader, "shares") == []
        await owner.do(DocumentsState, "unshare", form={"id": shown(owner, "shares")[0].id})
        await reader.until(lambda: shown(reader, "collections") == [])
        assert names(reader) == []
        assert shown(owner, "shares") == []


async def test_what_was_read_before_an_action_is_not_shown_after_it(
    services: Services, ada: CurrentUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, is_read, goes_on = documents._read, asyncio.Event(), asyncio.Event()

    async def slow_at_first(*args: Any) -> Any:
        found, is_first = await read(*args), not is_read.is_set()
        is_read.set()
        if is_first:
            await goes_on.wait()
        return found

    collection = await services.documents.collections.create(ada, "Team")
    document = await ready(services, ada, collection, "notes.txt", "The keys hang behind the door.")
    async with open_tab(await signed_in_as(services, ada)) as tab:
        await opened(tab, collection)
        monkeypatch.setattr(documents, "_read", slow_at_first)
        await services.documents.documents.rename(ada, document.id, "by-another-tab.txt")
        await is_read.wait()
        await tab.do(DocumentsState, "rename_document", form={"id": str(document.id), "name": "by-this-tab.txt"})
        already = len(tab.frames)
        goes_on.set()
        await services.documents.documents.rename(ada, document.id, "by-another-tab-again.txt")
        await tab.until(lambda: names(tab) == ["by-another-tab-again.txt"])
        assert not [frame for frame in tab.frames[already:] if "by-another-tab.txt" in frame]


async def test_a_reader_changes_nothing(services: Services, ada: CurrentUser, grace: CurrentUser) -> None:
    collection = await services.documents.collections.create(ada, "Team")
    document = await ready(services, ada, collection, "notes.txt", "The keys hang behind the door.")
    async with open_tabs(*[await signed_in_as(services, person) for person in (ada, grace)]) as (owner, reader):
        await opened(owner, collection)
        await owner.do(DocumentsState, "share", form={"kind": "everyone", "principal": ""})
        await opened(reader, collection)
        assert names(reader) == ["notes.txt"]
        attempts: list[tuple[str, dict[str, Any]]] = [
            ("rename", {"form": {"id": str(collection), "name": "Mine", "description": ""}}),
            ("remove_collection", {"form": {"id": str(collection)}}),
            ("remove_documents", {"form": {"ids": str(document.id)}}),
            ("delete_for_good", {"form": {"id": str(document.id)}}),
            ("rename_document", {"form": {"id": str(document.id), "name": "mine.txt"}}),
            ("read_again", {"document_id": str(document.id)}),
            ("restore_documents", {"ids": str(document.id)}),
            ("share", {"form": {"kind": "everyone", "principal": ""}}),
            ("unshare", {"form": {"id": shown(owner, "shares")[0].id}}),
        ]
        for handler, payload in attempts:
            await reader.do(DocumentsState, "load")
            assert shown(reader, "problem") == ""
            await reader.do(DocumentsState, handler, **payload)
            assert shown(reader, "problem"), handler
        assert (await services.documents.documents.preview(ada, document.id)).document.name == "notes.txt"


@pytest.mark.parametrize("wrong", ["", "x", "../../etc", "01900000-0000-7000-8000-000000000000"])
async def test_a_wrong_id_is_answered_and_changes_nothing(services: Services, ada: CurrentUser, wrong: str) -> None:
    async with open_tab(await signed_in_as(services, ada)) as tab:
        await opened(tab, wrong)
        for handler, payload in (
            ("rename", {"form": {"id": wrong, "name": "x", "description": ""}}),
            ("remove_collection", {"form": {"id": wrong}}),
            ("remove_documents", {"form": {"ids": wrong or "-"}}),
            ("rename_document", {"form": {"id": wrong, "name": "x"}}),
            ("delete_for_good", {"form": {"id": wrong}}),
            ("read_again", {"document_id": wrong}),
            ("restore_documents", {"ids": wrong or "-"}),
            ("share", {"form": {"kind": "everyone", "principal": ""}}),
            ("unshare", {"form": {"id": wrong}}),
            ("unshare", {"form": {"id": [wrong]}}),
        ):
            await tab.do(DocumentsState, "load")
            assert shown(tab, "problem") == "" and shown(tab, "collection").id == ""
            await tab.do(DocumentsState, handler, **payload)
            assert shown(tab, "problem"), handler


async def test_a_stranger_is_sent_to_sign_in(services: Services) -> None:
    assert services
    async with open_tab() as tab:
        await tab.do(DocumentsState, "load")
        assert tab.redirects and not shown(tab, "loaded")


async def test_a_newer_version_has_a_line_of_its_own_until_it_is_in_use(services: Services, ada: CurrentUser) -> None:
    collection = await services.documents.collections.create(ada, "Team")
    await ready(services, ada, collection, "hours.txt", "The office opens at seven.")
    async with open_tab(await signed_in_as(services, ada)) as tab:
        await opened(tab, collection)
        data = b"The office opens at eight."
        upload = await services.documents.files.begin(
            ada, name="hours.txt", size_bytes=len(data), collection_id=collection, if_exists=IfExists.REPLACE
        )
        await services.documents.files.receive(ada, upload.document_id, 0, body(data))

        def is_in_use() -> bool:
            lines = [(line.version, line.is_pending, line.is_found) for line in shown(tab, "documents")]
            return lines == [(2, False, True)] and shown(tab, "collections")[0].documents == 1

        assert await tab.until(is_in_use)


async def test_the_list_is_filtered_and_shown_in_pages(
    services: Services, ada: CurrentUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "PAGE_SIZE", 2)
    collection = await services.documents.collections.create(ada, "Team")
    for name in ("annual report.txt", "report draft.txt", "hours.txt", "report final.txt"):
        await ready(services, ada, collection, name, f"This is {name}.")
    async with open_tab(await signed_in_as(services, ada)) as tab:
        await opened(tab, collection)
        await tab.do(DocumentsState, "filter_names", words="REPORT  ")
        assert (shown(tab, "matching_count"), len(names(tab)), shown(tab, "document_count")) == (3, 2, 4)
        await tab.do(DocumentsState, "show_more")
        assert len(names(tab)) == 3
        await tab.do(DocumentsState, "filter_names", words="report annual")
        assert names(tab) == ["annual report.txt"]
        await tab.do(DocumentsState, "filter_looks", look="failed")
        assert (names(tab), shown(tab, "matching_count")) == ([], 0)
        await tab.do(DocumentsState, "clear_filters")
        assert (shown(tab, "matching_count"), shown(tab, "name_filter")) == (4, "")
        assert (shown(tab, "look_filter"), shown(tab, "filters_cleared")) == ("", 1)


async def test_a_question_shows_what_it_finds_in_the_open_collection(
    services: Services, ada: CurrentUser, grace: CurrentUser
) -> None:
    collection = await services.documents.collections.create(ada, "Team")
    other = await services.documents.collections.create(grace, "Other")
    document = await ready(services, ada, collection, "notes.txt", "The keeper writes the log.")
    await ready(services, grace, other, "theirs.txt", "The keeper sleeps.")
    async with open_tab(await signed_in_as(services, ada)) as tab:
        await opened(tab, collection)
        await tab.do(SearchPreviewState, "search", form={"question": "What does the keeper write?"})
        [passage] = tab.shown(SearchPreviewState, "passages")
        assert passage.address.startswith(f"/documents/view/{document.id}?")
        assert [part.text for part in passage.parts if part.is_marked] == ["keeper", "writes"]
        assert tab.shown(SearchPreviewState, "searched_id") == str(collection)
        # Another user's collection in the address finds nothing.
        await opened(tab, other)
        await tab.do(SearchPreviewState, "search", form={"question": "keeper"})
        assert tab.shown(SearchPreviewState, "passages") == []
        await opened(tab, collection)
        number = tab.shown(SearchPreviewState, "number")
        await tab.do(SearchPreviewState, "search", form={"question": ["keeper"]})
        assert tab.shown(SearchPreviewState, "number") == number + 1
        assert tab.shown(SearchPreviewState, "problem") and tab.shown(SearchPreviewState, "question") == "keeper"

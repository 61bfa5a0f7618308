"""The page for documents: each handler as owner and as somebody else, with wrong ids, and live."""

from __future__ import annotations

from typing import Any

import pytest

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.versions import IfExists
from rxchat.services.app.container import Services
from rxchat.states.chat.thread import ThreadState
from rxchat.states.documents.documents import DocumentsState
from tests.factories import add_user, signed_in_as
from tests.peers.scripted_ollama import ScriptedOllama
from tests.services.grounded import EMBEDDER, body, ready, uploaded
from tests.tab import Tab, open_tab, open_tabs

pytestmark = pytest.mark.anyio


@pytest.fixture
async def ollama(ollama: ScriptedOllama) -> ScriptedOllama:
    ollama.offered = [EMBEDDER]
    return ollama


@pytest.fixture
async def ada(services: Services, owner_url: str) -> CurrentUser:
    assert services
    return add_user(owner_url, "Ada")


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
        await tab.do(DocumentsState, "create", name="Handbook", description="For all")
        [line] = shown(tab, "collections")
        assert (line.id, line.name, line.is_own) == (shown(tab, "created"), "Handbook", True)
        await tab.do(DocumentsState, "rename", collection_id=line.id, name="Manual", description="")
        assert shown(tab, "collections")[0].name == "Manual"
        await tab.do(DocumentsState, "remove_collection", collection_id=line.id)
        assert shown(tab, "collections") == []
        assert shown(tab, "flash") == "“Manual” was deleted, with all its documents."


async def test_what_is_wrong_is_said_in_the_dialog_and_each_event_is_answered(
    services: Services, ada: CurrentUser
) -> None:
    async with open_tab(await signed_in_as(services, ada)) as tab:
        await opened(tab)
        before = shown(tab, "answers")
        await tab.do(DocumentsState, "create", name=" ", description="")
        assert "name" in shown(tab, "problem") and shown(tab, "answers") == before + 1
        await tab.do(DocumentsState, "create", name="Fine", description="")
        assert (shown(tab, "problem"), shown(tab, "answers")) == ("", before + 2)
        assert tab.shown(ThreadState, "problem") == ""


async def test_a_document_is_followed_until_it_is_ready(services: Services, ada: CurrentUser) -> None:
    collection = await services.documents.collections.create(ada, "Team")
    async with open_tab(await signed_in_as(services, ada)) as tab:
        await opened(tab, collection)
        await uploaded(services, ada, collection, "notes.txt", "The keys hang behind the door.")
        await tab.until(lambda: [line.state for line in shown(tab, "documents")] == ["ready"], 30)
        [line] = shown(tab, "documents")
        assert (line.kind, line.is_found, line.cited) == ("TXT", True, 0)
        await tab.do(DocumentsState, "rename_document", document_id=line.id, name="keys.txt")
        assert names(tab) == ["keys.txt"]
        await tab.do(DocumentsState, "read_again", document_id=line.id)
        await tab.do(DocumentsState, "remove_documents", ids=line.id)
        assert shown(tab, "flash") == "The document was deleted."
        # What was read for the news before may come last; the news of the deletion are on their way.
        await tab.until(lambda: names(tab) == [])
        assert shown(tab, "removed") == line.id
        await tab.until(lambda: [item.name for item in shown(tab, "deleted")] == ["keys.txt"])
        await tab.do(DocumentsState, "restore_documents", ids=line.id)
        assert (shown(tab, "flash"), shown(tab, "removed")) == ("The document was restored.", "")
        await tab.until(lambda: (names(tab), shown(tab, "deleted")) == (["keys.txt"], []))
        await tab.do(DocumentsState, "remove_documents", ids=line.id)
        # After a reload it is listed, and not offered in a notice any more.
        await tab.do(DocumentsState, "load")
        assert shown(tab, "removed") == "" and len(shown(tab, "deleted")) == 1
        await tab.do(DocumentsState, "delete_for_good", document_id=line.id)
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
        await owner.do(DocumentsState, "share", kind="user", principal="nobody@example.org")
        assert "No user has the address" in shown(owner, "problem")
        await owner.do(DocumentsState, "share", kind="user", principal=grace.email)
        assert [line.name for line in shown(owner, "shares")] == [grace.email]
        await reader.until(lambda: names(reader) == ["notes.txt"])
        assert shown(reader, "collections")[0].is_own is False and shown(reader, "shares") == []
        news = shown(reader, "news")
        await owner.do(DocumentsState, "unshare", share_id=shown(owner, "shares")[0].id)
        await reader.until(lambda: shown(reader, "collections") == [])
        assert names(reader) == [] and shown(reader, "news") > news
        assert shown(owner, "flash") == f"{grace.email} can no longer read this collection."


async def test_a_reader_changes_nothing(services: Services, ada: CurrentUser, grace: CurrentUser) -> None:
    collection = await services.documents.collections.create(ada, "Team")
    document = await ready(services, ada, collection, "notes.txt", "The keys hang behind the door.")
    async with open_tabs(*[await signed_in_as(services, person) for person in (ada, grace)]) as (owner, reader):
        await opened(owner, collection)
        await owner.do(DocumentsState, "share", kind="everyone", principal="")
        await opened(reader, collection)
        assert names(reader) == ["notes.txt"]
        attempts: list[tuple[str, dict[str, Any]]] = [
            ("rename", {"collection_id": str(collection), "name": "Mine", "description": ""}),
            ("remove_collection", {"collection_id": str(collection)}),
            ("remove_documents", {"ids": str(document.id)}),
            ("rename_document", {"document_id": str(document.id), "name": "mine.txt"}),
            ("read_again", {"document_id": str(document.id)}),
            ("share", {"kind": "everyone", "principal": ""}),
            ("unshare", {"share_id": shown(owner, "shares")[0].id}),
        ]
        for handler, payload in attempts:
            answers = shown(reader, "answers")
            await reader.do(DocumentsState, handler, **payload)
            assert shown(reader, "problem") and shown(reader, "answers") == answers + 1, handler
        assert (await services.documents.documents.preview(ada, document.id)).document.name == "notes.txt"


@pytest.mark.parametrize("wrong", ["", "x", "../../etc", "01900000-0000-7000-8000-000000000000"])
async def test_a_wrong_id_is_answered_and_changes_nothing(services: Services, ada: CurrentUser, wrong: str) -> None:
    async with open_tab(await signed_in_as(services, ada)) as tab:
        await opened(tab, wrong)
        for handler, payload in (
            ("rename", {"collection_id": wrong, "name": "x", "description": ""}),
            ("remove_collection", {"collection_id": wrong}),
            ("remove_documents", {"ids": wrong or "-"}),
            ("rename_document", {"document_id": wrong, "name": "x"}),
            ("read_again", {"document_id": wrong}),
            ("share", {"kind": "everyone", "principal": ""}),
            ("unshare", {"share_id": wrong}),
        ):
            answers = shown(tab, "answers")
            await tab.do(DocumentsState, handler, **payload)
            assert shown(tab, "problem") and shown(tab, "answers") == answers + 1, handler


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

        await tab.until(is_in_use)

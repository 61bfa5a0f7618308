"""The document viewer: texts around a passage, versions, chunks, and documents of others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.documents import DocumentState
from rxchat.domain.files import Document
from rxchat.domain.versions import IfExists, VersionState
from rxchat.services.app.container import Services
from rxchat.states.documents import viewer
from rxchat.states.documents.viewed_document import can_choose_reading, reading_words, version_notice
from rxchat.states.documents.viewer import ViewerState
from tests.factories import add_user, signed_in_as
from tests.services.grounded import body, ready
from tests.tab import Tab, open_tab

pytestmark = pytest.mark.anyio
FEE = "The fee is 900 dollars."
LONG = "Rules. " * 4_000 + FEE + " More." * 3_000


@pytest.fixture
async def handbook(services: Services, ada: CurrentUser) -> Document:
    collection = await services.documents.collections.create(ada, "Team")
    return await ready(services, ada, collection, "rules.txt", LONG)


def shown(tab: Tab, name: str) -> Any:
    return tab.shown(ViewerState, name)


async def opened(tab: Tab, document: Document | str, **passage: Any) -> None:
    document_id = document if isinstance(document, str) else str(document.id)
    tab.path = f"/documents/view/{document_id}"
    await tab.send_event(ViewerState, "open", key=f"{document_id} {passage}", document_id=document_id, passage=passage)
    await tab.until(lambda: shown(tab, "opened") == f"{document_id} {passage}")
    await tab.until(lambda: shown(tab, "is_missing") or shown(tab, "document").id == document_id)


async def test_a_passage_is_marked_where_it_stands_now(
    services: Services, ada: CurrentUser, handbook: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewer, "_LEAD", 100)
    start = LONG.index(FEE)
    async with open_tab(await signed_in_as(services, ada)) as tab:
        await opened(tab, handbook, start=str(start), end=str(start + len(FEE)), quote=FEE)
        assert (shown(tab, "text_marked"), shown(tab, "note"), shown(tab, "has_earlier")) == (FEE, "", True)
        assert len(shown(tab, "text_before")) == 100
        assert shown(tab, "document").collection_name == "Team"
        # The text has moved since: it is found by its words.
        await opened(tab, handbook, start=10, end=20, page=3, quote=FEE[:12])
        assert shown(tab, "text_marked") == FEE[:12] and shown(tab, "page") == 0 and shown(tab, "near_page") == 3
        await opened(tab, handbook, start=10, end=20, quote="Fees are abolished")
        assert shown(tab, "text_marked") == "" and "no longer contains" in shown(tab, "note")
        assert shown(tab, "text_before").startswith("Rules. ")


@pytest.mark.parametrize(
    "passage",
    [
        {"start": "x", "end": True, "page": -3, "quote": 7},
        {"start": 1e999},
        {"start": "9" * 30},
        {"end": "-1"},
        {"start": ["1"]},
        {},
    ],
)
async def test_nonsense_in_the_address_opens_the_beginning(
    services: Services, ada: CurrentUser, handbook: Document, passage: dict[str, Any]
) -> None:
    async with open_tab(await signed_in_as(services, ada)) as tab:
        await opened(tab, handbook, **passage)
        assert shown(tab, "text_before").startswith("Rules. ") and shown(tab, "note") == ""


async def test_a_long_text_is_shown_in_parts(
    services: Services, ada: CurrentUser, handbook: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewer, "_PIECE", 8_000)
    monkeypatch.setattr(viewer, "_MOST_SHOWN", 20_000)
    async with open_tab(await signed_in_as(services, ada)) as tab:
        await opened(tab, handbook)
        text, start = shown(tab, "text_before"), 0
        for _ in range(20):
            if not shown(tab, "has_more"):
                break
            await tab.do(ViewerState, "show_more")
            text = shown(tab, "text_before") + shown(tab, "text_after")
            start = LONG.index(text) if text in LONG else -1
            assert start >= 0 and len(text) <= 20_000
        assert LONG.endswith(text) and shown(tab, "has_earlier")
        while shown(tab, "has_earlier"):
            await tab.do(ViewerState, "show_earlier")
            text = shown(tab, "text_before") + shown(tab, "text_after")
            assert text in LONG and len(text) <= 20_000
        assert LONG.startswith(text)


async def test_the_index_is_shown_in_pages(
    services: Services, ada: CurrentUser, handbook: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewer, "_CHUNKS", 3)
    async with open_tab(await signed_in_as(services, ada)) as tab:
        await opened(tab, handbook)
        assert shown(tab, "chunks_of") == ""
        await tab.do(ViewerState, "show_chunks", key="a key")
        assert shown(tab, "chunks_of") == "a key" and "#quote=Rules.+Rules." in shown(tab, "chunks")[0].address
        assert [item.number for item in shown(tab, "chunks")] == [1, 2, 3] and shown(tab, "has_more_chunks")
        await tab.do(ViewerState, "next_chunks")
        assert shown(tab, "chunks")[0].number == 4
        for _ in range(2):
            await tab.do(ViewerState, "previous_chunks")
        assert shown(tab, "first_chunk") == 0
        # Another document: the page asks for its passages when it shows them.
        other = await ready(services, ada, handbook.collection_id, "other.txt", "Another text.")
        await opened(tab, other)
        assert (shown(tab, "chunks"), shown(tab, "chunks_of")) == ([], "")


async def test_versions_are_listed_and_restored(services: Services, ada: CurrentUser) -> None:
    collection = await services.documents.collections.create(ada, "Team")
    first = await ready(services, ada, collection, "hours.txt", "The office opens at seven.")
    data = b"The office opens at eight."
    upload = await services.documents.files.begin(
        ada, name="hours.txt", size_bytes=len(data), collection_id=collection, if_exists=IfExists.REPLACE
    )
    async with open_tab(await signed_in_as(services, ada)) as tab:
        await opened(tab, first)
        assert shown(tab, "versions") == []
        await services.documents.files.receive(ada, upload.document_id, 0, body(data))
        await tab.until(lambda: "newer version is in use" in shown(tab, "notice").words, 30)
        assert [item.role for item in shown(tab, "versions")] == ["current", "superseded"]
        await tab.do(ViewerState, "restore", form={"dialog": "4", "id": str(first.id)})
        assert shown(tab, "done_dialog") == 4 and len(shown(tab, "versions")) == 3
        await tab.do(ViewerState, "restore", form={"dialog": "5", "id": "x"})
        assert shown(tab, "problem_dialog") == 5


async def test_a_document_of_another_user_and_one_that_is_deleted_are_missing(
    services: Services, ada: CurrentUser, handbook: Document, owner_url: str
) -> None:
    grace = add_user(owner_url, "Grace")
    async with open_tab(await signed_in_as(services, grace)) as tab:
        for document in (handbook, "abc", "../../etc"):
            await opened(tab, document)
            assert shown(tab, "is_missing") and shown(tab, "text_before") == ""
        await tab.do(ViewerState, "show_more")
        await tab.do(ViewerState, "show_chunks", key="a key")
        assert (shown(tab, "text_after"), shown(tab, "chunks")) == ("", [])
        await tab.do(ViewerState, "restore", form={"id": str(handbook.id)})
        assert shown(tab, "problem")
    async with open_tab(await signed_in_as(services, ada)) as tab:
        await opened(tab, handbook)
        await services.documents.files.remove(ada, [handbook.id])
        await tab.until(lambda: shown(tab, "is_missing"), 20)
        assert shown(tab, "text_before") == ""


async def test_words_about_parsing_and_versions(handbook: Document) -> None:
    assert reading_words(replace(handbook, reader="plain_text", encoding="shift_jis")) == (
        "Read as: Plain text, encoding shift_jis (detected)"
    )
    chosen = replace(handbook, reader="plain_text", encoding="shift_jis", chosen_encoding="shift_jis")
    assert reading_words(chosen).endswith("(chosen)")
    assert reading_words(replace(handbook, reader="pdf", encoding="")) == "Read as: PDF"
    assert reading_words(replace(handbook, reader="", encoding="")) == ""
    assert can_choose_reading(handbook)
    assert not can_choose_reading(replace(handbook, reader="pdf", media_type="application/pdf"))
    assert not can_choose_reading(replace(handbook, state=DocumentState.EMBEDDED))
    assert can_choose_reading(replace(handbook, reader="", state=DocumentState.FAILED))
    newer = replace(handbook, version=2, version_state=VersionState.PENDING, state=DocumentState.FAILED)
    assert version_notice(handbook, [newer, handbook]).words == (
        "Version 2 could not be read, so this one stays in use."
    )
    assert "version 1 stays in use" in version_notice(newer, [newer, handbook]).words

"""Scans on their way: recognised in a line of their own, so that nobody waits for them."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from rxchat.adapters.parsing import SandboxedParser
from rxchat.db.platform.jobs import SCANS_QUEUE
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.documents import DocumentState
from rxchat.domain.errors import DocumentUnreadable
from rxchat.domain.retrieval import SearchScope
from rxchat.services.app.container import Services
from rxchat.services.documents.ingestion import TRIES
from tests.parsers import samples, scans
from tests.services.grounded import EMBEDDER, HANDBOOK, found, ready, settled, uploaded

pytestmark = pytest.mark.anyio

OFFERED = ["scripted:tokens=2", EMBEDDER]

INVOICE = "Invoice 4711\nThe total is 1,234.50 euros.\nIt includes the taxes of both countries."


async def test_a_scan_is_recognised_and_found(services: Services, current_user: CurrentUser, collection) -> None:
    document = await ready(services, current_user, collection, "invoice.pdf", scans.pdf(INVOICE))
    answer = await services.retrieval.search.search(current_user, "total of the invoice", SearchScope((collection,)))
    assert "1,234.50 euros" in answer.passages[0].text
    assert (answer.passages[0].page, answer.passages[0].name) == (1, "invoice.pdf")
    assert document.warnings == "The text of 1 page was recognized (OCR)."


@pytest.mark.slow
async def test_a_picture_is_recognised_where_no_model_sees(
    services: Services, current_user: CurrentUser, collection
) -> None:
    await ready(services, current_user, collection, "door.png", scans.picture("Meeting room 12"))
    answer = await services.retrieval.search.search(current_user, "meeting room", SearchScope((collection,)))
    assert answer.passages[0].text == "Meeting room 12"


@pytest.mark.slow
async def test_a_scan_keeps_no_other_document_waiting_and_says_how_far_it_is(
    services: Services, current_user: CurrentUser, collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    recognise, may_go_on, halves = services.documents.ingestion._parser.recognise, asyncio.Event(), 0

    async def slowly(name, media_type, content, on_progress, known):
        nonlocal halves
        halves += 1
        await on_progress(0.5, None)
        await may_go_on.wait()
        return await recognise(name, media_type, content, on_progress, known)

    monkeypatch.setattr(services.documents.ingestion._parser, "recognise", slowly)
    slow = [await uploaded(services, current_user, collection, f"{n}.pdf", scans.pdf(f"Page {n}\nx")) for n in range(3)]
    await ready(services, current_user, collection, "handbook.md", HANDBOOK)
    async with asyncio.timeout(60):
        while (document := await found(services, current_user, slow[0])).progress != 0.5:
            await asyncio.sleep(0.02)
    assert "Recognizing" in document.warnings
    assert document.state is DocumentState.STORED
    assert halves == 1
    may_go_on.set()
    for document_id in slow:
        assert (await settled(services, current_user, document_id)).state is DocumentState.READY


async def test_a_scan_that_takes_its_process_with_it_is_not_tried_for_ever(
    services: Services, current_user: CurrentUser, collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dying(name, media_type, content, on_progress, known):
        await on_progress(0.5, None)
        raise MemoryError

    begun, never = asyncio.Event(), asyncio.Event()
    recognise = services.documents.ingestion._parser.recognise

    async def waiting(*given):
        begun.set()
        await never.wait()
        return await recognise(*given)

    monkeypatch.setattr(services.documents.ingestion._parser, "recognise", waiting)
    document_id = await uploaded(services, current_user, collection, "scan.pdf", scans.pdf(INVOICE))
    # From here on the worker's own job waits, and what follows are jobs of workers that die.
    async with asyncio.timeout(60):
        await begun.wait()
    assert "Recognizing" in (await found(services, current_user, document_id)).warnings
    monkeypatch.setattr(services.documents.ingestion._parser, "recognise", dying)
    for _ in range(TRIES + 1):
        with suppress(MemoryError):
            await services.documents.ingestion.run(current_user.user_id, document_id, queue=SCANS_QUEUE)
    document = await found(services, current_user, document_id)
    assert document.state is DocumentState.FAILED
    assert "process failed each time" in document.error


async def test_what_cannot_be_recognised_is_found_by_what_can_be_read_of_it(
    services: Services, current_user: CurrentUser, collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(*_given):
        raise DocumentUnreadable("It is too dark.")

    monkeypatch.setattr(services.documents.ingestion._parser, "recognise", failing)
    mixed = scans.mixed_pdf(samples.pdf(samples.report_page(1)), "Signed by hand")
    document = await ready(services, current_user, collection, "mixed.pdf", mixed)
    assert "1 of 2 pages are scans" in document.warnings
    scan = await uploaded(services, current_user, collection, "scan.pdf", scans.pdf(INVOICE))
    assert (await settled(services, current_user, scan)).error == "It is too dark."


async def test_without_a_recogniser_a_scan_fails_and_says_what_to_do(
    services: Services, current_user: CurrentUser, collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SandboxedParser, "can_recognise", False)
    scan = await uploaded(services, current_user, collection, "scan.pdf", scans.pdf(INVOICE))
    document = await settled(services, current_user, scan)
    assert document.state is DocumentState.FAILED
    assert "OCR" in document.error
    picture = await uploaded(services, current_user, collection, "door.png", scans.picture("Meeting room 12"))
    assert "a vision model" in (await settled(services, current_user, picture)).error

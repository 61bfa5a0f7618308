"""Turns of documents: what takes long gives way to what others bring, however many bring it at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
import pytest

from rxchat.db.platform import jobs
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.documents import DocumentState, ParsedDocument
from rxchat.domain.ids import new_id
from rxchat.jobs import worker
from rxchat.jobs.worker import _Backoff
from rxchat.services.app.container import Services
from rxchat.services.documents import ingestion, vector_index
from rxchat.services.documents.vector_index import SliceOver
from tests.factories import add_user
from tests.parsers import scans
from tests.services.grounded import EMBEDDER, body, found, settled, uploaded

pytestmark = pytest.mark.anyio

OFFERED = ["scripted:tokens=2", EMBEDDER]
# Longer than a small file's text. Cutting it into chunks holds Python's lock, which a busy machine feels: no longer than needed.
LONG = "\n\n".join(f"Paragraph {number} of a document that takes long. " + "word " * 60 for number in range(320))


@pytest.fixture
def slow_embedder(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every batch takes a while, and a turn is over after a few of them."""
    monkeypatch.setattr(vector_index, "SLICE_SECONDS", 0.3)
    model = services.documents.ingestion._vector_index._embedder
    embed = model.embed

    async def slowly(texts, by):
        await asyncio.sleep(0.2)
        return await embed(texts, by)

    monkeypatch.setattr(model, "embed", slowly)


@pytest.mark.usefixtures("slow_embedder")
async def test_a_small_file_is_ready_while_large_ones_of_several_others_are_not(
    services: Services, current_user: CurrentUser, owner_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More large ones than there are places, one of them attached to a message, which otherwise comes first."""
    monkeypatch.setattr(vector_index, "_BATCH", 4)
    large, other = [], current_user
    for number in range(3):
        other = add_user(owner_url, f"Other {number}")
        collection = await services.documents.collections.create(other, "Large")
        large.append((other, await uploaded(services, other, collection, "large.md", LONG)))
    attached = await services.documents.files.begin(other, name="attached.md", size_bytes=len(LONG), draft_key=new_id())
    received = await services.documents.files.receive(other, attached.document_id, 0, body(LONG.encode()))
    large.append((other, received.document_id))
    async with asyncio.timeout(180):
        while not all([(await services.documents.documents.get(owner, item)).chunks for owner, item in large[:2]]):
            await asyncio.sleep(0.05)
    mine = await services.documents.collections.create(current_user, "Mine")
    document = await settled(
        services, current_user, await uploaded(services, current_user, mine, "small.txt", "A small file.")
    )
    assert document.state is DocumentState.READY
    states = [(await found(services, owner, item)).state for owner, item in large]
    assert not any(state.is_final for state in states)
    progress = [(await found(services, owner, item)).progress for owner, item in large]
    assert all(0 <= value < 1 for value in progress)


async def test_a_small_file_is_ready_while_many_others_hold_all_places(
    services: Services, current_user: CurrentUser, owner_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading is not done in slices: however many users bring files that take minutes, a small one passes them."""
    is_let_go, begun = asyncio.Event(), []

    async def slowly(parse, name, *facts):
        if name.startswith("slow"):
            begun.append(name)
            await is_let_go.wait()
        return await parse(name, *facts)

    for parser in (services.documents.ingestion._parser, services.documents.ingestion._quick_parser):
        monkeypatch.setattr(parser, "parse", partial(slowly, parser.parse))
    monkeypatch.setattr(jobs, "SMALL_BYTES", 2_000)
    monkeypatch.setattr(worker, "_QUICK_SECONDS", 0.5)
    slow: list[tuple[CurrentUser, UUID]] = []
    for number in range(6):
        owner = add_user(owner_url, f"Other {number}")
        theirs = await services.documents.collections.create(owner, "Slow")
        for content in ("Small.", "Large. " * (jobs.SMALL_BYTES // 7 + 1)):
            slow.append((owner, await uploaded(services, owner, theirs, f"slow {len(content)}.txt", content)))
    async with asyncio.timeout(180):
        while len(begun) < 2 + 2:
            await asyncio.sleep(0.02)
    mine = await services.documents.collections.create(current_user, "Mine")
    document = await settled(
        services, current_user, await uploaded(services, current_user, mine, "small.txt", "A small file.")
    )
    assert document.state is DocumentState.READY
    assert not any([(await found(services, owner, item)).state.is_final for owner, item in slow])
    is_let_go.set()
    for owner, item in slow:
        assert (await settled(services, owner, item)).state is DocumentState.READY


@pytest.fixture
def queues(services: Services, monkeypatch: pytest.MonkeyPatch) -> list[tuple[UUID, str]]:
    """The turns that documents have had, and in which queue."""
    turns: list[tuple[UUID, str]] = []
    run = services.documents.ingestion.run

    async def told(owner_id: UUID, document_id: UUID, *, queue: str) -> None:
        turns.append((document_id, queue))
        await run(owner_id, document_id, queue=queue)

    monkeypatch.setattr(services.documents.ingestion, "run", told)
    return turns


async def test_how_small_a_file_is_shows_in_its_work_and_not_in_the_time_that_passes(
    services: Services, current_user: CurrentUser, monkeypatch: pytest.MonkeyPatch, queues: list[tuple[UUID, str]]
) -> None:
    """On a machine so busy that every turn is over at once, and with other owners waiting all the time."""

    async def always(*_: object, **__: object) -> bool:
        return True

    monkeypatch.setattr(jobs, "other_owners_wait", always)
    monkeypatch.setattr(vector_index, "SLICE_SECONDS", 0.0)
    monkeypatch.setattr(vector_index, "SMALL_BATCHES", 1)
    mine = await services.documents.collections.create(current_user, "Mine")
    small = await uploaded(services, current_user, mine, "small.txt", "A small file.")
    long = await uploaded(services, current_user, mine, "long.md", LONG[:60_000])
    for document in (small, long):
        assert (await settled(services, current_user, document)).state is DocumentState.READY
    assert [queue for document, queue in queues if document == small] == [jobs.QUICK_QUEUE]
    turns = [queue for document, queue in queues if document == long]
    assert (turns[0], set(turns[1:])) == (jobs.QUICK_QUEUE, {jobs.DOCUMENTS_QUEUE})


@pytest.mark.parametrize("name", ["a.txt", "a.eml"])
async def test_a_small_file_that_takes_much_processor_time_is_read_among_the_large_ones(
    services: Services,
    current_user: CurrentUser,
    monkeypatch: pytest.MonkeyPatch,
    queues: list[tuple[UUID, str]],
    name: str,
) -> None:
    """Not refused, and with its attachments."""
    mail = "From: a@example.org\nSubject: A mail\nContent-Type: text/plain\n\nHello."
    monkeypatch.setattr(services.documents.ingestion._quick_parser, "_cpu_seconds", 0)
    if name == "a.eml":
        # Read in time, and then its attachments not.
        monkeypatch.setattr(
            services.documents.ingestion._quick_parser, "parse", services.documents.ingestion._parser.parse
        )
    mine = await services.documents.collections.create(current_user, "Mine")
    document = await settled(services, current_user, await uploaded(services, current_user, mine, name, mail))
    assert (document.state, document.warnings) == (DocumentState.READY, "")
    assert [queue for _, queue in queues] == [jobs.QUICK_QUEUE, jobs.DOCUMENTS_QUEUE]


@pytest.mark.parametrize(
    ("most", "others_wait", "gives_way"), [(100, False, True), (1_000, False, False), (1_000, True, True)]
)
async def test_a_small_file_of_much_text_is_no_small_document(
    services: Services, current_user: CurrentUser, monkeypatch: pytest.MonkeyPatch, queues: list[tuple[UUID, str]],
    most: int, others_wait: bool, gives_way: bool,
) -> None:  # fmt: skip
    """As a few kilobytes of a Word document that are millions of letters; and one of a megabyte while others wait."""
    parse = services.documents.ingestion._quick_parser.parse

    async def waiting(*_: object, **__: object) -> bool:
        return others_wait

    monkeypatch.setattr(jobs, "other_owners_wait", waiting)
    monkeypatch.setattr(ingestion, "SMALL_CHARACTERS", 100)

    async def inflated(*facts: Any) -> ParsedDocument:
        parsed = await parse(*facts)
        return replace(parsed, text="word " * 30)

    monkeypatch.setattr(services.documents.ingestion._quick_parser, "parse", inflated)
    monkeypatch.setattr(jobs, "SMALL_BYTES", most)
    mine = await services.documents.collections.create(current_user, "Mine")
    document = await settled(
        services, current_user, await uploaded(services, current_user, mine, "a.txt", "A small file.")
    )
    assert document.state is DocumentState.READY
    assert [queue for _, queue in queues] == [jobs.QUICK_QUEUE, *([jobs.DOCUMENTS_QUEUE] if gives_way else [])]


async def test_an_owners_own_files_end_no_turn_and_those_of_others_do(
    services: Services, current_user: CurrentUser, owner_url: str
) -> None:
    other = add_user(owner_url)
    async with services.documents.ingestion._database.begin(current_user.user_id) as session:
        await jobs.enqueue_ingestion(session, current_user.user_id, new_id(), queue="nobody works here")
        waits = [
            await jobs.other_owners_wait(session, owner.user_id, queue="nobody works here")
            for owner in (current_user, other)
        ]
        await session.rollback()
    assert waits == [False, True]


@pytest.mark.usefixtures("slow_embedder")
async def test_a_document_that_takes_many_turns_comes_to_its_end(
    services: Services, current_user: CurrentUser, owner_url: str
) -> None:
    mine = await services.documents.collections.create(current_user, "Mine")
    document = await uploaded(services, current_user, mine, "long.md", LONG[:60_000])
    done = await settled(services, current_user, document)
    assert (done.state, done.error, done.chunks > 20) == (DocumentState.READY, "", True)


@pytest.mark.slow
async def test_a_scan_of_one_page_waits_for_a_page_of_others_and_not_for_all_of_theirs(
    services: Services, current_user: CurrentUser, owner_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each in its turn, and from the page on that it had come to."""
    monkeypatch.setattr(ingestion, "SLICE_SECONDS", 0.0)
    looked_at: list[int] = []
    recognise = services.documents.ingestion._parser.recognise

    async def counted(name, media_type, content, on_progress, known):
        async def tell(share, page):
            looked_at.append(page.number)
            await on_progress(share, page)

        return await recognise(name, media_type, content, tell, known)

    monkeypatch.setattr(services.documents.ingestion._parser, "recognise", counted)
    other = add_user(owner_url, "Other")
    theirs, mine = (
        await services.documents.collections.create(other, "Theirs"),
        await services.documents.collections.create(current_user, "Mine"),
    )
    pages = [f"Page {number}\nof a long scan" for number in range(6)]
    long = await uploaded(services, other, theirs, "long.pdf", scans.pdf(*pages))
    async with asyncio.timeout(180):
        while not looked_at:
            await asyncio.sleep(0.05)
    short = await settled(
        services,
        current_user,
        await uploaded(services, current_user, mine, "short.pdf", scans.pdf("Short scan\nof one page")),
    )
    assert short.state is DocumentState.READY
    assert not (await found(services, other, long)).state.is_final
    done = await settled(services, other, long, seconds=60)
    assert (done.state, done.warnings) == (DocumentState.READY, "The text of 6 pages was recognized (OCR).")
    # Seven pages, each looked at once: a turn that ends loses nothing.
    assert sorted(looked_at) == [0, 0, 1, 2, 3, 4, 5]
    with psycopg.connect(owner_url) as connection:
        assert connection.execute("SELECT count(*) FROM recognized_page").fetchone() == (0,)


@pytest.mark.parametrize(
    ("before", "after"),
    [(2_000, -1), (0, -1), (-1, -2), (-999, -1_000), (-1_000, -1_000), (-2_001, -2_001)],
)
def test_each_turn_puts_a_document_behind_what_waits_for_its_first(before: int, after: int) -> None:
    from procrastinate.jobs import Job

    job = Job(
        id=1, status="doing", queue="documents", lock=None, queueing_lock=None, task_name="ingest", priority=before
    )
    decision = _Backoff().get_retry_decision(exception=SliceOver(), job=job)
    assert decision is not None and decision.priority == after

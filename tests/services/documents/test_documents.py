"""Documents on their way: read, cut, embedded, found by those who may, and gone when they are deleted."""

from __future__ import annotations

import asyncio
import base64

import psycopg
import pytest

from rxchat.adapters.parsing import SandboxedParser
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.documents import DocumentState
from rxchat.domain.errors import Conflict, DocumentUnreadable, EmbedderError, NotFound
from rxchat.domain.ids import new_id
from rxchat.domain.retrieval import SearchMode, SearchScope
from rxchat.services.app.container import Services
from tests.factories import add_user
from tests.peers.scripted_ollama import ScriptedOllama
from tests.services.grounded import EMBEDDER, HANDBOOK, body, found, offer, ready, settled, uploaded

pytestmark = pytest.mark.anyio

OFFERED = ["scripted:tokens=2", EMBEDDER]


async def names(
    services: Services, current_user: CurrentUser, scope: SearchScope, question: str = "coffee machine"
) -> list[str]:
    return [item.name for item in (await services.retrieval.search.search(current_user, question, scope)).passages]


def count(owner_url: str, table: str) -> int:
    with psycopg.connect(owner_url) as connection:
        row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # pyright: ignore[reportCallIssue, reportArgumentType]
    assert row
    return row[0]


async def test_a_document_is_read_and_found_in_every_way(
    services: Services, current_user: CurrentUser, collection
) -> None:
    document = await ready(services, current_user, collection, "handbook.md", HANDBOOK)
    assert (document.chunks, document.characters) == (3, len(HANDBOOK.strip()))
    text = (await services.documents.documents.preview(current_user, document.id)).text
    for way in SearchMode:
        answer = await services.retrieval.search.search(
            current_user, "who cleans the coffee machine?", SearchScope((collection,)), way=way
        )
        assert not answer.notice
        best = answer.passages[0]
        assert best.heading == "Handbook › Coffee"
        assert text[best.start : best.end] == best.text


async def test_a_document_is_found_only_when_it_is_whole(
    services: Services, current_user: CurrentUser, collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    embed, may_go_on = services.documents.ingestion._vector_index._embedder.embed, asyncio.Event()

    async def slowly(texts, by):
        if len(texts) > 1:
            await may_go_on.wait()
        return await embed(texts, by)

    monkeypatch.setattr(services.documents.ingestion._vector_index._embedder, "embed", slowly)
    document_id = await uploaded(services, current_user, collection, "handbook.md", HANDBOOK)
    async with asyncio.timeout(60):
        while (await found(services, current_user, document_id)).state is not DocumentState.CHUNKED:
            await asyncio.sleep(0.02)
    assert await names(services, current_user, SearchScope((collection,))) == []
    may_go_on.set()
    assert (await settled(services, current_user, document_id)).state is DocumentState.READY
    assert "handbook.md" in await names(services, current_user, SearchScope((collection,)))


async def test_what_cannot_be_read_fails_with_a_reason_and_all_others_go_on(
    services: Services, current_user: CurrentUser, collection
) -> None:
    broken = await uploaded(services, current_user, collection, "broken.pdf", b"%PDF-1.7\n" + b"nothing of a PDF" * 50)
    fine = await ready(services, current_user, collection, "fine.md", HANDBOOK)
    document = await settled(services, current_user, broken)
    assert document.state is DocumentState.FAILED
    assert document.error.endswith(".")
    assert fine.state is DocumentState.READY
    await services.documents.documents.reingest(current_user, broken)
    assert (await settled(services, current_user, broken)).error == document.error


async def test_with_the_embedder_away_a_document_waits_says_so_and_goes_on(
    services: Services, current_user: CurrentUser, collection, ollama: ScriptedOllama
) -> None:
    await ready(services, current_user, collection, "first.md", HANDBOOK)
    await ollama.stop()
    document_id = await uploaded(services, current_user, collection, "second.md", HANDBOOK + "\nAnd more.\n")
    async with asyncio.timeout(60):
        while not (document := await found(services, current_user, document_id)).status_text:
            await asyncio.sleep(0.02)
    assert "does not respond. Next try in" in document.status_text
    assert not document.state.is_final
    answer = await services.retrieval.search.search(current_user, "coffee machine", SearchScope((collection,)))
    assert answer.passages[0].name == "first.md"
    assert "The search used words only" in answer.notice
    await ollama.start()
    document = await settled(services, current_user, document_id)
    assert (document.state, document.status_text) == (DocumentState.READY, "")


async def test_what_fails_in_a_way_that_passes_goes_on_from_its_last_step(
    services: Services, current_user: CurrentUser, collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    parse, calls, embed = (
        services.documents.ingestion._quick_parser.parse,
        [],
        services.documents.ingestion._vector_index._embedder.embed,
    )
    failures = [EmbedderError("It is tired."), EmbedderError("It is tired.")]

    async def counting(*given):
        calls.append(given[0])
        return await parse(*given)

    async def failing(texts, by):
        if failures:
            raise failures.pop()
        return await embed(texts, by)

    monkeypatch.setattr(services.documents.ingestion._quick_parser, "parse", counting)
    await services.documents.ingestion._vector_index.wanted_index()
    monkeypatch.setattr(services.documents.ingestion._vector_index._embedder, "embed", failing)
    await ready(services, current_user, collection, "handbook.md", HANDBOOK)
    assert calls == ["handbook.md"]
    assert failures == []


async def test_what_fails_when_it_is_read_again_is_found_as_before_and_keeps_no_new_embedder_waiting(
    services: Services, current_user: CurrentUser, collection, ollama: ScriptedOllama, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = await ready(services, current_user, collection, "handbook.md", HANDBOOK)

    async def failing(*_given):
        raise DocumentUnreadable("It cannot be read today.")

    monkeypatch.setattr(services.documents.ingestion._quick_parser, "parse", failing)
    await services.documents.documents.reingest(current_user, document.id)
    again = await settled(services, current_user, document.id)
    assert (again.state, again.published_generation) == (DocumentState.FAILED, 1)
    assert "handbook.md" in await names(services, current_user, SearchScope((collection,)))
    offer(services, ollama, "scripted-embed:tokens=128,dimensions=32")
    async with asyncio.timeout(60):
        while not (await services.documents.ingestion._vector_index.wanted_index()).is_active:
            await services.documents.ingestion.look_after()
            await asyncio.sleep(0.05)
    answer = await services.retrieval.search.search(
        current_user, "coffee machine", SearchScope((collection,)), way=SearchMode.VECTOR
    )
    assert answer.passages[0].name == "handbook.md"


async def test_a_job_that_was_overtaken_writes_nothing_more(
    services: Services, current_user: CurrentUser, collection
) -> None:
    document = await ready(services, current_user, collection, "handbook.md", HANDBOOK)
    ingestion = services.documents.ingestion
    async with ingestion._database.begin(current_user.user_id) as session:
        from rxchat.db.documents import ingestion as rows

        older = await rows.claim(session, current_user.user_id, document.id)
        newer = await rows.claim(session, current_user.user_id, document.id)
        assert older
        assert newer
        index = await ingestion._vector_index.wanted_index()
        assert not await rows.publish(session, older, index.id)
        assert await rows.publish(session, newer, index.id)


async def test_a_document_that_no_job_will_finish_gets_a_new_one(
    services: Services, current_user: CurrentUser, collection, owner_url: str
) -> None:
    document = await ready(services, current_user, collection, "handbook.md", HANDBOOK)
    with psycopg.connect(owner_url) as connection:
        connection.execute(
            "UPDATE document SET state = 'stored', published_generation = NULL, updated_at = now() - interval '1 minute'"
        )
    await services.documents.ingestion.look_after()
    assert (await settled(services, current_user, document.id)).state is DocumentState.READY


async def test_a_document_that_is_read_again_is_found_all_the_time(
    services: Services, current_user: CurrentUser, collection, owner_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = await ready(services, current_user, collection, "handbook.md", HANDBOOK)
    embed, is_embedding, may_go_on = services.documents.ingestion._vector_index.embed, asyncio.Event(), asyncio.Event()

    async def slowly(*given):
        is_embedding.set()
        await may_go_on.wait()
        return await embed(*given)

    monkeypatch.setattr(services.documents.ingestion._vector_index, "embed", slowly)
    await services.documents.documents.reingest(current_user, document.id)
    await is_embedding.wait()
    assert not (await found(services, current_user, document.id)).state.is_final
    assert count(owner_url, "chunk") == 6
    assert await names(services, current_user, SearchScope((collection,))) == ["handbook.md"] * 3
    may_go_on.set()
    again = await settled(services, current_user, document.id)
    assert (again.generation, again.published_generation) == (2, 2)
    assert count(owner_url, "chunk") == count(owner_url, "chunk_vector") == 3


async def test_what_is_deleted_for_good_leaves_nothing(
    services: Services, current_user: CurrentUser, collection, owner_url: str, settings
) -> None:
    document = await ready(services, current_user, collection, "handbook.md", HANDBOOK)
    objects = list((settings.data / "files").glob("??/*"))
    assert len(objects) == 1
    assert b"coffee" not in objects[0].read_bytes()
    await services.documents.files.remove(current_user, [document.id])
    await services.documents.trash.delete_for_good(current_user, document.id)
    for table in ("document", "document_text", "chunk", "chunk_vector", "stored_file", "file_part"):
        assert count(owner_url, table) == 0, table
    assert not objects[0].exists()
    assert await names(services, current_user, SearchScope((collection,))) == []
    with pytest.raises(NotFound):
        await services.documents.documents.preview(current_user, document.id)


async def test_a_chunk_that_the_embedder_finds_too_long_is_embedded_in_parts(
    services: Services, current_user: CurrentUser, collection, ollama: ScriptedOllama
) -> None:
    # It takes 16 tokens and says so; the estimate is for words, and these are all short ones.
    offer(services, ollama, "scripted-embed:tokens=16")
    text = " ".join(f"{chr(97 + number % 26)} {number}" for number in range(400))
    document = await ready(services, current_user, collection, "short.txt", text)
    assert document.chunks > 10


async def test_reading_again_waits_for_what_is_under_way(
    services: Services, current_user: CurrentUser, collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    never = asyncio.Event()

    async def waiting(*_given):
        await never.wait()

    monkeypatch.setattr(services.documents.ingestion._quick_parser, "parse", waiting)
    document_id = await uploaded(services, current_user, collection, "handbook.md", HANDBOOK)
    with pytest.raises(Conflict):
        await services.documents.documents.reingest(current_user, document_id)


PNG = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + b"\0" * 200


async def test_a_picture_is_what_a_model_that_sees_says_of_it(
    services: Services, current_user: CurrentUser, collection, ollama: ScriptedOllama
) -> None:
    ollama.offered = ["scripted:tokens=1,see=1,text=A lighthouse at dusk. Text: KEEP OUT", EMBEDDER]
    document = await ready(services, current_user, collection, "photo.png", PNG)
    assert document.status_text == ""
    found = await services.retrieval.search.search(current_user, "lighthouse", SearchScope((collection,)))
    assert found.passages[0].text.endswith("KEEP OUT")
    assert base64.b64decode(ollama.asked[-1]["messages"][0]["images"][0]) == PNG


async def test_a_picture_is_shown_to_no_model_that_its_owner_may_not_use(
    services: Services, owner_url: str, ollama: ScriptedOllama, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SandboxedParser, "can_recognise", False)
    ollama.offered = ["scripted:tokens=1,see=1,text=A lighthouse at dusk.", EMBEDDER]
    guest = add_user(owner_url, role="guest")
    upload = await services.documents.files.begin(guest, name="photo.png", size_bytes=len(PNG), draft_key=new_id())
    await services.documents.files.receive(guest, upload.document_id, 0, body(PNG))
    document = await settled(services, guest, upload.document_id)
    assert document.state is DocumentState.FAILED
    assert "you have access to none" in document.error
    assert not [asked for asked in ollama.asked if asked["messages"][0].get("images")]

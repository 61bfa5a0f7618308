"""Vectors: which index they belong to, what happens while another model's is made, and what no model takes."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from rxchat.db.documents import search_index as index_rows
from rxchat.db.platform import jobs
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.documents import DocumentState
from rxchat.domain.errors import EmbedderError
from rxchat.domain.retrieval import EmbeddingIndex, SearchMode, SearchScope
from rxchat.services.app.container import Services
from rxchat.services.documents.ingestion import TRIES
from tests.peers.scripted_ollama import ScriptedOllama
from tests.services.grounded import EMBEDDER, HANDBOOK, found, offer, ready, uploaded

pytestmark = pytest.mark.anyio

OFFERED = ["scripted:tokens=2", EMBEDDER]

OTHER = "scripted-embed:tokens=128,dimensions=48"
COFFEE = "who cleans the coffee machine?"


async def indexes(services: Services) -> list[EmbeddingIndex]:
    async with services.documents.ingestion._database.begin(None) as session:
        return await index_rows.indexes(session)


async def looked_after_until(services: Services, is_done) -> None:
    async with asyncio.timeout(60):
        while not is_done(await indexes(services)):
            await services.documents.ingestion.look_after()
            await asyncio.sleep(0.05)


def vectors(owner_url: str) -> dict[int, int]:
    with psycopg.connect(owner_url) as connection:
        return dict(connection.execute("SELECT index_id, count(*) FROM chunk_vector GROUP BY 1").fetchall())


async def nearest(services: Services, current_user: CurrentUser, collection, question: str = COFFEE) -> str:
    answer = await services.retrieval.search.search(
        current_user, question, SearchScope((collection,)), way=SearchMode.VECTOR
    )
    assert answer.notice == ""
    return answer.passages[0].name if answer.passages else ""


async def test_another_embedder_is_in_force_when_its_index_is_complete(
    services: Services, current_user: CurrentUser, collection, ollama: ScriptedOllama, owner_url: str
) -> None:
    await ready(services, current_user, collection, "handbook.md", HANDBOOK)
    offer(services, ollama, OTHER)
    answer = await services.retrieval.search.search(current_user, "coffee machine", SearchScope((collection,)))
    assert answer.passages[0].name == "handbook.md"
    async with asyncio.timeout(60):
        while True:
            await services.documents.ingestion.look_after()
            async with services.documents.ingestion._database.begin(current_user.user_id) as session:
                indexes = await index_rows.indexes(session)
            if [(item.dimensions, item.is_active) for item in indexes] == [(48, True)]:
                break
            await asyncio.sleep(0.1)
    assert list(vectors(owner_url).values()) == [3]
    answer = await services.retrieval.search.search(
        current_user, "coffee machine", SearchScope((collection,)), way=SearchMode.VECTOR
    )
    assert (answer.passages[0].heading, answer.notice) == ("Handbook › Coffee", "")


async def test_while_another_index_is_made_all_is_found_and_going_back_loses_nothing(
    services: Services,
    current_user: CurrentUser,
    collection,
    ollama: ScriptedOllama,
    owner_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = await ready(services, current_user, collection, "first.md", "# Tea\n\nTea is served at four.")
    [before] = await indexes(services)

    async def nothing() -> list:
        return []

    # The new index never gets its turn: what is found already stays as it is.
    monkeypatch.setattr(services.documents.ingestion._vector_index, "documents_missing_vectors", nothing)
    offer(services, ollama, EMBEDDER, OTHER, wanted=OTHER)
    second = await ready(services, current_user, collection, "second.md", HANDBOOK)
    assert [item.is_active for item in await indexes(services)].count(True) == 1
    assert len(await indexes(services)) == 2
    assert await nearest(services, current_user, collection) == "second.md"
    assert await nearest(services, current_user, collection, "when is tea served") == "first.md"

    # Without the model that is in force a third one is found by its words only; until that model is wanted again.
    offer(services, ollama, OTHER, wanted=OTHER)
    await ready(services, current_user, collection, "third.md", "# Cups\n\nCups are washed by machine.")
    monkeypatch.undo()
    offer(services, ollama, EMBEDDER, wanted=EMBEDDER)
    await looked_after_until(services, lambda known: known == [before])
    async with asyncio.timeout(60):
        while await nearest(services, current_user, collection, "washed cups") != "third.md":
            await services.documents.ingestion.look_after()
            await asyncio.sleep(0.05)
    async with asyncio.timeout(60):
        while vectors(owner_url).keys() != {before.id}:
            await services.documents.ingestion.look_after()
    for document in (first, second):
        assert (await found(services, current_user, document.id)).state is DocumentState.READY


async def test_a_model_that_is_wanted_again_before_all_of_it_is_gone_lacks_nothing(
    services: Services,
    current_user: CurrentUser,
    collection,
    ollama: ScriptedOllama,
    owner_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def nothing() -> list:
        return []

    await ready(services, current_user, collection, "first.md", "# Tea\n\nTea is served at four.")
    [before] = await indexes(services)
    monkeypatch.setattr(services.documents.ingestion._vector_index, "documents_missing_vectors", nothing)
    offer(services, ollama, EMBEDDER, OTHER, wanted=OTHER)
    document = await ready(services, current_user, collection, "second.md", HANDBOOK)
    async with services.documents.ingestion._database.begin(None) as session:
        assert await index_rows.retire_others(session, before.id)
        assert await index_rows.purge_retired_vectors(session, 1)
    assert vectors(owner_url)[before.id] == 4
    monkeypatch.undo()
    offer(services, ollama, EMBEDDER, OTHER, wanted=OTHER)
    await looked_after_until(services, lambda known: [item.model for item in known if item.is_active] == [OTHER])
    [other] = [item for item in await indexes(services) if item.is_active]
    assert vectors(owner_url)[other.id] == document.chunks + 1 == 4
    assert await nearest(services, current_user, collection) == "second.md"


async def test_a_model_that_refuses_to_embed_anew_fails_no_document_that_is_found(
    services: Services, current_user: CurrentUser, collection, ollama: ScriptedOllama, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = await ready(services, current_user, collection, "handbook.md", HANDBOOK)
    embedder, calls = services.documents.ingestion._vector_index._embedder, 0
    embed = embedder.embed

    async def failing(texts, by):
        nonlocal calls
        if by.model == OTHER:
            calls += 1
            raise EmbedderError("Too many requests.")
        return await embed(texts, by)

    offer(services, ollama, EMBEDDER, OTHER, wanted=OTHER)
    monkeypatch.setattr(embedder, "embed", failing)
    await looked_after_until(services, lambda _: calls == 1)
    for _ in range(3):
        await services.documents.ingestion.look_after()
    await asyncio.sleep(0.5)
    # Found before it was postponed, queued afterwards.
    async with services.documents.ingestion._database.begin(current_user.user_id) as session:
        assert not await jobs.enqueue_ingestion_once(session, current_user.user_id, document.id)
    assert calls == 1
    for _ in range(TRIES + 2):
        with pytest.raises(EmbedderError):
            await services.documents.ingestion.run(current_user.user_id, document.id)
        assert (
            await services.documents.ingestion.postpone(current_user.user_id, document.id, "Too many requests.") is None
        )
    again = await found(services, current_user, document.id)
    assert (again.state, again.error) == (DocumentState.READY, "")
    assert await nearest(services, current_user, collection) == "handbook.md"


async def test_a_passage_that_no_model_takes_is_found_by_its_words(
    services: Services, current_user: CurrentUser, collection, ollama: ScriptedOllama
) -> None:
    offer(services, ollama, f"{EMBEDDER},refuse=Fridays")
    await ready(services, current_user, collection, "handbook.md", HANDBOOK)
    answer = await services.retrieval.search.search(current_user, "Who is it on a friday?", SearchScope((collection,)))
    assert "Fridays" in answer.passages[0].text
    answer = await services.retrieval.search.search(
        current_user, "days of holidays", SearchScope((collection,)), way=SearchMode.VECTOR
    )
    assert answer.passages[0].heading == "Handbook › Holidays"


async def test_of_a_long_passage_only_what_is_refused_is_left_out(
    services: Services, current_user: CurrentUser, collection, ollama: ScriptedOllama
) -> None:
    offer(services, ollama, f"{EMBEDDER},refuse=poison")
    tea = "Tea is served at four in the garden. " * 10
    await ready(services, current_user, collection, "a.md", f"# One\n\n{tea} And poison.\n\n# Two\n\nCoffee is not.")
    answer = await services.retrieval.search.search(
        current_user, "tea in the garden", SearchScope((collection,)), way=SearchMode.VECTOR
    )
    assert answer.passages[0].heading == "One"
    distance = answer.passages[0].distance
    assert distance is not None
    assert distance < 0.5


async def test_a_model_that_takes_nothing_is_waited_for(
    services: Services, current_user: CurrentUser, collection, monkeypatch: pytest.MonkeyPatch, ollama: ScriptedOllama
) -> None:
    await services.documents.ingestion._vector_index.wanted_index()
    offer(services, ollama, EMBEDDER)
    ollama.offered[1] += ",refuse=a"
    document_id = await uploaded(services, current_user, collection, "handbook.md", HANDBOOK)
    async with asyncio.timeout(60):
        while not (document := await found(services, current_user, document_id)).status_text:
            await asyncio.sleep(0.02)
    assert "Next try in" in document.status_text


async def test_a_long_question_is_looked_for_by_its_meaning(
    services: Services, current_user: CurrentUser, collection
) -> None:
    await ready(services, current_user, collection, "handbook.md", HANDBOOK)
    question = "Well, you see, " * 100 + COFFEE * 20
    answer = await services.retrieval.search.search(
        current_user, question, SearchScope((collection,)), way=SearchMode.VECTOR
    )
    assert answer.notice == ""
    assert answer.passages[0].heading == "Handbook › Coffee"


async def test_a_models_own_prefixes_are_sent_and_are_part_of_the_index(
    services: Services, current_user: CurrentUser, collection, ollama: ScriptedOllama
) -> None:
    nomic = "scripted-embed:tokens=256,like=nomic-embed-text"
    offer(services, ollama, nomic, wanted=nomic)
    await ready(services, current_user, collection, "handbook.md", HANDBOOK)
    [index] = await indexes(services)
    assert (index.query_prefix, index.document_prefix) == ("search_query: ", "search_document: ")
    passages = [text for text in ollama.embedded_texts if "Fridays" in text]
    assert passages
    assert all(text.startswith("search_document: handbook") for text in passages)
    assert await nearest(services, current_user, collection) == "handbook.md"
    assert f"search_query: {COFFEE}" in ollama.embedded_texts


async def test_another_prefix_makes_another_index_and_the_old_one_serves_until_it_is_complete(
    services: Services, current_user: CurrentUser, collection, ollama: ScriptedOllama
) -> None:
    await ready(services, current_user, collection, "handbook.md", HANDBOOK)
    [before] = await indexes(services)
    offer(services, ollama, EMBEDDER, wanted=EMBEDDER)
    services.documents.ingestion._vector_index._embedder._prefix_settings = "q: ", "p: "  # pyright: ignore[reportAttributeAccessIssue]
    assert await nearest(services, current_user, collection) == "handbook.md"
    assert COFFEE in ollama.embedded_texts
    await looked_after_until(services, lambda known: [item.query_prefix for item in known] == ["q: "])
    [after] = await indexes(services)
    assert (after.model, after.document_prefix, after.id != before.id) == (EMBEDDER, "p: ", True)
    assert await nearest(services, current_user, collection) == "handbook.md"
    assert f"q: {COFFEE}" in ollama.embedded_texts


@pytest.mark.parametrize("dimensions", [4096, 4001])
async def test_an_embedder_that_no_index_can_hold_leaves_the_old_index_in_use(
    services: Services, current_user: CurrentUser, collection, ollama: ScriptedOllama, dimensions: int
) -> None:
    await ready(services, current_user, collection, "handbook.md", HANDBOOK)
    [before] = await indexes(services)
    wide = f"scripted-embed:dimensions={dimensions}"
    offer(services, ollama, EMBEDDER, wide, wanted=wide)
    await ready(services, current_user, collection, "tea.md", "# Tea\n\nTea is served at four in the garden.")
    await services.documents.ingestion.look_after()
    assert await indexes(services) == [before]
    assert await nearest(services, current_user, collection, "tea in the garden") == "tea.md"
    said = await services.retrieval.search.embedder(current_user)
    assert said.startswith(f"Embedding model: {EMBEDDER}.")
    assert said.endswith("is not in use yet.")


async def test_the_first_embedder_that_no_index_can_hold_is_refused_in_a_sentence_that_names_the_limit(
    services: Services, current_user: CurrentUser, collection, ollama: ScriptedOllama
) -> None:
    wide = "scripted-embed:dimensions=4096"
    offer(services, ollama, wide, wanted=wide)
    document_id = await uploaded(services, current_user, collection, "handbook.md", HANDBOOK)
    async with asyncio.timeout(60):
        while not (document := await found(services, current_user, document_id)).status_text:
            await asyncio.sleep(0.02)
    assert "4,096" in document.status_text
    assert "4,000" in document.status_text


@pytest.mark.parametrize("dimensions", [1, 3072, 4000])
async def test_an_embedder_of_any_width_that_fits_makes_an_index(
    services: Services, current_user: CurrentUser, collection, ollama: ScriptedOllama, dimensions: int
) -> None:
    fitting = f"scripted-embed:dimensions={dimensions}"
    offer(services, ollama, fitting, wanted=fitting)
    await ready(services, current_user, collection, "handbook.md", HANDBOOK)
    assert [(index.dimensions, index.is_active) for index in await indexes(services)] == [(dimensions, True)]
    assert await nearest(services, current_user, collection) == "handbook.md"

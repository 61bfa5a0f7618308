"""Words' search end to end: what is uploaded is found by its words, however its index is read."""

from __future__ import annotations

from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text

from rxchat.connections import Connections
from rxchat.db.documents import search_index
from rxchat.db.retrieval import search as rows
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.lexemes import VERSION
from rxchat.domain.retrieval import SearchMode, SearchScope
from rxchat.services.app.container import Services
from tests.services.grounded import EMBEDDER, ready

pytestmark = pytest.mark.anyio

OFFERED = ["scripted:tokens=2", EMBEDDER]

PARTS = "\n\n".join(
    f"Article DS-{7000 + number}NR-K{number % 9}/{number}P is a recorder for {number} cameras, price {100 + number} euros."
    for number in range(300)
)
SENTENCES = {
    "DS-7123": "Article DS-7123NR-K6/123P",
    "Who runs IT?": "IT is run by Halvorsen",
    "Wofür ist Frau Mueller zustaendig?": "Frau Müller ist für die Straßenreinigung zuständig",
    "Wann ist die Reinigung?": "Die Straßenreinigung kommt am Montag und am Freitag",
    "which TLS 1.3 ciphers": "TLSv1.3 is required of every client",
    "What is written in C++?": "The parser is written in C++",
    "AT&T": "The line is rented from AT&T",
    "请病假多少天要开医院证明": "病假超过三天的，须提交医院证明",
    "退職届はいつまでに出しますか": "退職届は一か月前までに提出すること",
}


async def by_words(services: Services, current_user: CurrentUser, collection: UUID, question: str) -> list[str]:
    """Return the texts of the passages that words alone find."""
    found = await services.retrieval.search.search(
        current_user, question, SearchScope((collection,)), way=SearchMode.TEXT
    )
    return [passage.text for passage in found.passages]


@pytest.mark.parametrize("read_through", [0, 2_500])
async def test_words_of_every_kind_are_found_in_small_and_in_large_scopes(
    services: Services, current_user: CurrentUser, collection: UUID, monkeypatch: pytest.MonkeyPatch, read_through: int
) -> None:
    monkeypatch.setattr(rows, "_WORDS_READ_THROUGH", read_through)
    sections = [f"# {number}\n\n{said}." for number, said in enumerate(SENTENCES.values())]
    await ready(services, current_user, collection, "all.md", "\n\n".join([*sections, "# Parts", PARTS]))
    for question, said in SENTENCES.items():
        texts = await by_words(services, current_user, collection, question)
        assert any(said in text for text in texts[:2]), (question, [text[:80] for text in texts])


@pytest.mark.parametrize("read_through", [0, 2_500])
async def test_parts_in_the_middle_of_compounds_and_words_with_articles_are_found(
    services: Services, current_user: CurrentUser, collection: UUID, monkeypatch: pytest.MonkeyPatch, read_through: int
) -> None:
    monkeypatch.setattr(rows, "_WORDS_READ_THROUGH", read_through)
    said = {
        "fees.txt": "Straßenreinigungsgebühren steigen",
        "rules.txt": "Verwaltungsvorschrift über Umzüge",
        "leave.txt": "الإجازة السنوية ثلاثون يوماً",
        "english.txt": "The administration reports on the transformation of its information.",
    }
    for name, sentence in said.items():
        await ready(services, current_user, collection, name, sentence)
    for question, name in (
        ("Reinigung", "fees.txt"),
        ("Gebühr", "fees.txt"),
        ("Vorschrift", "rules.txt"),
        ("إجازة", "leave.txt"),
        ("والإجازة", "leave.txt"),
    ):
        assert await by_words(services, current_user, collection, question) == [said[name]], question
    assert await by_words(services, current_user, collection, "ration format") == []


async def test_the_code_that_is_asked_for_comes_first_among_hundreds(
    services: Services, current_user: CurrentUser, collection: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    sections = "\n\n".join(f"# {number}\n\n{line}" for number, line in enumerate(PARTS.split("\n\n")))
    await ready(services, current_user, collection, "parts.md", sections)
    for read_through in (2_500, 0):
        monkeypatch.setattr(rows, "_WORDS_READ_THROUGH", read_through)
        found = await services.retrieval.search.search(
            current_user, "What does DS-7123NR cost?", SearchScope((collection,))
        )
        assert "DS-7123NR-K6/123P" in found.passages[0].text


@pytest.mark.parametrize("way", SearchMode)
async def test_copies_of_a_passage_leave_room_for_the_one_that_differs(
    services: Services, current_user: CurrentUser, collection: UUID, way: SearchMode
) -> None:
    copies = 600 * ["# Pumps\n\nWhich pump is broken is written on the board. The pump log says which pump."]
    near = 20 * ["# Pumps\n\nWhich  pump is broken, is written on the Board; the pump log says which pump!"]
    differs = "# Pumps\n\nThe pump in the cellar is broken and waits for a seal."
    await ready(services, current_user, collection, "pumps.md", "\n\n".join([*copies, *near, differs]))
    found = await services.retrieval.search.search(
        current_user, "Which pump is broken?", SearchScope((collection,)), way=way
    )
    texts = [passage.text for passage in found.passages]
    assert found.notice == ""
    assert any("cellar" in text for text in texts)
    assert len(texts) <= 3


async def test_what_is_read_through_is_read_whole_however_cheap_the_index_looks(
    services: Services, current_user: CurrentUser, collection: UUID
) -> None:
    copies = 600 * ["# Pumps\n\nWhich pump is broken is written on the board. The pump log says which pump."]
    differs = "# Pumps\n\nThe pump in the cellar is broken and waits for a seal."
    await ready(services, current_user, collection, "pumps.md", "\n\n".join([*copies, differs]))
    async with services.documents.ingestion._database.begin(current_user.user_id) as session:
        [index] = await search_index.indexes(session)
        [vector] = await services.documents.ingestion._vector_index._embedder.embed(
            ["Which pump is broken?"], index.embedder
        )
        # What statistics of a large table may lead the planner to, sooner or later.
        for way in ("hashjoin", "mergejoin", "sort", "seqscan", "bitmapscan"):
            await session.execute(text(f"SET LOCAL enable_{way} = off"))
        found = await rows.search(
            session, index, SearchScope((collection,)), "Which pump is broken?", vector, k=8, way=SearchMode.VECTOR
        )
    assert any("cellar" in passage.text for passage in found)


async def test_passages_that_differ_by_a_number_are_no_copies(
    services: Services, current_user: CurrentUser, collection: UUID
) -> None:
    lines = "\n\n".join(f"# Rule\n\nRoom {number} is cleaned on Monday by the team of the day." for number in range(20))
    await ready(services, current_user, collection, "rooms.md", lines)
    found = await services.retrieval.search.search(
        current_user, "Which room is cleaned?", SearchScope((collection,)), k=8
    )
    assert len(found.passages) == 8


async def test_documents_of_older_rules_are_found_alike_once_they_are_indexed_again(
    services: Services, current_user: CurrentUser, collection: UUID, at: Connections
) -> None:
    document = await ready(
        services, current_user, collection, "amt.md", "Frau Müller leitet das Bürgeramt.\n\n" + PARTS
    )
    with psycopg.connect(at.database_owner_url) as connection:
        connection.execute("UPDATE chunk SET lexemes = to_tsvector('rxchat', text)")
        connection.execute("UPDATE document SET lexeme_version = 1")
    assert await by_words(services, current_user, collection, "Mueller") == []
    while await services.documents.ingestion.index_words():
        pass
    assert len(await by_words(services, current_user, collection, "Mueller")) == 1
    with psycopg.connect(at.database_owner_url) as connection:
        found = connection.execute("SELECT lexeme_version FROM document WHERE id = %s", (document.id,)).fetchone()
    assert found == (VERSION,)

"""The search finds what was asked for: real documents, the real database, the embedder that RxChat brings along.

After a change that is meant to move the figures: `.venv/bin/python -m tests.retrieval`, which writes baseline.json.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, replace
from uuid import UUID

import pytest

from rxchat.bootstrap import Connections
from rxchat.domain.accounts import Viewer
from rxchat.domain.documents import DocumentState
from rxchat.domain.retrieval import Way
from rxchat.services.graph import Services
from rxchat.settings import Settings
from tests.embedded_models import EmbeddedModels, embedded_models
from tests.retrieval.measure import (
    BASELINE,
    WRITING,
    Question,
    as_json,
    baseline,
    documents,
    flat,
    mrr,
    quality,
    questions,
    ranked,
    recall_at,
    table,
)
from tests.services.grounded import found, uploaded

INGESTION_SECONDS = 300
TOLERANCE = 2.0
"""So many points a figure may drop before the test fails."""


@pytest.fixture(scope="module")
def models() -> Iterator[EmbeddedModels]:
    """The embedder that RxChat brings along."""
    with embedded_models() as running:
        yield running


@pytest.fixture
def at(at: Connections, models: EmbeddedModels) -> Connections:
    """Where this test's servers are, with the real embedder among them."""
    return replace(at, ollama_hosts=(models.host,), demo_hosts=(models.host,))


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """The embedder is the one that comes with RxChat."""
    return settings.model_copy(update={"embedding_model": ""})


def test_recall_is_the_share_of_questions_answered_among_the_first() -> None:
    ranks = [1, 5, 6, None]
    assert recall_at(5, ranks) == 0.5
    assert recall_at(20, ranks) == 0.75
    assert mrr(ranks) == pytest.approx((1 + 1 / 5 + 1 / 6) / 4)


def test_the_set_is_large_enough_and_every_answer_is_in_its_document() -> None:
    texts, asked = documents(), questions()
    assert len(texts) >= 100
    assert len(asked) >= 200
    assert len({question.question for question in asked}) == len(asked)
    assert [item for item in asked if flat(item.answer) not in flat(texts.get(item.document, ""))] == []
    assert sorted(set(texts) - {question.document for question in asked}) == []
    kinds = Counter(question.kind for question in asked)
    assert set(kinds) == {"paraphrase", "identifier", "ordinary"}
    assert min(kinds.values()) >= len(asked) / 6, kinds


@pytest.mark.anyio
async def test_hybrid_search_beats_vectors_and_words_alone_and_nothing_got_worse(
    services: Services, viewer: Viewer, pytestconfig: pytest.Config
) -> None:
    collection = await ingested(services, viewer)
    asked = questions()
    ranks = await ranked(services, viewer, collection, asked)
    figures = {way: quality(places) for way, places in ranks.items()}
    said = f"\n{table(figures)}\n{by_kind(asked, ranks)}\n"
    print(said)
    told = f"{said}\nWhat was measured, as baseline.json keeps it:\n{as_json(figures)}"
    if WRITING in pytestconfig.stash:
        BASELINE.write_text(as_json(figures))
    hybrid, alone = figures[Way.HYBRID], [figures[Way.VECTOR], figures[Way.TEXT]]
    assert all(hybrid.recall_5 >= other.recall_5 and hybrid.mrr >= other.mrr for other in alone), told
    assert all(hybrid.recall_5 > other.recall_5 or hybrid.mrr > other.mrr for other in alone), told
    kept = baseline()
    dropped = {
        f"{way.value} {figure}": (before, now)
        for way in Way
        for (figure, before), now in zip(asdict(kept[way]).items(), asdict(figures[way]).values(), strict=True)
        if now < before - TOLERANCE
    }
    assert dropped == {}, told


async def ingested(services: Services, viewer: Viewer) -> UUID:
    """Return a collection with all documents, uploaded, read, cut and embedded as people's are."""
    collection = await services.library.create(viewer, "Quality")
    waiting = [await uploaded(services, viewer, collection, name, text) for name, text in documents().items()]
    async with asyncio.timeout(INGESTION_SECONDS):
        while waiting:
            document = await found(services, viewer, waiting[-1])
            if document.state.is_final:
                assert document.state is DocumentState.READY, document.error
                waiting.pop()
            else:
                await asyncio.sleep(0.1)
    return collection


def by_kind(asked: list[Question], ranks: dict[Way, list[int | None]]) -> str:
    """Return recall among the first five for each kind of question and way of searching."""
    rows = []
    for kind, count in Counter(question.kind for question in asked).items():
        of_kind = [at for at, question in enumerate(asked) if question.kind == kind]
        shares = (
            f"{way.value} {100 * recall_at(5, [places[at] for at in of_kind]):.1f}" for way, places in ranks.items()
        )
        rows.append(f"{kind} ({count}): recall@5 {', '.join(shares)}")
    return "\n".join(rows)

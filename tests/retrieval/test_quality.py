"""The search finds what was asked for: real documents, the real database, the embedder that RxChat brings along.

After a change that is meant to move the figures: `.venv/bin/python -m tests.retrieval`, which writes each baseline.json.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import asdict, replace
from uuid import UUID

import pytest

from rxchat.connections import Connections
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.documents import DocumentState
from rxchat.domain.retrieval import SearchMode
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.embedded_models import EmbeddedModels
from tests.retrieval.measure import (
    ENGLISH,
    LANGUAGES,
    WRITING,
    Quality,
    Question,
    QuestionSet,
    as_json,
    flat,
    mrr,
    quality,
    ranked,
    recall_at,
    table,
)
from tests.services.grounded import found, uploaded

INGESTION_SECONDS = 300
TOLERANCE = 2.0
"""So many points a figure may drop before the test fails."""


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
    texts, asked = ENGLISH.documents(), ENGLISH.questions()
    assert len(texts) >= 100
    assert len(asked) >= 200
    kinds = Counter(question.kind for question in asked)
    assert set(kinds) == {"paraphrase", "identifier", "ordinary"}
    assert min(kinds.values()) >= len(asked) / 6, kinds


@pytest.mark.parametrize("questions", [ENGLISH, *LANGUAGES], ids=lambda one: one.language)
def test_every_question_is_there_once_and_its_answer_in_its_document(questions: QuestionSet) -> None:
    texts, asked = questions.documents(), questions.questions()
    assert len(asked) >= 20
    assert len({question.question for question in asked}) == len(asked)
    assert [item for item in asked if flat(item.answer) not in flat(texts.get(item.document, ""))] == []
    assert sorted(set(texts) - {question.document for question in asked}) == []


@pytest.mark.slow
@pytest.mark.anyio
async def test_hybrid_search_beats_vectors_and_words_alone_and_nothing_got_worse(
    services: Services, current_user: CurrentUser, pytestconfig: pytest.Config
) -> None:
    figures, told = await compared(services, current_user, pytestconfig, ENGLISH)
    hybrid, alone = figures[SearchMode.HYBRID], [figures[SearchMode.VECTOR], figures[SearchMode.TEXT]]
    assert all(hybrid.recall_5 >= other.recall_5 and hybrid.mrr >= other.mrr for other in alone), told
    assert all(hybrid.recall_5 > other.recall_5 or hybrid.mrr > other.mrr for other in alone), told


@pytest.mark.slow
@pytest.mark.parametrize(
    "questions",
    [pytest.param(one, id=one.language, marks=() if one is LANGUAGES[0] else pytest.mark.slow) for one in LANGUAGES],
)
@pytest.mark.anyio
async def test_nothing_got_worse_in_other_languages(
    services: Services, current_user: CurrentUser, pytestconfig: pytest.Config, questions: QuestionSet
) -> None:
    """The embedder that comes along knows English alone: words have to make up for it."""
    figures, told = await compared(services, current_user, pytestconfig, questions)
    assert figures[SearchMode.HYBRID].recall_5 >= figures[SearchMode.VECTOR].recall_5, told


async def compared(
    services: Services, current_user: CurrentUser, pytestconfig: pytest.Config, questions: QuestionSet
) -> tuple[dict[SearchMode, Quality], str]:
    """Measure a set, and check that no figure is worse than its baseline; return the figures, and them in words."""
    collection = await ingested(services, current_user, questions.documents())
    asked = questions.questions()
    ranks = await ranked(services, current_user, collection, asked)
    figures = {way: quality(places) for way, places in ranks.items()}
    said = f"\n{questions.language}\n{table(figures)}\n{by_kind(asked, ranks)}\n"
    print(said)
    told = f"{said}\nWhat was measured, as baseline.json keeps it:\n{as_json(figures)}"
    if WRITING in pytestconfig.stash:
        questions.baseline_file.write_text(as_json(figures))
    kept = questions.baseline()
    dropped = {
        f"{way.value} {figure}": (before, now)
        for way in SearchMode
        for (figure, before), now in zip(asdict(kept[way]).items(), asdict(figures[way]).values(), strict=True)
        if now < before - TOLERANCE
    }
    assert dropped == {}, told
    return figures, told


async def ingested(services: Services, current_user: CurrentUser, texts: dict[str, str]) -> UUID:
    """Return a collection with all documents, uploaded, read, cut and embedded as people's are."""
    collection = await services.documents.collections.create(current_user, "Quality")
    waiting = [await uploaded(services, current_user, collection, name, text) for name, text in texts.items()]
    async with asyncio.timeout(INGESTION_SECONDS):
        while waiting:
            document = await found(services, current_user, waiting[-1])
            if document.state.is_final:
                assert document.state is DocumentState.READY, document.error
                waiting.pop()
            else:
                await asyncio.sleep(0.1)
    return collection


def by_kind(asked: list[Question], ranks: dict[SearchMode, list[int | None]]) -> str:
    """Return recall among the first five for each kind of question and way of searching."""
    rows = []
    for kind, count in Counter(question.kind for question in asked).items():
        of_kind = [at for at, question in enumerate(asked) if question.kind == kind]
        shares = (
            f"{way.value} {100 * recall_at(5, [places[at] for at in of_kind]):.1f}" for way, places in ranks.items()
        )
        rows.append(f"{kind} ({count}): recall@5 {', '.join(shares)}")
    return "\n".join(rows)

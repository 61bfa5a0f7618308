"""What is asked of which documents, and how good the answers' places are: recall and mean reciprocal rank."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import UUID

import pytest

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.retrieval import Passage, SearchMode, SearchScope
from rxchat.services.app.container import Services

HERE = Path(__file__).parent
WRITING = pytest.StashKey[bool]()
"""There when the baseline is to be written."""
DEPTH = 20
"""So many passages are looked at for each question."""

Ranks = Sequence[int | None]
"""For each question, at which place the right passage stands, from 1; None when it is not among the first."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question with the one document that answers it, and the words there that do."""

    question: str
    document: str
    answer: str
    kind: str
    """"paraphrase" (few words in common with the answer), "identifier" (only exact words find it) or "ordinary"."""


@dataclass(frozen=True, slots=True)
class Quality:
    """How well a way of searching finds, in percent."""

    recall_5: float
    recall_20: float
    mrr: float


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Documents and questions in one language, with the figures that may not drop."""

    language: str

    @property
    def folder(self) -> Path:
        """Where it is kept."""
        return HERE if self.language == "english" else HERE / "languages" / self.language

    @property
    def baseline_file(self) -> Path:
        """Where its figures are kept."""
        return self.folder / "baseline.json"

    def documents(self) -> dict[str, str]:
        """Return the texts of all documents by their names."""
        folder = self.folder / "documents" if self.language == "english" else self.folder
        return {path.name: path.read_text() for path in sorted(folder.glob("*.md"))}

    def questions(self) -> list[Question]:
        """Return all questions."""
        lines = (self.folder / "questions.jsonl").read_text().splitlines()
        return [Question(**json.loads(line)) for line in lines]

    def baseline(self) -> dict[SearchMode, Quality]:
        """Return the figures that were measured when the search was last changed on purpose."""
        kept = json.loads(self.baseline_file.read_text())
        return {SearchMode(way): Quality(**figures) for way, figures in kept.items()}


ENGLISH = QuestionSet("english")
LANGUAGES = (QuestionSet("german"), QuestionSet("chinese"), QuestionSet("japanese"))


def flat(text: str) -> str:
    """Return a text with single spaces, however its lines were broken."""
    return " ".join(text.split())


def is_right(passage: Passage, question: Question) -> bool:
    """Return whether a passage answers a question: it is from its document and says the answer."""
    return passage.name == question.document and flat(question.answer) in flat(passage.text)


def rank(passages: Sequence[Passage], question: Question) -> int | None:
    """Return at which place the first right passage stands, from 1."""
    return next((at for at, passage in enumerate(passages, 1) if is_right(passage, question)), None)


def recall_at(k: int, ranks: Ranks) -> float:
    """Return for which share of the questions a right passage is among the first k."""
    return sum(rank is not None and rank <= k for rank in ranks) / len(ranks)


def mrr(ranks: Ranks) -> float:
    """Return the mean reciprocal rank: 1 when the right passage is always the first, nothing for one not found."""
    return sum(1 / rank for rank in ranks if rank) / len(ranks)


def quality(ranks: Ranks) -> Quality:
    """Return the figures of one way of searching."""
    shares = (recall_at(5, ranks), recall_at(DEPTH, ranks), mrr(ranks))
    return Quality(*(round(100 * share, 2) for share in shares))


async def ranked(
    services: Services, current_user: CurrentUser, collection: UUID, asked: Sequence[Question]
) -> dict[SearchMode, list[int | None]]:
    """Return the places of the right passages, for each way of searching."""
    ranks: dict[SearchMode, list[int | None]] = {way: [] for way in SearchMode}
    for question in asked:
        for way in SearchMode:
            found = await services.retrieval.search.search(
                current_user, question.question, SearchScope((collection,)), k=DEPTH, way=way
            )
            assert not found.notice, found.notice
            ranks[way].append(rank(found.passages, question))
    return ranks


async def measured(services: Services, current_user: CurrentUser, collection: UUID) -> dict[SearchMode, Quality]:
    """Return how well each way of searching finds."""
    ranks = await ranked(services, current_user, collection, ENGLISH.questions())
    return {way: quality(places) for way, places in ranks.items()}


def table(figures: dict[SearchMode, Quality]) -> str:
    """Return the figures as people read them."""
    rows = [f"{'way':<8} {'recall@5':>9} {'recall@20':>9} {'MRR':>9}"]
    rows += [
        f"{way.value:<8} {found.recall_5:>9.2f} {found.recall_20:>9.2f} {found.mrr:>9.2f}"
        for way, found in figures.items()
    ]
    return "\n".join(rows)


def as_json(figures: dict[SearchMode, Quality]) -> str:
    """Return the figures as baseline.json keeps them."""
    return json.dumps({way.value: asdict(found) for way, found in figures.items()}, indent=2) + "\n"

"""How a user rates an answer, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rxchat.domain.errors import InvalidInput
from rxchat.domain.text import limited_text

COMMENT_CHARACTERS = 2_000


class Rating(StrEnum):
    """What a user thinks of an answer."""

    GOOD = "good"
    BAD = "bad"


REASONS = {
    "incorrect": "It is not correct",
    "incomplete": "It does not answer the question",
    "sources": "Sources are wrong or missing",
    "style": "I do not like the style or length",
    "refused": "It refuses without a reason",
    "unsafe": "It is offensive or dangerous",
}
"""Why an answer is bad, by key."""


@dataclass(frozen=True, slots=True)
class ReceivedFeedback:
    """A rating as administrators see it: without the answer, its question, or the conversation."""

    id: str
    at: datetime
    user_name: str
    model: str
    rating: Rating
    reasons: tuple[str, ...]
    comment: str


@dataclass(frozen=True, slots=True)
class ModelRatings:
    """How many answers of a model were rated good and bad."""

    model: str
    good: int
    bad: int


def valid_reasons(reasons: Iterable[str]) -> list[str]:
    """Return known reasons, each once, in their order.

    Raises:
        InvalidInput: when one is unknown.
    """
    given = set(reasons)
    if given - set(REASONS):
        raise InvalidInput("This is not one of the reasons. Reload the page.")
    return [key for key in REASONS if key in given]


def valid_comment(comment: str) -> str:
    """Return a comment without surrounding space.

    Raises:
        InvalidInput: when it is too long.
    """
    return limited_text(comment, COMMENT_CHARACTERS, "comment")

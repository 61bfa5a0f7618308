"""Tags: words by which users find their conversations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from rxchat.domain.text import short_line

NAME_CHARACTERS = 40
MOST_TAGS = 200
"""How many tags a user may have."""


class TagColor(StrEnum):
    """The palette; the page has a class for each."""

    GRAY = "gray"
    RED = "red"
    ORANGE = "orange"
    YELLOW = "yellow"
    GREEN = "green"
    TEAL = "teal"
    BLUE = "blue"
    PURPLE = "purple"
    PINK = "pink"


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag of a user."""

    id: UUID
    name: str
    color: TagColor
    count: int = 0
    """How many conversations have it, without deleted ones."""


def tag_name(words: str) -> str:
    """Return the name that was entered, as one line.

    Raises:
        InvalidInput: when it is blank or too long.
    """
    return short_line(words.strip().lstrip("#"), NAME_CHARACTERS, "Enter the name of the tag.", "name")


def next_color(used: Iterable[TagColor]) -> TagColor:
    """Return the color of a new tag: the one that is used least, gray at last."""
    counts = dict.fromkeys([*(color for color in TagColor if color is not TagColor.GRAY), TagColor.GRAY], 0)
    for color in used:
        counts[color] += 1
    return min(counts, key=counts.__getitem__)

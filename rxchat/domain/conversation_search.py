"""What a user searches for in their conversations: words, and filters such as `has:code`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from uuid import UUID

from rxchat.domain.text import sanitize
from rxchat.domain.tokenizing import UNSPACED

QUERY_CHARACTERS = 200
_MOST_WORDS = 16
_FILTER = re.compile(r"(model|before|after|has|tag|project):(\S+)")
_QUOTED = re.compile(r'(tag|project):"([^"]+)"?|(\S+)', re.IGNORECASE)
"""A word, or the name of a tag or project in quotation marks."""
_HAS_UNSPACED = re.compile(f"[{UNSPACED}]")
_SIGNS = str.maketrans(dict.fromkeys("<>@/.&", " "))
"""The signs between words of tags, addresses and paths, as in the column `message.lexemes`."""
_HAS_LETTER = re.compile(r"[^\W_]")
HIT_BEGIN, HIT_END = "\x02", "\x03"
"""Around what was found, in a snippet; the query removes them from the text itself."""


class FoundKind(StrEnum):
    """What was found."""

    CONVERSATION = "conversation"
    MESSAGE = "message"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class Found:
    """A result: a conversation by its title, a message by its text, or a document by its name."""

    kind: FoundKind
    id: UUID
    conversation_id: UUID | None
    """The conversation of a message."""
    title: str
    """The title of the conversation, or the name of the document."""
    snippet: str
    """The part of a message that was found, with marks around the words."""
    at: datetime


@dataclass(frozen=True, slots=True)
class ConversationQuery:
    """A query as it was typed, taken apart."""

    words: str = ""
    """What is left without the filters."""
    stems: tuple[str, ...] = ()
    """Words of which a message has all, or others that begin with them."""
    parts: tuple[str, ...] = ()
    """Texts of which a message has all: words of scripts without spaces, and signs."""
    model: str = ""
    after: datetime | None = None
    before: datetime | None = None
    has_code: bool = False
    has_files: bool = False
    tag: str = ""
    """The name of a tag that conversations have."""
    project: str = ""
    """The name of a project that they are in, or in one of its own."""
    unknown: tuple[str, ...] = ()
    """Filters that say nothing known, such as `has:wings`, or a date that does not exist."""

    @property
    def is_filtered(self) -> bool:
        """Whether it names properties that only messages have."""
        return bool(self.model or self.after or self.before or self.has_code or self.has_files)

    @property
    def is_placed(self) -> bool:
        """Whether it names properties of conversations."""
        return bool(self.tag or self.project)

    @property
    def is_empty(self) -> bool:
        """Whether it asks for nothing."""
        return not self.words and not self.is_filtered and not self.is_placed


def parsed(query: str) -> ConversationQuery:
    """Return the words and filters of a query.

    Filters are `model:NAME`, `after:2026-11-01`, `before:...`, `has:code`, `has:files`, `tag:work`, `tag:"two words"`,
    `project:house`.
    """
    filters: dict[str, object] = {}
    words, unknown = [], []
    for name, quoted, word in _QUOTED.findall(sanitize(query)[:QUERY_CHARACTERS]):
        if quoted:
            filters[name.lower()] = quoted.strip()
            continue
        found = _FILTER.fullmatch(word.lower())
        if found is None:
            words.append(word)
            continue
        known = _filter_of(found[1], found[2])
        filters |= known
        if not known:
            unknown.append(word)
    stems, parts = [], []
    for word in words[:_MOST_WORDS]:
        if _HAS_LETTER.search(word) and not _HAS_UNSPACED.search(word):
            stems += [stem for stem in word.translate(_SIGNS).split() if _HAS_LETTER.search(stem)]
        else:
            parts.append(word)
    return ConversationQuery(" ".join(words), tuple(stems), tuple(parts), unknown=tuple(unknown), **filters)  # pyright: ignore[reportArgumentType]


def _filter_of(name: str, value: str) -> dict[str, object]:
    match name, value:
        case "model" | "tag" | "project", _:
            return {name: value}
        case "has", "code":
            return {"has_code": True}
        case "has", "files" | "file":
            return {"has_files": True}
        case "has", _:
            return {}
        case _:
            return _day(name, value)


def _day(name: str, value: str) -> dict[str, object]:
    """Return the beginning of a day in UTC: `after` includes the day that it names, and `before` does not."""
    try:
        day = datetime.combine(date.fromisoformat(value), time(), UTC)
    except ValueError:
        return {}
    return {name: day}


def snippet_parts(snippet: str) -> list[tuple[str, bool]]:
    """Return the parts of a snippet, each with a flag for what was found."""
    parts: list[tuple[str, bool]] = []
    for number, piece in enumerate(re.split(f"[{HIT_BEGIN}{HIT_END}]", snippet)):
        if piece:
            parts.append((piece, number % 2 == 1))
    return parts

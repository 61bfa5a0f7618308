"""Passages in the text of a document: where one stands now, if the document has changed since it was cited."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

LONGEST_QUOTE = 300
"""Code points of a passage that an address quotes."""
_LONGEST_BEGINNING = 20 * LONGEST_QUOTE
"""So much of a passage is compared with its quote; white space and signs between its letters do not count."""
_PIECE = 8_192
"""Normalized at once: other threads wait meanwhile."""
_WORDS = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class PassageRef:
    """A passage as an address names it; `start` and `end` are offsets in code points, `page` counts from 1."""

    start: int = 0
    end: int = 0
    page: int = 0
    """0: unknown."""
    quote: str = ""
    """How the passage begins."""

    @property
    def is_named(self) -> bool:
        """Whether it names a part of the document."""
        return self.end > self.start or bool(self.quote)


@dataclass(frozen=True, slots=True)
class Span:
    """A range of a text, in code points."""

    start: int
    end: int


def where_it_was(text: str, first: int, wanted: PassageRef) -> Span | None:
    """Return where a passage was if it still begins there; takes no time. The arguments are those of `find_passage`."""
    if not wanted.end > wanted.start >= first:
        return None
    # Character by character, as the text is: the quote may have been cut between a letter and its accent.
    quote = _letters(wanted.quote)[0]
    here = text[wanted.start - first : min(wanted.end - first, wanted.start - first + _LONGEST_BEGINNING)]
    return Span(wanted.start, wanted.end) if here and _letters(here)[0].startswith(quote) else None


def find_passage(text: str, first: int, wanted: PassageRef) -> Span | None:
    """Return where a passage stands in a part of a document's text; None if it does not.

    Only letters and digits are compared: white space and punctuation may have changed. Of several places, the nearest to
    where it was is returned.

    Args:
        text: The part of the text.
        first: The offset of this part in the document.
        wanted: The passage.
    """
    if span := where_it_was(text, first, wanted):
        return span
    quote = _letters(wanted.quote)[0]
    if not quote or not _may_have(text, wanted.quote):
        return None
    letters, places = _letters(text)
    found, at = [], letters.find(quote)
    while at >= 0:
        found.append(at)
        at = letters.find(quote, at + 1)
    if not found:
        return None
    before = max(0, wanted.start - first)
    at = min(found, key=lambda candidate: abs(places[candidate] - before))
    return Span(first + places[at], first + places[at + len(quote) - 1] + 1)


def _may_have(text: str, quote: str) -> bool:
    """Whether a text has the letters and digits of a quote, accents aside: a sixth of the work of `_letters`."""
    return _plain(quote) in _plain(text)


def _plain(text: str) -> str:
    pieces = (text[at : at + _PIECE] for at in range(0, len(text), _PIECE))
    words = (word for piece in pieces for word in _WORDS.findall(unicodedata.normalize("NFKD", piece)))
    return "".join(words).casefold()


def _letters(text: str) -> tuple[str, list[int]]:
    """Return the letters and digits of a text in lower case, and the offset of each in the text."""
    letters: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        normal = character if character.isascii() else unicodedata.normalize("NFKC", character)
        for letter in normal:
            if letter.isalnum():
                lower = letter.lower()
                letters.append(lower)
                places.extend([place] * len(lower))
    return "".join(letters), places

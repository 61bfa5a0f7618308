"""Joins words that are hyphenated at line ends, and decides whether the hyphen belongs to the word."""

from __future__ import annotations

import re
from collections.abc import Iterable

# pdfium's mark for a hyphen at the end of a line; it joins the lines itself.
_MARKED = re.compile("[\x02\ufffe](?:\r\n)?")
_SOFT = "\u00ad"
_HYPHENS = f"-\u2010{_SOFT}"
_WORD = re.compile(r"[^\W\d_]+(?:[-\u2010][^\W\d_]+)*")
_LAST_PART = re.compile(r"[^\W\d_]+(?:[-\u2010][^\W\d_]+)*\Z")
_FIRST_PART = re.compile(r"[^\W\d_]+")
_LONGEST_WORD = 100
# "Ein- und Ausgang": the second part of a hyphenated word is no conjunction.
_CONJUNCTIONS = frozenset(
    {"und", "oder", "bis", "sowie", "bzw", "beziehungsweise", "and", "or", "et", "ou", "y", "e", "och", "eller", "og"}
)
_BEFORE_HYPHEN = frozenset({"well", "self"})
_ENDINGS = ("ness", "ish", "ing", "ington", "ed", "s")


class LineJoiner:
    """Joins lines of a document, whose other words show the spelling of a hyphenated one."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._words = {word.replace("\u2010", "-").casefold() for line in lines for word in _WORD.findall(line)}

    def joined(self, lines: Iterable[str]) -> str:
        """Join lines to one, without hyphenation at their ends."""
        text = ""
        for line in lines:
            following = self._without_marks(line)
            if len(text) > 1 and text[-1] in _HYPHENS and text[-2].isalpha() and following[:1].isalnum():
                hyphen = self._hyphen(text[:-1], following, is_soft=text[-1] == _SOFT)
                text = f"{text[:-1]}{hyphen}{following}"
            else:
                text = f"{text} {following}" if text else following
        return text

    def _without_marks(self, line: str) -> str:
        """Replace pdfium's marks in a line by hyphens or nothing."""
        first, *others = _MARKED.split(line)
        pieces = [first]
        for before, after in zip([first, *others], others, strict=False):
            pieces += [self._hyphen(before, after, is_soft=False), after]
        return "".join(pieces)

    def _hyphen(self, before: str, after: str, *, is_soft: bool) -> str:
        """Return the joint of two parts of a word: "", "-", or "- " before a conjunction."""
        if is_soft:
            return ""
        first, second = _LAST_PART.search(before[-_LONGEST_WORD:]), _FIRST_PART.match(after[:_LONGEST_WORD])
        if first is None or second is None:
            return "-"
        start, end = first.group().casefold(), second.group().casefold()
        if f"{start}-{end}" in self._words:
            return "-"
        if not second.group()[0].islower():
            return "-"
        if f"{start}{end}" in self._words:
            return ""
        if end in _CONJUNCTIONS:
            return "- "
        return "-" if start in _BEFORE_HYPHEN and not end.startswith(_ENDINGS) else ""

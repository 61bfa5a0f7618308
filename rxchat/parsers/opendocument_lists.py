"""Computes the numbers of OpenDocument lists and headings, which a document does not store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rxchat.parsers.list_numbers import BULLET, formatted
from rxchat.parsers.opendocument_text import tag

_LEVELS = 10
_FORMATS = {"1": "decimal", "a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman"}


@dataclass(frozen=True, slots=True)
class _Level:
    format: str
    prefix: str
    suffix: str
    displayed: int
    """The number of levels in its label."""
    start: int


class ListNumbers:
    """Counts list items by style, and headings by the outline."""

    def __init__(self, *sources: Any) -> None:
        self._styles: dict[str, dict[int, _Level]] = {}
        self._outline: dict[int, _Level] = {}
        self._counters: dict[str, list[int]] = {}
        for source in sources:
            if source is None:
                continue
            for style in source.iter(tag("text:list-style")):
                self._styles[style.get(tag("style:name")) or ""] = _levels(style, "text:list-level-style-number")
            for style in source.iter(tag("text:outline-style")):
                self._outline = _levels(style, "text:outline-level-style")

    def begin(self, style: str, *, goes_on: bool) -> None:
        """Start a list, with new numbers unless it continues an earlier one."""
        if not goes_on:
            self._counters.pop(style, None)

    def item(self, style: str, depth: int) -> str:
        """Return the label of an item on a level (from 0)."""
        return self._next(style, self._styles.get(style, {}), depth) or BULLET

    def heading(self, level: int) -> str:
        """Return the number of a heading on a level (from 1); "" if headings have no numbers."""
        return self._next("", self._outline, level - 1)

    def _next(self, key: str, levels: dict[int, _Level], depth: int) -> str:
        depth = min(depth, _LEVELS - 1)
        definition = levels.get(depth)
        counters = self._counters.setdefault(key, [0] * _LEVELS)
        start = definition.start if definition else 1
        counters[depth] = counters[depth] + 1 if counters[depth] else start
        counters[depth + 1 :] = [0] * (_LEVELS - depth - 1)
        if definition is None or not definition.format:
            return ""
        first = max(0, depth + 1 - definition.displayed)
        shown = [
            formatted(counters[at] or 1, _FORMATS.get(levels[at].format, "decimal"))
            for at in range(first, depth + 1)
            if at in levels and levels[at].format
        ]
        return f"{definition.prefix}{'.'.join(shown)}{definition.suffix}".strip()


def _levels(style: Any, element: str) -> dict[int, _Level]:
    found: dict[int, _Level] = {}
    for level in style.iter(tag(element)):
        found[_number(level.get(tag("text:level")), 1) - 1] = _Level(
            level.get(tag("style:num-format")) or "",
            level.get(tag("style:num-prefix")) or "",
            level.get(tag("style:num-suffix")) or "",
            _number(level.get(tag("text:display-levels")), 1),
            _number(level.get(tag("text:start-value")), 1),
        )
    return found


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 7 else default

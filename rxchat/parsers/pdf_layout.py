"""Finds paragraphs and headings in lines, since a PDF only stores positions of characters."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from rxchat.domain.documents import BlockKind
from rxchat.parsers.builder import TextBuilder
from rxchat.parsers.pdf_hyphens import LineJoiner

_ITEM = re.compile(r"(?:[•‣▪◦●○■–—*·-]|\(?(?:\d{1,3}|[a-z])[.)])\s+\S")
_ENDS_SENTENCE = (".", "!", "?", ":", "…", "”", '"')
_HEADING_CHARACTERS = 200
_HEADING_LINES = 3
_HEADING_LEVELS = 4
_LARGER = 1.15
"""The smallest size of a heading, relative to the body text."""
_WIDER = 1.4
"""The smallest distance between lines of two paragraphs, relative to the usual distance."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a page; coordinates are in points from the lower left corner."""

    text: str
    left: float
    bottom: float
    height: float
    """The height of the font's box, which gives the size of the letters to half a point at best."""
    is_unreadable: bool = False
    """Whether its font does not map glyphs to characters."""

    @property
    def size(self) -> float:
        """The height, rounded so that lines with the same font have the same size."""
        return round(self.height * 2) / 2


@dataclass(slots=True)
class _Group:
    """Lines that belong together."""

    lines: list[Line]
    is_item: bool


def add_pages(
    builder: TextBuilder, pages: Sequence[Sequence[Line]], beside: Mapping[int, Sequence[str]] | None = None
) -> None:
    """Append the lines of all pages as paragraphs, lists and headings; `beside` has extra lines by page (from 0)."""
    body = _body_size(pages)
    levels = _heading_levels(pages, body)
    joiner = LineJoiner(line.text for lines in pages for line in lines)
    for number, lines in enumerate(pages, start=1):
        items: list[str] = []
        for group in _groups(lines):
            text = joiner.joined([line.text for line in group.lines])
            level = levels.get(group.lines[0].size, 0)
            if group.is_item:
                items.append(text)
                continue
            builder.add(BlockKind.LIST, "\n".join(items), page=number)
            items.clear()
            if level and len(text) <= _HEADING_CHARACTERS and len(group.lines) <= _HEADING_LINES:
                builder.heading(text, level, page=number)
            else:
                builder.add(BlockKind.PARAGRAPH, text, page=number)
        builder.add(BlockKind.LIST, "\n".join(items), page=number)
        builder.add(BlockKind.LIST, "\n".join(f"- {line}" for line in (beside or {}).get(number - 1, ())), page=number)
        if builder.is_full:
            return


def _body_size(pages: Sequence[Sequence[Line]]) -> float:
    """Return the size of most of the text."""
    characters: Counter[float] = Counter()
    for lines in pages:
        for line in lines:
            characters[line.size] += len(line.text)
    return characters.most_common(1)[0][0] if characters else 0.0


def _heading_levels(pages: Sequence[Sequence[Line]], body: float) -> dict[float, int]:
    """Return a level for each size clearly above the body text's; the smallest sizes share the last level."""
    sizes = sorted({line.size for lines in pages for line in lines if line.size >= body * _LARGER > 0}, reverse=True)
    return {size: min(level, _HEADING_LEVELS) for level, size in enumerate(sizes, start=1)}


def _groups(lines: Sequence[Line]) -> Iterator[_Group]:
    """Group the lines of a page into paragraphs, list items and headings."""
    usual = _usual_pitch(lines)
    group: _Group | None = None
    for line in lines:
        is_item = bool(_ITEM.match(line.text))
        if group is None:
            group = _Group([line], is_item)
        elif is_item or _begins_anew(group.lines[-1], line, usual):
            yield group
            group = _Group([line], is_item)
        else:
            group.lines.append(line)
    if group is not None:
        yield group


def _usual_pitch(lines: Sequence[Line]) -> float:
    """Return the usual distance between lines of a paragraph."""
    pitches = [
        before.bottom - line.bottom
        for before, line in pairwise(lines)
        if before.size == line.size and 0 < before.bottom - line.bottom < 3 * line.height
    ]
    return median(pitches) if pitches else 0.0


def _begins_anew(before: Line, line: Line, usual: float) -> bool:
    """Whether a line starts a paragraph, given the line before it."""
    if abs(before.size - line.size) > 0.1 * max(before.size, line.size):
        return True
    pitch = before.bottom - line.bottom
    if pitch < -line.height:
        # The top of the next column, in which a sentence may continue.
        return before.text.endswith(_ENDS_SENTENCE)
    # A single line of a size has no usual distance.
    if pitch > _WIDER * (usual or line.height):
        return True
    return line.left - before.left > line.height and before.text.endswith(_ENDS_SENTENCE)

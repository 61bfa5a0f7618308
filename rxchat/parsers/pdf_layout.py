"""What lines on pages mean: a PDF says where characters are, and nothing of paragraphs and headings."""

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
"""How much larger than the rest a heading is at least."""
_WIDER = 1.4
"""How much wider than usual a gap between lines is that parts paragraphs."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a page; places are in points from the lower left corner."""

    text: str
    left: float
    bottom: float
    height: float
    """Of the font's box, in half points at best: what size the letters have."""
    is_unreadable: bool = False
    """Whether its font does not say which letters it shows."""

    @property
    def size(self) -> float:
        """The height, rounded so that lines of one font are alike."""
        return round(self.height * 2) / 2


@dataclass(slots=True)
class _Group:
    """Lines that belong together."""

    lines: list[Line]
    is_item: bool


def add_pages(
    builder: TextBuilder, pages: Sequence[Sequence[Line]], beside: Mapping[int, Sequence[str]] | None = None
) -> None:
    """Append the lines of all pages, as paragraphs, lists and headings; and a list of what is beside each (from 0)."""
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
    """Return the size in which most of the text is set."""
    characters: Counter[float] = Counter()
    for lines in pages:
        for line in lines:
            characters[line.size] += len(line.text)
    return characters.most_common(1)[0][0] if characters else 0.0


def _heading_levels(pages: Sequence[Sequence[Line]], body: float) -> dict[float, int]:
    """Return a level for each size that is clearly larger than the text's; the smaller ones share the last."""
    sizes = sorted({line.size for lines in pages for line in lines if line.size >= body * _LARGER > 0}, reverse=True)
    return {size: min(level, _HEADING_LEVELS) for level, size in enumerate(sizes, start=1)}


def _groups(lines: Sequence[Line]) -> Iterator[_Group]:
    """Yield the lines of a page that make a paragraph, an item of a list, or a heading each."""
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
    """Return how far apart lines of a paragraph are."""
    pitches = [
        before.bottom - line.bottom
        for before, line in pairwise(lines)
        if before.size == line.size and 0 < before.bottom - line.bottom < 3 * line.height
    ]
    return median(pitches) if pitches else 0.0


def _begins_anew(before: Line, line: Line, usual: float) -> bool:
    """Whether a line begins a paragraph, given the one before it."""
    if abs(before.size - line.size) > 0.1 * max(before.size, line.size):
        return True
    pitch = before.bottom - line.bottom
    if pitch < -line.height:
        # The top of the next column: a sentence may go on there.
        return before.text.endswith(_ENDS_SENTENCE)
    # Alone with its size, a line tells nothing of what is usual.
    if pitch > _WIDER * (usual or line.height):
        return True
    return line.left - before.left > line.height and before.text.endswith(_ENDS_SENTENCE)

"""Detects columns on pages that were drawn row by row, whose order in the PDF reads across columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

_FEWEST_ROWS = 4
_SHARE_OF_ROWS = 0.6
_NARROWEST_GAP = 0.8
"""The smallest gap between columns, relative to the height of a row."""
_NARROWEST_COLUMN = 0.12
"""The narrowest column, relative to the whole width; narrower ones belong to tables."""
_MOST_GUTTERS = 3


@dataclass(frozen=True, slots=True)
class Box:
    """A run of text on a page; coordinates are in points from the lower left corner."""

    left: float
    bottom: float
    right: float
    top: float

    @property
    def height(self) -> float:
        """The height of the letters."""
        return self.top - self.bottom


Row = tuple[Box, ...]


def rows_of(boxes: Sequence[Box]) -> list[Row]:
    """Group runs that follow each other from left to right on one line."""
    rows: list[list[Box]] = []
    for box in boxes:
        before = rows[-1][-1] if rows else None
        if before is not None and _is_beside(before, box):
            rows[-1].append(box)
        else:
            rows.append([box])
    return [tuple(row) for row in rows]


def in_columns(rows: Sequence[Row], depth: int = _MOST_GUTTERS) -> list[Row] | None:
    """Return the rows in the order of columns, each row in one of them; None if there is only one column.

    Rows across the columns, such as a title, separate the columns above from those below.
    """
    gutter = _gutter(rows) if depth else None
    if gutter is None:
        return None
    ordered: list[Row] = []
    left: list[Row] = []
    right: list[Row] = []

    def flush() -> None:
        for column in (left, right):
            ordered.extend(in_columns(column, depth - 1) or column)
            column.clear()

    for row in rows:
        if any(box.left < gutter < box.right for box in row):
            flush()
            ordered.append(row)
            continue
        for column, part in (
            (left, [it for it in row if it.right <= gutter]),
            (right, [it for it in row if it.left >= gutter]),
        ):
            if part:
                column.append(tuple(part))
    flush()
    return ordered


def _is_beside(before: Box, box: Box) -> bool:
    middle = (box.bottom + box.top) / 2
    return before.bottom < middle < before.top and box.left >= before.right - before.height


def _gutter(rows: Sequence[Row]) -> float | None:
    """Return the position of a gap in most rows that is no gap between columns of a table."""
    gaps = [
        (one.right, other.left, index)
        for index, row in enumerate(rows)
        for one, other in pairwise(row)
        if other.left - one.right > _NARROWEST_GAP * max(one.height, other.height)
    ]
    if len(gaps) < _FEWEST_ROWS:
        return None
    places = sorted({(left + right) / 2 for left, right, _ in gaps})
    places = places[:: max(1, len(places) // 200)]
    place = max(places, key=lambda it: len({index for left, right, index in gaps if left < it < right}))
    indexes = {index for left, right, index in gaps if left < place < right}
    crossing = sum(any(box.left < place < box.right for box in row) for row in rows)
    if len(indexes) < max(_FEWEST_ROWS, _SHARE_OF_ROWS * crossing):
        return None
    divided = [rows[index] for index in indexes]
    width = max(row[-1].right for row in divided) - min(row[0].left for row in divided)
    for widths in (
        [max(it.right for it in row if it.right <= place) - row[0].left for row in divided],
        [row[-1].right - min(it.left for it in row if it.left >= place) for row in divided],
    ):
        if median(widths) < _NARROWEST_COLUMN * width:
            return None
    inner = max(max(it.right for it in row if it.right <= place) for row in divided)
    outer = min(min(it.left for it in row if it.left >= place) for row in divided)
    return (inner + outer) / 2 if inner < outer else None

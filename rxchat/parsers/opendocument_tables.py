"""Cells of OpenDocument tables that are merged over several rows."""

from __future__ import annotations

from typing import Any

from rxchat.parsers.opendocument_text import tag

_COVERED = tag("table:covered-table-cell")
_LONGEST_REPEATED = 100


class MergedCells:
    """Repeats a short text that is merged over several rows in each of them, as in Excel workbooks."""

    def __init__(self) -> None:
        self._carried: dict[int, tuple[int, str]] = {}
        """By column: in how many further rows which text stands."""
        self._begun: dict[int, tuple[int, str]] = {}

    def text(self, cell: Any, column: int, text: str) -> str:
        """Return what stands in a cell of the present row, given its own text."""
        if cell.tag == _COVERED:
            return text or self._carried.get(column, (0, ""))[1]
        rows = cell.get(tag("table:number-rows-spanned")) or "1"
        if rows.isdecimal() and len(rows) < 8 and int(rows) > 1 and 0 < len(text) <= _LONGEST_REPEATED:
            self._begun[column] = int(rows), text
        return text

    def end_row(self, times: int) -> None:
        """Go to the next row; the present one is there several times."""
        self._carried |= self._begun
        self._begun = {}
        self._carried = {column: (left - times, text) for column, (left, text) in self._carried.items() if left > times}

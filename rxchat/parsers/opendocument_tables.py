"""Cells of OpenDocument tables that span several rows."""

from __future__ import annotations

from typing import Any

from rxchat.parsers.opendocument_text import tag

_COVERED = tag("table:covered-table-cell")
_LONGEST_REPEATED = 100


class MergedCells:
    """Repeats a short text that spans several rows in each of them, as for Excel workbooks."""

    def __init__(self) -> None:
        self._carried: dict[int, tuple[int, str]] = {}
        """By column: the number of further rows, and the text to repeat in them."""
        self._begun: dict[int, tuple[int, str]] = {}

    def text(self, cell: Any, column: int, text: str) -> str:
        """Return the text of a cell of the current row: its own or the repeated one."""
        if cell.tag == _COVERED:
            return text or self._carried.get(column, (0, ""))[1]
        rows = cell.get(tag("table:number-rows-spanned")) or "1"
        if rows.isdecimal() and len(rows) < 8 and int(rows) > 1 and 0 < len(text) <= _LONGEST_REPEATED:
            self._begun[column] = int(rows), text
        return text

    def end_row(self, times: int) -> None:
        """End the current row, which is repeated `times` times."""
        self._carried |= self._begun
        self._begun = {}
        self._carried = {column: (left - times, text) for column, (left, text) in self._carried.items() if left > times}

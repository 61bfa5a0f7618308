"""Excel workbooks: a page for each sheet, its cells as they are displayed, in blocks below the header.

Hidden rows and formulas without results are read as well, and notes say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, islice
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils.datetime import MAC_EPOCH

from rxchat.domain.documents import BlockKind, ParsedDocument
from rxchat.parsers import archive
from rxchat.parsers.builder import TextBuilder
from rxchat.parsers.excel_notes import notes_of
from rxchat.parsers.excel_sheet import SheetReader, format_codes
from rxchat.parsers.tables import add_table

_NAME_CHARACTERS = 60
_HEADER_WITHIN_ROWS = 20


def parse(content: bytes, suffix: str) -> ParsedDocument:
    """Return the sheets in their order."""
    del suffix
    workbook = load_workbook(archive.office(content, "xl/"), read_only=True, data_only=True, keep_links=False)
    builder = TextBuilder(len(content))
    builder.title = workbook.properties.title or ""
    codes = format_codes(workbook)
    uncalculated = 0
    for number, sheet in enumerate(workbook.worksheets, start=1):
        builder.pages = number
        reader = SheetReader(sheet, codes, is_1904=workbook.epoch == MAC_EPOCH)
        _add_sheet(builder, sheet, reader, number)
        uncalculated += reader.uncalculated
        if builder.is_full:
            break
    if uncalculated:
        builder.note(
            f"{uncalculated:,} formulas have no stored result, so the formulas were read instead: open the file in Excel or LibreOffice, save it, and upload it again."
        )
    if workbook.chartsheets:
        builder.note(f"{len(workbook.chartsheets):,} sheets are charts of data in other sheets, and were not read.")
    return builder.built()


def _add_sheet(builder: TextBuilder, sheet: Any, reader: SheetReader, page: int) -> None:
    before = builder.room
    builder.heading(sheet.title, 1, page=page)
    after_heading = builder.room
    rows = reader.rows()
    above = _rows_above_header(first := list(islice(rows, _HEADER_WITHIN_ROWS)))
    add_table(builder, first[:above], page=page)
    add_table(builder, chain(first[above:], rows), page=page)
    rows.close()
    beside = notes_of(sheet.parent._archive, sheet._worksheet_path)  # pyright: ignore[reportPrivateUsage]
    for text in (*beside.boxes, *reader.margins):
        builder.add(BlockKind.PARAGRAPH, text, page=page)
    builder.add(BlockKind.LIST, "\n".join(f"- {note}" for note in beside.notes), page=page)
    name = sheet.title[:_NAME_CHARACTERS]
    if builder.room == after_heading and before != after_heading:
        builder.note(f"The sheet “{name}” is empty.")
    if sheet.sheet_state != "visible":
        builder.note(f"The sheet “{name}” is hidden; it was read.")
    if beside.has_pictures:
        builder.note(f"The sheet “{name}” has pictures, which were not read.")
    counts = (("rows", reader.hidden_rows), ("columns", reader.hidden_columns), ("values", reader.hidden_values))
    hidden = [f"{count:,} hidden {what}" for what, count in counts if count]
    if hidden:
        builder.note(f"The sheet “{name}” has {_listed(hidden)}; they were read.")


def _listed(items: Sequence[str]) -> str:
    *first, last = items
    return f"{', '.join(first)} and {last}" if first else last


def _rows_above_header(rows: Sequence[Sequence[str]]) -> int:
    """Return the number of rows with one cell, such as titles, above the first row with several."""
    return next((index for index, row in enumerate(rows) if sum(map(bool, row)) > 1), 0)

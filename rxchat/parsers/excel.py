"""Excel workbooks: a page for each sheet, its rows in blocks below the header, with the results of formulas."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from openpyxl import load_workbook

from rxchat.domain.documents import ParsedDocument
from rxchat.parsers import archive
from rxchat.parsers.builder import TextBuilder
from rxchat.parsers.tables import add_table


def parse(content: bytes, suffix: str) -> ParsedDocument:
    """Return the sheets in their order."""
    del suffix
    workbook = load_workbook(archive.office(content, "xl/"), read_only=True, data_only=True, keep_links=False)
    builder = TextBuilder()
    builder.title = workbook.properties.title or ""
    for number, sheet in enumerate(workbook.worksheets, start=1):
        builder.pages = number
        # What a sheet says of its size is often wrong, and may be a lie.
        sheet.reset_dimensions()  # pyright: ignore[reportAttributeAccessIssue]
        before = builder.room
        builder.heading(sheet.title, 1, page=number)
        after_heading = builder.room
        add_table(builder, _rows(sheet), page=number)
        if builder.room == after_heading and before != after_heading:
            builder.note(f"The sheet “{sheet.title[:60]}” is empty.")
        if builder.is_full:
            break
    return builder.built()


def _rows(sheet: Any) -> Iterator[list[str]]:
    for row in sheet.iter_rows(values_only=True):
        yield [_text(value) for value in row]


def _text(value: object) -> str:
    """Return a cell as people see it, near enough."""
    match value:
        case None:
            return ""
        case bool():
            return "TRUE" if value else "FALSE"
        case float():
            return f"{value:.15g}"
        case dt.datetime() if value.time() == dt.time():
            return value.date().isoformat()
        case dt.datetime():
            return value.isoformat(" ", "seconds")
        case _:
            return str(value)

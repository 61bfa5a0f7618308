"""Formats tables as text: rows as "a | b | c", in blocks that repeat the header, so that each is self-contained."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rxchat.domain.documents import BlockKind
from rxchat.parsers import limits
from rxchat.parsers.builder import TextBuilder

_SEPARATOR = " | "


def add_table(builder: TextBuilder, rows: Iterable[Sequence[str]], *, page: int = 0) -> None:
    """Append rows to a document; the first one with text is the header."""
    header: str | None = None
    lines: list[str] = []
    length = 0
    for number, row in enumerate(_texts(builder, rows), start=1):
        if number > limits.TABLE_ROWS:
            builder.note(f"Rows after {limits.TABLE_ROWS:,} of a table were left out.")
            break
        if length > limits.TABLE_BLOCK_CHARACTERS:
            builder.add(BlockKind.TABLE, "\n".join(lines), page=page)
            if builder.is_full:
                return
            lines = [header] if header else []
            length = 0
        lines.append(row)
        length += len(row)
        if header is None:
            header = row if len(row) <= limits.HEADER_CHARACTERS else ""
    builder.add(BlockKind.TABLE, "\n".join(lines), page=page)


def _texts(builder: TextBuilder, rows: Iterable[Sequence[str]]) -> Iterable[str]:
    """Yield the rows with text, each as a line."""
    for row in rows:
        cells = row
        if len(cells) > limits.TABLE_COLUMNS:
            if any(cells[limits.TABLE_COLUMNS :]):
                builder.note(f"Columns after {limits.TABLE_COLUMNS} of a table were left out.")
            cells = cells[: limits.TABLE_COLUMNS]
        texts = [" ".join(cell[: limits.CELL_CHARACTERS].split()) for cell in cells]
        if any(len(cell) > limits.CELL_CHARACTERS for cell in cells):
            builder.note(f"Cells of a table were cut after {limits.CELL_CHARACTERS:,} characters.")
        while texts and not texts[-1]:
            texts.pop()
        if texts:
            yield _SEPARATOR.join(texts)

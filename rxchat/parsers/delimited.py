"""Tables as text files: CSV with any usual delimiter, and TSV; with or without lines above their header."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice

from rxchat.domain.documents import ParsedDocument
from rxchat.domain.errors import DocumentUnreadable
from rxchat.parsers.builder import TextBuilder
from rxchat.parsers.csv_quotes import LenientRows, is_regular, without_backslashes
from rxchat.parsers.plain_text import read
from rxchat.parsers.tables import add_table

_DELIMITERS = ",;\t|^"
_SAMPLE_CHARACTERS = 200_000
_SAMPLE_ROWS = 200
_HEADER_WITHIN_ROWS = 40
_FIELD_CHARACTERS = 1_000_000
# What Excel writes and reads as the first line; some programs put it in quotes.
_SEPARATOR_LINE = re.compile(r'\A\s*"?sep=(.)"?[;,\t|]*\r?\n?', re.IGNORECASE)
_BROKEN = "Quotation marks in this table are not closed or not doubled correctly; they were read literally."


def parse(content: bytes, suffix: str) -> ParsedDocument:
    """Return a table in blocks of rows, each below the header."""
    csv.field_size_limit(_FIELD_CHARACTERS)
    builder = TextBuilder(len(content))
    text = read(builder, content)
    if named := _SEPARATOR_LINE.match(text):
        text, delimiter = text[named.end() :], named.group(1)
    else:
        delimiter = "\t" if suffix in {".tsv", ".tab"} and "\t" in text else _delimiter(text)
    try:
        lenient = None
        if not is_regular(text, delimiter):
            doubled = without_backslashes(text, delimiter)
            lenient, text = None if doubled else LenientRows(text, delimiter), doubled or text
        quote = "'" if _has_single_quotes(text, delimiter) else '"'
        rows = iter(lenient or csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quotechar=quote))
        first = list(islice(rows, _HEADER_WITHIN_ROWS))
        header = _header_index(first, _usual_columns(text, delimiter)[0])
        add_table(builder, first[:header])
        add_table(builder, _chained(first[header:], rows))
        if lenient and lenient.is_broken:
            builder.note(_BROKEN)
    except csv.Error as error:
        raise DocumentUnreadable(
            "This table is damaged: a cell has more than a million characters. Check it, and upload it again."
        ) from error
    return builder.built()


def _chained(first: list[list[str]], rest: Iterator[list[str]]) -> Iterator[list[str]]:
    yield from first
    yield from rest


def _delimiter(text: str) -> str:
    """Return the delimiter that splits most rows into the same number of columns; prefers more columns."""
    found = {delimiter: _usual_columns(text, delimiter) for delimiter in _DELIMITERS}

    def score(delimiter: str) -> float:
        columns, share = found[delimiter]
        return (columns - 1) * share * share

    best = max(_DELIMITERS, key=score)
    header = text[:_SAMPLE_CHARACTERS].lstrip().partition("\n")[0]
    if best not in header:
        # It may separate lists in cells: a delimiter that splits the header and all rows alike is preferred.
        regular = [
            delimiter for delimiter in header if found.get(delimiter, (1, 0.0))[0] > 1 and found[delimiter][1] == 1
        ]
        best = max(regular, key=score, default=best)
    return best


def _has_single_quotes(text: str, delimiter: str) -> bool:
    """Whether cells have single quotation marks: only then all rows have the same number of columns."""
    if '"' in text or "'" not in text:
        return False
    plain, quoted = (_widths(text, delimiter, quote) for quote in ('"', "'"))
    return len(set(plain)) > 1 and len(set(quoted)) == 1 and quoted[0] > 1


def _widths(text: str, delimiter: str, quote: str) -> list[int]:
    sample = io.StringIO(text[:_SAMPLE_CHARACTERS], newline="")
    rows = islice(csv.reader(sample, delimiter=delimiter, quotechar=quote), _SAMPLE_ROWS)
    return [len(row) for row in rows if any(row)]


def _usual_columns(text: str, delimiter: str) -> tuple[int, float]:
    """Return the most frequent number of columns (above one) of the first rows, and the share of these rows."""
    sample = io.StringIO(text[:_SAMPLE_CHARACTERS], newline="")
    try:
        widths = [len(row) for row in islice(csv.reader(sample, delimiter=delimiter), _SAMPLE_ROWS) if any(row)]
    except csv.Error:
        return 1, 0.0
    several = Counter(width for width in widths if width > 1)
    if not several:
        return 1, 1.0
    columns, count = max(several.items(), key=lambda item: (item[1], item[0]))
    return columns, count / len(widths)


def _header_index(rows: list[list[str]], columns: int) -> int:
    """Return the index of the header: the first row that is as wide as the table, and mostly filled.

    Rows above it (the name of a bank account, the time of an export) have fewer cells.
    """
    for index, row in enumerate(rows):
        if len(row) >= columns and sum(bool(cell.strip()) for cell in row) * 2 > columns:
            return index
    return 0

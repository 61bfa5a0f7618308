"""Tables as text files: CSV with any usual delimiter, and TSV."""

from __future__ import annotations

import csv
import io

from rxchat.domain.documents import ParsedDocument
from rxchat.domain.errors import DocumentUnreadable
from rxchat.parsers.builder import TextBuilder
from rxchat.parsers.plain_text import decoded
from rxchat.parsers.tables import add_table

_DELIMITERS = ",;\t|"
_SAMPLE_CHARACTERS = 20_000
_SAMPLE_ROWS = 20
_FIELD_CHARACTERS = 1_000_000


def parse(content: bytes, suffix: str) -> ParsedDocument:
    """Return a table in blocks of rows, each below the header."""
    csv.field_size_limit(_FIELD_CHARACTERS)
    text = decoded(content).replace("\0", "")
    delimiter = "\t" if suffix in {".tsv", ".tab"} else _delimiter(text)
    builder = TextBuilder()
    try:
        add_table(builder, csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise DocumentUnreadable(
            "This table is damaged: a quotation mark is opened, perhaps, and never closed. Save it anew and try again."
        ) from error
    return builder.built()


def _delimiter(text: str) -> str:
    """Return what splits the first rows into the most columns that they all have."""
    sample = text[:_SAMPLE_CHARACTERS]

    def columns(delimiter: str) -> int:
        try:
            rows = [row for row in csv.reader(sample.splitlines()[:_SAMPLE_ROWS], delimiter=delimiter) if row]
        except csv.Error:
            return 0
        return min((len(row) for row in rows), default=0)

    return max(_DELIMITERS, key=columns)

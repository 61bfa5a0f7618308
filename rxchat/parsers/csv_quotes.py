"""Parses quotation marks in CSV, also those that programs neither double nor close."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

_ESCAPED = re.compile(r'(?<!\\)((?:\\\\)*)\\"')
_FEWEST_SWALLOWED = 3
_MOST_LINES = 500
_CELL_CHARACTERS = 50_000
"""The longest quoted cell; a mark before a longer one, or one with more lines, is a literal."""

_LOOKED_AT_IN_VAIN = 100_000_000
_LINE_END = re.compile(r"[\r\n]|\Z")


def is_regular(text: str, delimiter: str) -> bool:
    """Whether all quotation marks conform to RFC 4180, and none joins rows by mistake."""
    if '"' not in text:
        return True
    if re.search(rf'(?:^|{re.escape(delimiter)}) +"', text, re.MULTILINE):
        return False
    lines: list[str] = []

    def fed() -> Iterator[str]:
        for line in io.StringIO(text, newline=""):
            lines.append(line)
            yield line

    columns = 0
    try:
        for row in csv.reader(fed(), delimiter=delimiter, strict=True):
            columns = columns or len(row)
            if len(lines) > 1 and _are_rows(lines, columns, delimiter):
                return False
            lines.clear()
    except csv.Error:
        return False
    return True


def without_backslashes(text: str, delimiter: str) -> str:
    """Replace backslash-escaped quotation marks by doubled ones; "" if the result is no table."""
    if '\\"' not in text:
        return ""
    doubled = _ESCAPED.sub(r'\1""', text)
    return doubled if is_regular(doubled, delimiter) else ""


class LenientRows:
    """The rows of a table: a mark closes a cell only at its end, and opens none that would join rows."""

    def __init__(self, text: str, delimiter: str) -> None:
        end = rf"(?= *(?:{re.escape(delimiter)}|[\r\n]|\Z))"
        # Possessive, so that no file can cause exponential backtracking.
        self._quoted = re.compile(rf' *"((?:[^"]++|""|"(?!{end}))*+)"{end} *')
        self._in_line = re.compile(rf' *"([^\r\n]*?)"{end} *')
        self._bare = re.compile(rf"[^{re.escape(delimiter)}\r\n]*")
        self._text = text
        self._delimiter = delimiter
        self._columns = 0
        self._budget = _LOOKED_AT_IN_VAIN
        self.is_broken = False
        """Whether some marks were irregular; final after all rows were read."""

    def __iter__(self) -> Iterator[list[str]]:
        """Yield the rows."""
        position, length = 0, len(self._text)
        while position < length:
            row: list[str] = []
            start = position
            while True:
                cell, position = self._cell(start, position)
                row.append(cell)
                if self._text[position : position + 1] != self._delimiter:
                    break
                position += 1
            position += 2 if self._text.startswith("\r\n", position) else 1
            self._columns = self._columns or len(row)
            yield row

    def _cell(self, start: int, position: int) -> tuple[str, int]:
        """Return the cell at a position, and its end."""
        found = self._bare.match(self._text, position)
        bare = found.group() if found else ""
        if not bare.lstrip(" ").startswith('"'):
            return bare, position + len(bare)
        if quoted := self._closed(start, position):
            cell = quoted.group(1).replace('""', '"')
            self.is_broken = self.is_broken or '"' in quoted.group(1).replace('""', "")
            return cell, quoted.end()
        self.is_broken = True
        in_line = self._matched(self._in_line, position)
        return (in_line.group(1), in_line.end()) if in_line else (bare, position + len(bare))

    def _closed(self, start: int, position: int) -> re.Match[str] | None:
        """Return the quoted cell at a position; None if its mark is not closed, or only by another row's."""
        found = self._matched(self._quoted, position)
        if found is None or ("\n" not in found.group() and "\r" not in found.group()):
            return found
        line_end = _LINE_END.search(self._text, found.end())
        lines = self._text[start : line_end.start() if line_end else None].splitlines()
        is_broken = '"' in found.group(1).replace('""', "")
        if _are_rows(lines, self._columns, self._delimiter, is_broken=is_broken):
            self._budget -= len(found.group())
            return None
        return found

    def _matched(self, pattern: re.Pattern[str], position: int) -> re.Match[str] | None:
        """Match within a limited length; also returns None after too many failed attempts."""
        if self._budget <= 0:
            return None
        limit = position + _CELL_CHARACTERS
        found = pattern.match(self._text, position, limit)
        if found is None or found.end() == limit < len(self._text):
            self._budget -= _CELL_CHARACTERS
            return None
        return found


def _are_rows(lines: list[str], columns: int, delimiter: str, *, is_broken: bool = False) -> bool:
    """Whether the lines of one row are separate rows that a stray mark joined."""
    if len(lines) > _MOST_LINES:
        return True
    if is_broken and columns > 1:
        return lines[0].count(delimiter) == columns - 1
    if columns < 2 or len(lines) < _FEWEST_SWALLOWED:
        return False
    return all(line.count(delimiter) == columns - 1 for line in lines)

"""One sheet of an Excel workbook, row by row, with each cell as it is displayed."""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Generator, Iterator, Sequence
from typing import Any

from openpyxl.styles.numbers import BUILTIN_FORMATS, BUILTIN_FORMATS_MAX_SIZE
from openpyxl.utils import coordinate_to_tuple
from openpyxl.worksheet._reader import FORMULA_TAG, WorkSheetParser

from rxchat.parsers import limits, number_format
from rxchat.parsers.builder import one_line
from rxchat.parsers.margins import is_page_number

# openpyxl's type annotations are incomplete.
# pyright: reportPrivateUsage=false

_MERGED = re.compile(rb"<(?:\w{1,10}:)?mergeCell\s+ref=\"([A-Z]{1,3}\d{1,7}):([A-Z]{1,3}\d{1,7})\"")
_MARGIN = re.compile(rb"<(?:\w{1,10}:)?(?:odd|even|first)(Header|Footer)>([^<]{1,2000})<")
_MARGIN_CODE = re.compile(r'&(?:&|"[^"]*"|K[0-9A-F]{6}|K\d\d[+-]\d{3}|\d{1,3}|[A-Za-z])')
_MOST_MERGED = 10_000
_LONGEST_REPEATED = 100
_LAST_COLUMN = 16_384
_ON = frozenset({"1", "true"})
_EAST_ASIAN_DATES = frozenset({*range(27, 37), *range(50, 59)})
# Times in some languages, and dates in others: a value below 1 is a time.
_EAST_ASIAN_TIMES = frozenset({*range(32, 36), 55, 56})
_TIME_OR_DATE = "[<1]h:mm:ss;yyyy-mm-dd"
_FORMULA = "f"


class SheetReader:
    """Reads the rows of a sheet, and counts hidden content."""

    def __init__(self, sheet: Any, formats: list[str], *, is_1904: bool) -> None:
        self._sheet = sheet
        self._formats = formats
        self._is_1904 = is_1904
        self.uncalculated = 0
        """The number of formulas without a stored result."""
        self.hidden_rows = 0
        self.hidden_columns = 0
        self.hidden_values = 0
        """The number of values that their format hides (`;;;`)."""
        self.margins: tuple[str, ...] = ()
        """The headers and footers of the printed pages."""

    def rows(self) -> Generator[list[str]]:
        """Yield the rows that have cells; a short text merged over several rows is repeated in each of them."""
        merged = self._merged_down()
        carried: dict[int, tuple[int, str]] = {}
        with self._sheet._get_source() as source:
            parser = _Parser(source, self._sheet._shared_strings)
            try:
                for number, cells in parser.parse():
                    row = self._texts(cells)
                    for column, (last, text) in list(carried.items()):
                        if number > last:
                            del carried[column]
                        else:
                            row += [""] * (column + 1 - len(row))
                            row[column] = row[column] or text
                    for column in range(min(len(row), limits.TABLE_COLUMNS) if merged else 0):
                        last = merged.get((number, column + 1))
                        if last and 0 < len(row[column]) <= _LONGEST_REPEATED:
                            carried[column] = last, row[column]
                    yield row
            finally:
                self._count_hidden(parser)

    def _count_hidden(self, parser: _Parser) -> None:
        self.hidden_rows = sum(row.get("hidden") in _ON for row in parser.row_dimensions.values())
        # A sheet often hides all columns to the right of its data.
        self.hidden_columns = sum(
            int(column["max"]) - int(column["min"]) + 1
            for column in parser.column_dimensions.values()
            if column.get("hidden") in _ON and int(column["max"]) < _LAST_COLUMN
        )

    def _merged_down(self) -> dict[tuple[int, int], int]:
        """Return the last row of each merged range of several rows, by its first cell."""
        ranges: dict[tuple[int, int], int] = {}
        with self._sheet._get_source() as source:
            content = source.read()
        start = content.rfind(b"</sheetData>")
        self.margins = tuple(dict.fromkeys(_margins(content[max(0, start) :])))
        for found in _MERGED.finditer(content, max(0, start)):
            first, last = (coordinate_to_tuple(cell.decode()) for cell in found.groups())
            if last[0] > first[0] and len(ranges) < _MOST_MERGED:
                ranges[first] = last[0]
        return ranges

    def _texts(self, cells: Sequence[dict[str, Any]]) -> list[str]:
        row: list[str] = []
        for cell in cells:
            text = self._text(cell)
            if text:
                # One column more than is read, to detect that columns are left out.
                column = min(cell["column"] - 1, limits.TABLE_COLUMNS)
                row += [""] * (column + 1 - len(row))
                row[column] = text
        return row

    def _text(self, cell: dict[str, Any]) -> str:
        """Return the displayed text of a cell."""
        value, style = cell["value"], cell["style_id"]
        code: str = self._formats[style] if 0 <= style < len(self._formats) else "General"
        if cell["data_type"] == _FORMULA:
            self.uncalculated += 1
        match value:
            case None:
                return ""
            case bool():
                return "TRUE" if value else "FALSE"
            case int() | float():
                text = number_format.displayed(value, code, is_1904=self._is_1904)
                if text or not value:
                    # Many sheets hide zeros, which carry no information.
                    return text
                self.hidden_values += 1
                return number_format.general(value)
            case dt.datetime() if value.time() == dt.time():
                return value.date().isoformat()
            case dt.datetime():
                return value.isoformat(" ", "seconds")
            case str() if cell["data_type"] == "s":
                text = number_format.displayed_text(value, code)
                self.hidden_values += bool(value.strip()) and not text
                return text or value
            case _:
                return str(value)


def _margins(content: bytes) -> Iterator[str]:
    """Yield the headers and footers of a sheet's XML, without formatting codes (ECMA-376, 18.3.1.46)."""
    for found in _MARGIN.finditer(content):
        kind, code = found.group(1).decode(), html.unescape(found.group(2).decode("utf-8", "replace"))
        text = one_line(_MARGIN_CODE.sub(lambda code: "&" if code.group() == "&&" else " ", code))
        if not is_page_number(text):
            yield f"{kind}: {text}"


class _Parser(WorkSheetParser):
    """openpyxl's parser of sheets, with formulas as values if they have no result, and dates as numbers."""

    def __init__(self, source: Any, shared_strings: Any) -> None:
        super().__init__(source, shared_strings, data_only=True)

    def parse_cell(self, element: Any) -> dict[str, Any]:
        """Return a cell; its type is "f" if its value is a formula."""
        cell: dict[str, Any] = super().parse_cell(element)
        formula = element.find(FORMULA_TAG)
        if formula is not None:
            # Cells with a shared formula refer to the first one, whether they have results or not.
            is_shared = formula.get("t") == "shared"
            # An empty text is a result.
            is_open = cell["value"] is None and element.get("t") != "str"
            if is_shared or is_open:
                text = self.parse_formula(element)
                if is_open:
                    cell |= {"value": getattr(text, "text", None) or str(text), "data_type": _FORMULA}
        return cell


def format_codes(workbook: Any) -> list[str]:
    """Return the format code of each style of a workbook's cells."""
    return [format_code(style.numFmtId, workbook._number_formats) for style in workbook._cell_styles]


def format_code(number: int, named: Sequence[str] = ()) -> str:
    """Return the format code of a number: a built-in one, or one of those that a workbook names."""
    if number in _EAST_ASIAN_TIMES:
        return _TIME_OR_DATE
    if number in _EAST_ASIAN_DATES:
        return "yyyy-mm-dd"
    if number < BUILTIN_FORMATS_MAX_SIZE:
        return BUILTIN_FORMATS.get(number, "General")
    own = number - BUILTIN_FORMATS_MAX_SIZE
    return named[own] if own < len(named) else "General"

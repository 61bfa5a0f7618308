"""PDFs: pdfium's lines of each page, joined to paragraphs and headings; form fields, notes and attachments."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pypdfium2
import pypdfium2.raw as pdfium

from rxchat.domain.documents import ParsedDocument
from rxchat.domain.errors import DocumentUnreadable, NoTextLayer
from rxchat.parsers import limits, pdf_annotations, pdf_layers
from rxchat.parsers.builder import TextBuilder
from rxchat.parsers.pdf_columns import Box, Row, in_columns, rows_of
from rxchat.parsers.pdf_layout import Line, add_pages

_PASSWORD = "This PDF is protected by a password: save it without one and upload it again."  # noqa: S105
_SCAN = "This PDF contains only pictures of text. Run OCR on it and upload the result, or ask an administrator to install OCR in RxChat."
_NO_LETTERS = "The text of this PDF cannot be extracted, because its fonts have no character codes. Run OCR on it and upload the result, or ask an administrator to install OCR in RxChat."
_EMPTY = "All pages of this PDF are empty. Upload the document that it was made from."
_DAMAGED = "This PDF is damaged. Save it again, or print it to a PDF, and upload the new file."
_FEW_CHARACTERS = 100
"""A page with a large image and less text than this is a scan with a stamp or a page number."""
_LARGE_PICTURE = 0.5
_MOST_UNREADABLE = 0.3
_MOST_NAMED = 20
_SAMPLED = 50
_MOST_BOXES = 2_000_000
"""The most runs of text for which columns are detected."""


@dataclass(slots=True)
class Content:
    """The contents of the pages of a PDF."""

    pages: list[list[Line]] = field(default_factory=list)
    """The lines of each page; damaged pages and scans may have none."""
    beside: dict[int, list[str]] = field(default_factory=dict)
    """Form fields and notes by the page's number from 0."""
    scans: list[int] = field(default_factory=list)
    """The numbers (from 0) of pages that are images with little or no text."""
    unreadable: list[int] = field(default_factory=list)
    """Those of `scans` whose fonts do not map glyphs to characters."""


def parse(content: bytes, suffix: str) -> ParsedDocument:
    """Return the text, page by page."""
    del suffix
    builder = TextBuilder(len(content))
    with opened(content) as document:
        builder.title = document.get_metadata_value("Title")
        found = content_of(builder, document)
    pdf_layers.note_hidden(builder, content)
    if not any(found.pages) and not found.beside:
        if found.scans:
            raise NoTextLayer(_NO_LETTERS if found.unreadable else _SCAN)
        raise DocumentUnreadable(_EMPTY)
    _note_unread(builder, found)
    add_pages(builder, found.pages, found.beside)
    return replace(builder.built(), scanned_pages=len(found.scans))


def _note_unread(builder: TextBuilder, found: Content) -> None:
    """Add notes about pages whose text was not read."""
    total = len(found.pages)
    scans = [number for number in found.scans if number not in found.unreadable]
    for numbers, what in (
        (scans, "scans, whose text was not recognized (OCR)"),
        (
            found.unreadable,
            "unreadable, because their fonts have no character codes, and were not recognized (OCR)",
        ),
    ):
        if numbers:
            named = ", ".join(f"{number + 1:,}" for number in numbers[:_MOST_NAMED])
            more = f" and {len(numbers) - _MOST_NAMED:,} more" if len(numbers) > _MOST_NAMED else ""
            builder.note(f"{len(numbers):,} of {total:,} pages are {what}: {named}{more}.")


@contextmanager
def opened(content: bytes) -> Iterator[pypdfium2.PdfDocument]:
    """Open a PDF, and map pdfium's errors in this context.

    Raises:
        DocumentUnreadable: if it is damaged or needs a password.
    """
    try:
        yield pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        is_locked = error.err_code in {pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY}
        raise DocumentUnreadable(_PASSWORD if is_locked else _DAMAGED) from error


def content_of(builder: TextBuilder, document: pypdfium2.PdfDocument) -> Content:
    """Return the contents of a document's pages, and add notes about damaged pages and attached files."""
    builder.pages = len(document)
    if builder.pages == 0:
        raise DocumentUnreadable(_DAMAGED)
    if builder.pages > limits.PDF_PAGES:
        builder.note(f"Only the first {limits.PDF_PAGES:,} of {builder.pages:,} pages were read.")
    if document.get_formtype() != pdfium.FORMTYPE_NONE:
        document.init_forms()
    reader = _Reader(document)
    characters = damaged = 0
    for number in range(min(builder.pages, limits.PDF_PAGES)):
        try:
            lines = reader.read(number)
        except pypdfium2.PdfiumError:
            lines = []
            damaged += 1
        reader.found.pages.append(lines)
        characters += sum(len(line.text) for line in lines)
        if characters > limits.TEXT_CHARACTERS:
            break
    if damaged == len(reader.found.pages):
        raise DocumentUnreadable(_DAMAGED)
    if damaged:
        builder.note(f"{damaged:,} pages are damaged, and were left out.")
    if reader.unreadable_lines:
        builder.note(f"{reader.unreadable_lines:,} lines were left out: their font has no character codes.")
    pdf_annotations.note_files(builder, document, reader.files)
    return reader.found


class _Reader:
    """Reads the pages of a document one by one."""

    def __init__(self, document: pypdfium2.PdfDocument) -> None:
        self._document = document
        self._boxes = 0
        self.found = Content()
        self.files: list[str] = []
        """The names of files attached to pages."""
        self.unreadable_lines = 0

    def read(self, number: int) -> list[Line]:
        """Return the lines of a page with their positions."""
        page = self._document[number]
        rotation = page.get_rotation()
        text_page = page.get_textpage()
        try:
            turn = Turn.of(page, text_page)
            if rotation and not turn.quarters:
                # pdfium orders lines of the rotated page, which is wrong for scanned pages and those turned sideways.
                page.set_rotation(0)
                text_page.close()
                text_page = page.get_textpage()
            lines = self._in_columns(text_page, turn) or _lines(page, text_page)
            if rotation and not turn.quarters:
                page.set_rotation(rotation)
            above = pdf_annotations.of_page(self._document, number, page, text_page)
            if above.fields or above.notes:
                self.found.beside[number] = [*above.fields, *above.notes]
            self.files += above.files
            return self._readable(number, page, lines)
        finally:
            text_page.close()
            page.close()

    def _readable(self, number: int, page: pypdfium2.PdfPage, lines: list[Line]) -> list[Line]:
        """Return the readable lines; none if most of the page is unreadable, which is then treated as a scan."""
        length = sum(len(line.text) for line in lines)
        unreadable = [line for line in lines if line.is_unreadable]
        if sum(len(line.text) for line in unreadable) > _MOST_UNREADABLE * length:
            self.found.scans.append(number)
            self.found.unreadable.append(number)
            return []
        self.unreadable_lines += len(unreadable)
        if length < _FEW_CHARACTERS and _shows_picture(page, is_empty=not lines):
            self.found.scans.append(number)
        return [line for line in lines if not line.is_unreadable]

    def _in_columns(self, text_page: pypdfium2.PdfTextPage, turn: Turn) -> list[Line] | None:
        """Return the lines in the order of columns; None if pdfium's order does not read across columns."""
        count = text_page.count_rects()
        self._boxes += count
        if count < 8 or self._boxes > _MOST_BOXES:
            return None
        rows = in_columns(rows_of([turn.upright(Box(*text_page.get_rect(index))) for index in range(count)]))
        return None if rows is None else [line for row in rows if (line := _line_of(text_page, row, turn)).text]


@dataclass(frozen=True, slots=True)
class Turn:
    """The rotation of a page's text in counterclockwise quarter turns, and the page's size."""

    quarters: int
    width: float
    height: float

    @classmethod
    def of(cls, page: pypdfium2.PdfPage, text_page: pypdfium2.PdfTextPage) -> Turn:
        """Return the rotation of most of the text, by a sample of its characters."""
        count = text_page.count_chars()
        angles = [_quarters(text_page, index) for index in range(0, count, max(1, count // _SAMPLED))]
        return cls(max(set(angles), key=angles.count) if angles else 0, *_size(page))

    def upright(self, box: Box) -> Box:
        """Return a box in the coordinates of the page with upright text."""
        return _turned_by(self.quarters, box, self.width, self.height)

    def on_page(self, box: Box) -> Box:
        """Return a box of the upright page in the coordinates of the page."""
        is_sideways = self.quarters % 2 == 1
        width, height = (self.height, self.width) if is_sideways else (self.width, self.height)
        return _turned_by(-self.quarters % 4, box, width, height)


def _turned_by(quarters: int, box: Box, width: float, height: float) -> Box:
    match quarters:
        case 0:
            return box
        case 1:
            return Box(box.bottom, width - box.right, box.top, width - box.left)
        case 2:
            return Box(width - box.right, height - box.top, width - box.left, height - box.bottom)
        case _:
            return Box(height - box.top, box.left, height - box.bottom, box.right)


def _quarters(text_page: pypdfium2.PdfTextPage, index: int) -> int:
    return -round(pdfium.FPDFText_GetCharAngle(text_page, index) / (math.pi / 2)) % 4


def _size(page: pypdfium2.PdfPage) -> tuple[float, float]:
    """Return the width and height of a page before rotation."""
    width, height = page.get_size()
    return (width, height) if page.get_rotation() % 180 == 0 else (height, width)


def _shows_picture(page: pypdfium2.PdfPage, *, is_empty: bool) -> bool:
    """Whether a page without text shows any object, or one with little text a large image."""
    width, height = page.get_size()
    try:
        for shown in page.get_objects(max_depth=3):
            if is_empty:
                return True
            if isinstance(shown, pypdfium2.PdfImage):
                left, bottom, right, top = shown.get_bounds()
                if (right - left) * (top - bottom) > _LARGE_PICTURE * width * height:
                    return True
    except pypdfium2.PdfiumError:
        return False
    return False


def _lines(page: pypdfium2.PdfPage, text_page: pypdfium2.PdfTextPage) -> list[Line]:
    """Return pdfium's lines, in which it has joined the PDF's text objects."""
    lines: list[Line] = []
    position = 0
    for text in text_page.get_text_range().split("\r\n"):
        if text.strip():
            first = position + len(text) - len(text.lstrip())
            lines.append(_line(page, text_page, text, first))
        position += len(text) + 2
    # pdfium begins with the last line if text runs down the page.
    rises = sum(line.bottom > before.bottom for before, line in pairwise(lines))
    is_turned = bool(lines) and round(pdfium.FPDFText_GetCharAngle(text_page, 0) / (math.pi / 2)) % 4 != 0
    return lines[::-1] if is_turned and rises > 0.8 * (len(lines) - 1) > 0 else lines


def _line(page: pypdfium2.PdfPage, text_page: pypdfium2.PdfTextPage, text: str, position: int) -> Line:
    """Return a line with the position and size of its first character on the upright page."""
    index = max(0, pdfium.FPDFText_GetCharIndexFromTextIndex(text_page, position))
    try:
        box = _turned(page, text_page, index)
    except pypdfium2.PdfiumError:
        box = Box(0.0, 0.0, 0.0, 0.0)
    is_unreadable = _is_unreadable(text_page, text, index)
    return Line(text.strip(), box.left, box.bottom, abs(box.height), is_unreadable)


def _turned(page: pypdfium2.PdfPage, text_page: pypdfium2.PdfTextPage, index: int) -> Box:
    """Return the box of a character on the page rotated so that the character is upright."""
    box = Box(*text_page.get_charbox(index, loose=True))
    return Turn(_quarters(text_page, index), *_size(page)).upright(box)


def _line_of(text_page: pypdfium2.PdfTextPage, row: Row, turn: Turn) -> Line:
    """Join the runs of a row to a line."""
    left, right = row[0].left, max(box.right for box in row)
    bottom, top = min(box.bottom for box in row), max(box.top for box in row)
    placed = turn.on_page(Box(left - 1, bottom - 1, right + 1, top + 1))
    text = " ".join(text_page.get_text_bounded(placed.left, placed.bottom, placed.right, placed.top).split())
    middle = (row[0].bottom + row[0].top) / 2
    first = turn.on_page(Box(left + 1, middle, left + 1, middle))
    index = text_page.get_index(first.left, first.bottom, row[0].height, row[0].height)
    if index is None:
        return Line(text, left, bottom, top - bottom)
    character = turn.upright(Box(*text_page.get_charbox(index, loose=True)))
    return Line(text, left, character.bottom, abs(character.height), _is_unreadable(text_page, text, index))


def _is_unreadable(text_page: pypdfium2.PdfTextPage, text: str, index: int) -> bool:
    """Whether most of a line's characters are glyph numbers without a mapping to characters."""
    last = index + len(text.strip()) - 1
    places = {index, (index + last) // 2, last, (index + 2 * last) // 3}
    unknown = sum(pdfium.FPDFText_HasUnicodeMapError(text_page, place) == 1 for place in places)
    return unknown * 2 > len(places) or sum("\ue000" <= it <= "\uf8ff" for it in text) * 2 > len(text)

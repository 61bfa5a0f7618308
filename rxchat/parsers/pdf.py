"""PDFs: the lines that pdfium finds on each page, put together to paragraphs and headings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pypdfium2
import pypdfium2.raw as pdfium

from rxchat.domain.documents import ParsedDocument
from rxchat.domain.errors import DocumentUnreadable, NothingButPixels
from rxchat.parsers import limits
from rxchat.parsers.builder import TextBuilder
from rxchat.parsers.pdf_layout import Line, add_pages

_PASSWORD = "This PDF is protected by a password: save it without one and upload it again."  # noqa: S105
_SCAN = "There is no text in this PDF, only pictures of it: have it recognised (OCR) and upload that, or have OCR installed here."
_EMPTY = "There is nothing on any page of this PDF: upload what it was made from."
_DAMAGED = "This PDF is damaged: save it anew, or print it to a PDF, and upload that."


def parse(content: bytes, suffix: str) -> ParsedDocument:
    """Return the text, page by page."""
    del suffix
    builder = TextBuilder()
    with opened(content) as document:
        builder.title = document.get_metadata_value("Title")
        pages = pages_of(builder, document)
        scanned = sum(not lines and shows_something(document, number) for number, lines in enumerate(pages))
    if not any(pages):
        raise NothingButPixels(_SCAN) if scanned else DocumentUnreadable(_EMPTY)
    if scanned:
        builder.note(f"{scanned:,} of {len(pages):,} pages are scans, whose text was not recognised (OCR).")
    add_pages(builder, pages)
    return replace(builder.built(), scanned_pages=scanned)


@contextmanager
def opened(content: bytes) -> Iterator[pypdfium2.PdfDocument]:
    """Open a PDF; what goes wrong with it in this context is said in words.

    Raises:
        DocumentUnreadable: when it is damaged or needs a password.
    """
    try:
        yield pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        is_locked = error.err_code in {pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY}
        raise DocumentUnreadable(_PASSWORD if is_locked else _DAMAGED) from error


def shows_something(document: pypdfium2.PdfDocument, number: int) -> bool:
    """Whether there is anything on a page, such as a picture or letters that are drawn; on a damaged one there is not."""
    try:
        page = document[number]
    except pypdfium2.PdfiumError:
        return False
    try:
        return next(page.get_objects(max_depth=1), None) is not None
    except pypdfium2.PdfiumError:
        return False
    finally:
        page.close()


def pages_of(builder: TextBuilder, document: pypdfium2.PdfDocument) -> list[list[Line]]:
    """Return the lines of each page; a damaged page has none."""
    builder.pages = len(document)
    if builder.pages == 0:
        raise DocumentUnreadable(_DAMAGED)
    if builder.pages > limits.PDF_PAGES:
        builder.note(f"Only the first {limits.PDF_PAGES:,} of {builder.pages:,} pages were read.")
    pages: list[list[Line]] = []
    characters = 0
    damaged = 0
    for number in range(min(builder.pages, limits.PDF_PAGES)):
        try:
            lines = _lines(document, number)
        except pypdfium2.PdfiumError:
            lines = []
            damaged += 1
        pages.append(lines)
        characters += sum(len(line.text) for line in lines)
        if characters > limits.TEXT_CHARACTERS:
            break
    if damaged == len(pages):
        raise DocumentUnreadable(_DAMAGED)
    if damaged:
        builder.note(f"{damaged:,} pages are damaged, and were left out.")
    return pages


def _lines(document: pypdfium2.PdfDocument, number: int) -> list[Line]:
    """Return the lines of a page with their places."""
    page = document[number]
    text_page = page.get_textpage()
    try:
        lines: list[Line] = []
        position = 0
        # The lines are those of pdfium, which has joined the pieces that a PDF is made of.
        for text in text_page.get_text_range().split("\r\n"):
            if text.strip():
                first = position + len(text) - len(text.lstrip())
                lines.append(_line(text_page, text, first))
            position += len(text) + 2
        return lines
    finally:
        text_page.close()
        page.close()


def _line(text_page: pypdfium2.PdfTextPage, text: str, position: int) -> Line:
    """Return a line; its place and size are those of its first character."""
    index = pdfium.FPDFText_GetCharIndexFromTextIndex(text_page, position)
    try:
        left, bottom, _, top = text_page.get_charbox(max(0, index), loose=True)
    except pypdfium2.PdfiumError:
        left = bottom = top = 0.0
    return Line(text.strip(), left, bottom, abs(top - bottom))

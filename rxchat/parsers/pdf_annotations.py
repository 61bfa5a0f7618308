"""Annotations of PDFs: form fields, notes of reviewers, and attached files."""

from __future__ import annotations

import ctypes
import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from rxchat.parsers import pdf_stamps
from rxchat.parsers.builder import TextBuilder, one_line

_MOST_OF_A_PAGE = 2_000
_MOST_BYTES = 200_000
_MOST_NAMED = 10
_HIDDEN = 2
_PASSWORD = 1 << 13
_SILENT = frozenset({pdfium.FPDF_ANNOT_LINK, pdfium.FPDF_ANNOT_POPUP, pdfium.FPDF_ANNOT_WIDGET})
_XFA = frozenset({pdfium.FORMTYPE_XFA_FULL, pdfium.FORMTYPE_XFA_FOREGROUND})
_DRAWN = frozenset({pdfium.FPDF_ANNOT_STAMP, pdfium.FPDF_ANNOT_FREETEXT})
_MARKUP = re.compile(r"<[^<>]{0,2000}>")
_CHOICES = frozenset({pdfium.FPDF_FORMFIELD_LISTBOX, pdfium.FPDF_FORMFIELD_COMBOBOX})
_BUTTONS = frozenset({pdfium.FPDF_FORMFIELD_CHECKBOX, pdfium.FPDF_FORMFIELD_RADIOBUTTON})


@dataclass(slots=True)
class Annotations:
    """The texts of a page's annotations."""

    fields: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)


def of_page(
    document: pypdfium2.PdfDocument, number: int, page: pypdfium2.PdfPage, text_page: pypdfium2.PdfTextPage
) -> Annotations:
    """Return the filled form fields, notes and names of attached files of a page."""
    found = Annotations()
    drawn: list[int] = []
    for index in range(min(pdfium.FPDFPage_GetAnnotCount(page), _MOST_OF_A_PAGE)):
        annotation = pdfium.FPDFPage_GetAnnot(page, index)
        if not annotation:
            continue
        try:
            _add(found, document, annotation, text_page)
            drawn += [index] * _is_only_drawn(annotation)
        finally:
            pdfium.FPDFPage_CloseAnnot(annotation)
    found.notes += [f"Note: {text}" for text in pdf_stamps.texts_of(document, number, drawn)]
    return found


def note_files(builder: TextBuilder, document: pypdfium2.PdfDocument, pinned: list[str]) -> None:
    """Add notes about files attached to a document or its pages, and about forms that cannot be read."""
    names = [document.get_attachment(index).get_name() for index in range(min(document.count_attachments(), 1_000))]
    names = list(dict.fromkeys(one_line(name)[:80] for name in [*names, *pinned]))
    for name in names[:_MOST_NAMED]:
        builder.note(f"The file “{name}” that is attached to this PDF was not read: save it, and upload it by itself.")
    if len(names) > _MOST_NAMED:
        builder.note(f"{len(names) - _MOST_NAMED:,} more attached files were not read.")
    if document.get_formtype() in _XFA:
        builder.note(
            "This PDF is a form of an older kind (XFA), whose fields were not read: print it to a PDF and upload that."
        )


def _add(
    found: Annotations, document: pypdfium2.PdfDocument, annotation: Any, text_page: pypdfium2.PdfTextPage
) -> None:
    if pdfium.FPDFAnnot_GetFlags(annotation) & _HIDDEN:
        return
    kind = pdfium.FPDFAnnot_GetSubtype(annotation)
    if kind == pdfium.FPDF_ANNOT_WIDGET:
        if document.formenv is not None:
            found.fields += [line for line in _field(document.formenv, annotation) if line not in found.fields]
        return
    text = _note_of(annotation)
    if kind == pdfium.FPDF_ANNOT_FILEATTACHMENT:
        attachment = pdfium.FPDFAnnot_GetFileAttachment(annotation)
        name = (
            _string(lambda buffer, size: _wide(pdfium.FPDFAttachment_GetName, attachment, buffer, size))
            if attachment
            else ""
        )
        found.files.append(name or text or "without a name")
    if text and kind not in _SILENT:
        author = one_line(_text(annotation, b"T"))
        found.notes.append(f"Note{f' by {author}' if author else ''}: {text}")
    if kind == pdfium.FPDF_ANNOT_STRIKEOUT and (struck := one_line(" ".join(_marked(annotation, text_page)))):
        found.notes.append(f"Struck out: {struck}")


def _note_of(annotation: Any) -> str:
    """Return the text of a note; some notes have rich text only."""
    rich = "" if (text := one_line(_text(annotation, b"Contents"))) else _text(annotation, b"RC")
    return text or one_line(html.unescape(_MARKUP.sub(" ", rich)))


def _is_only_drawn(annotation: Any) -> bool:
    """Whether the text of an annotation, such as a stamp, is only in its appearance."""
    is_hidden = pdfium.FPDFAnnot_GetFlags(annotation) & _HIDDEN
    is_note = pdfium.FPDFAnnot_GetSubtype(annotation) in _DRAWN
    return is_note and not is_hidden and bool(pdfium.FPDFAnnot_HasKey(annotation, b"AP")) and not _note_of(annotation)


def _marked(annotation: Any, text_page: pypdfium2.PdfTextPage) -> Iterator[str]:
    """Yield the page's texts that an annotation highlights."""
    points = pdfium.FS_QUADPOINTSF()
    for index in range(min(pdfium.FPDFAnnot_CountAttachmentPoints(annotation), _MOST_OF_A_PAGE)):
        if pdfium.FPDFAnnot_GetAttachmentPoints(annotation, index, points):
            across = (points.x1, points.x2, points.x3, points.x4)
            along = (points.y1, points.y2, points.y3, points.y4)
            yield text_page.get_text_bounded(min(across), min(along), max(across), max(along))


def _field(form: Any, annotation: Any) -> Iterator[str]:
    """Yield a line for a filled form field or a ticked checkbox."""
    kind = pdfium.FPDFAnnot_GetFormFieldType(form, annotation)
    shown = _string(
        lambda buffer, size: _wide(pdfium.FPDFAnnot_GetFormFieldAlternateName, form, annotation, buffer, size)
    )
    name = one_line(
        shown or _string(lambda buffer, size: _wide(pdfium.FPDFAnnot_GetFormFieldName, form, annotation, buffer, size))
    )
    value = one_line(
        _string(lambda buffer, size: _wide(pdfium.FPDFAnnot_GetFormFieldValue, form, annotation, buffer, size))
    )
    if kind in _BUTTONS:
        is_checked = bool(pdfium.FPDFAnnot_IsChecked(form, annotation))
        if kind == pdfium.FPDF_FORMFIELD_RADIOBUTTON:
            if is_checked:
                yield f"{name}: {value}"
        else:
            yield f"{name}: {'yes' if is_checked else 'no'}"
    elif kind in _CHOICES:
        chosen = _chosen(form, annotation)
        if chosen or value:
            yield f"{name}: {', '.join(chosen) or value}"
    elif kind == pdfium.FPDF_FORMFIELD_SIGNATURE:
        if pdfium.FPDFAnnot_HasKey(annotation, b"V"):
            yield f"{name}: signed"
    elif value and not pdfium.FPDFAnnot_GetFormFieldFlags(form, annotation) & _PASSWORD:
        yield f"{name}: {value}"


def _chosen(form: Any, annotation: Any) -> list[str]:
    count = min(pdfium.FPDFAnnot_GetOptionCount(form, annotation), _MOST_OF_A_PAGE)
    return [
        one_line(
            _string(
                lambda buffer, size, at=index: _wide(
                    pdfium.FPDFAnnot_GetOptionLabel, form, annotation, at, buffer, size
                )
            )
        )
        for index in range(count)
        if pdfium.FPDFAnnot_IsOptionSelected(form, annotation, index)
    ]


def _text(annotation: Any, key: bytes) -> str:
    return _string(lambda buffer, size: _wide(pdfium.FPDFAnnot_GetStringValue, annotation, key, buffer, size))


def _wide(function: Callable[..., int], *arguments: Any) -> int:
    """Call a pdfium function whose last two arguments are a buffer for text and its size."""
    *given, buffer, size = arguments
    return function(*given, None if buffer is None else ctypes.cast(buffer, ctypes.POINTER(pdfium.FPDF_WCHAR)), size)


def _string(call: Callable[[Any, int], int]) -> str:
    """Return a text from pdfium, which first returns the size and then writes UTF-16."""
    needed = call(None, 0)
    if not 2 < needed <= _MOST_BYTES:
        return ""
    buffer = ctypes.create_string_buffer(needed)
    call(buffer, needed)
    return buffer.raw[: needed - 2].decode("utf-16-le", "replace")

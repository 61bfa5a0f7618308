"""Scans: recognizes the text of pages and images (OCR).

An optional part (requirements-ocr.txt): RapidOCR with the models of PP-OCR that it ships, on ONNX Runtime
(https://rapidai.github.io/RapidOCRDocs/). Importing this module loads the models, which must happen before the process
gives up its rights.
"""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import median_low
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pypdfium2
from PIL import Image, ImageOps, UnidentifiedImageError
from rapidocr import RapidOCR

from rxchat.domain.documents import BlockKind, ParsedDocument, RecognizedLine, RecognizedPage
from rxchat.domain.errors import DocumentUnreadable
from rxchat.parsers import limits, pdf, pdf_layers, protocol
from rxchat.parsers.builder import TextBuilder
from rxchat.parsers.pdf_layout import Line, add_pages

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PROGRESS_OUTPUT = 2
_NOTHING = "No text was found on this {thing}. If it has text, scan it again, larger or with more contrast."
_DAMAGED = "This picture is damaged. Open it, save it again and upload the new file."
_TOO_LARGE = f"This picture has more than {limits.PICTURE_PIXELS // 1_000_000} million pixels: save a smaller version."
_LONGEST_SIDE = 2000
"""Pixels of the longer side of a rendered page: about 170 dpi on A4; RapidOCR uses no more."""
_HEADING = 1.5
"""The smallest size of a heading, relative to the other lines; smaller differences are inaccurate boxes."""
_DOUBTFUL = 0.8
"""A page with a lower confidence is probably rotated; clean pages have 0.95 and more."""
_POINTS = 72 / 170

warnings.simplefilter("error", Image.DecompressionBombWarning)
Image.MAX_IMAGE_PIXELS = limits.PICTURE_PIXELS
cv2.setNumThreads(1)
_engine = RapidOCR(
    params={
        "Global.log_level": "critical",
        # The classifier turns one upright line in twenty upside down; `_upright` rotates whole pages.
        "Global.use_cls": False,
        "EngineConfig.onnxruntime.intra_op_num_threads": 1,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    }
)


def parse(content: bytes, suffix: str, known: Sequence[RecognizedPage] = ()) -> ParsedDocument:
    """Return the text of a scanned PDF (suffix ".pdf") or an image; `known` pages are not recognized again."""
    return _document(content, known) if suffix == ".pdf" else _picture(content)


def _document(content: bytes, known: Sequence[RecognizedPage]) -> ParsedDocument:
    already = {page.number: [Line(it.text, it.left, it.bottom, it.height) for it in page.lines] for page in known}
    builder = TextBuilder(len(content))
    with pdf.opened(content) as document:
        builder.title = document.get_metadata_value("Title")
        whole = pdf.content_of(builder, document)
        pages, scans = whole.pages, whole.scans
        looked_at = scans[: limits.RECOGNISED_PAGES]
        found: list[list[Line]] = []
        for number in looked_at:
            lines = already.get(number)
            found.append(_lines_of(document, number) if lines is None else lines)
            if lines is None:
                _tell(len(found), len(looked_at), number, found[-1])
    for number, lines in zip(looked_at, _of_two_sizes(found), strict=True):
        # OCR also recognizes the little text that a scan contains as text, such as a stamp.
        typed = "".join("".join(line.text.split()) for line in pages[number])
        pages[number] = [*pages[number], *(line for line in lines if "".join(line.text.split()) not in typed)]
    if not any(pages) and not whole.beside:
        raise DocumentUnreadable(_NOTHING.format(thing="scan"))
    recognised = sum(bool(lines) for lines in found)
    if recognised:
        builder.note(f"The text of {_pages(recognised)} was recognized (OCR).")
    if silent := len(found) - recognised:
        builder.note(f"On {_pages(silent)} without text none was found: pictures, perhaps.")
    if left := len(scans) - len(looked_at):
        builder.note(f"{_pages(left)} more were left out: split the file, and upload the rest.")
    pdf_layers.note_hidden(builder, content)
    add_pages(builder, pages, whole.beside)
    return builder.built()


def _pages(count: int) -> str:
    return f"{count:,} {'page' if count == 1 else 'pages'}"


def _lines_of(document: pypdfium2.PdfDocument, number: int) -> list[Line]:
    """Render a page and recognize its lines; a damaged page has none."""
    try:
        page = document[number]
        try:
            width, height = page.get_size()
            scale = _LONGEST_SIDE / max(width, height, 1)
            # Rendered at least a pixel wide and high: a page may be a line.
            if min(width, height) * scale < 1:
                return []
            bitmap = page.render(scale=scale, may_draw_forms=False, rev_byteorder=True, prefer_bgrx=False)
            pixels = bitmap.to_numpy().copy()
        finally:
            page.close()
    except pypdfium2.PdfiumError:
        return []
    return list(_recognised(pixels, 1 / scale))


def _picture(content: bytes) -> ParsedDocument:
    try:
        with Image.open(io.BytesIO(content)) as opened:
            upright = ImageOps.exif_transpose(opened)
            upright.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
            pixels = np.asarray(upright.convert("RGB"))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DocumentUnreadable(_TOO_LARGE) from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise DocumentUnreadable(_DAMAGED) from error
    builder = TextBuilder(len(content))
    lines = [line.text for line in _recognised(pixels, _POINTS)]
    if not lines:
        raise DocumentUnreadable(_NOTHING.format(thing="picture"))
    builder.add(BlockKind.PARAGRAPH, "\n".join(lines))
    builder.note("The text on this picture was recognized (OCR).")
    return builder.built()


def _recognised(pixels: NDArray[Any], points: float) -> Iterator[Line]:
    """Yield the lines of an image from the top; `points` is the size of a pixel."""
    found, bottom = _upright(pixels)
    if found.boxes is None or not found.txts:
        return
    boxes = [(float(box[:, 0].min()), float(box[:, 1].min()), float(box[:, 1].max())) for box in found.boxes]
    for (left, high, low), text in zip(boxes, found.txts, strict=True):
        if text.strip():
            yield Line(text.strip(), left * points, (bottom - low) * points, (low - high) * points)


def _upright(pixels: NDArray[Any]) -> tuple[Any, int]:
    """Recognize an image in its best rotation; returns the result and the height in that rotation."""
    best: Any = _engine(pixels)
    best_score, height = _certainty(best), pixels.shape[0]
    for quarters in (2, 1, 3) if best_score < _DOUBTFUL else ():
        turned = np.ascontiguousarray(np.rot90(pixels, quarters))
        found: Any = _engine(turned)
        if _certainty(found) > max(best_score, _DOUBTFUL):
            best, best_score, height = found, _certainty(found), turned.shape[0]
            break
    return best, height


def _certainty(found: Any) -> float:
    """Return the mean confidence of a result, weighted by the length of lines; 1 if it has no lines.

    Returns 0 if most lines are vertical, since the engine reads those in the wrong order.
    """
    if not found.txts:
        return 1.0 if found.boxes is None or not len(found.boxes) else 0.0
    sides = [np.ptp(box, axis=0) for box in found.boxes]
    if sum(high > wide for wide, high in sides) > len(sides) / 2:
        return 0.0
    lengths = [max(1, len(text)) for text in found.txts]
    return float(np.average(found.scores, weights=lengths))


def _of_two_sizes(pages: Sequence[list[Line]]) -> list[list[Line]]:
    """Round the sizes of lines to that of the body text or of headings, since boxes are inaccurate."""
    heights = [line.height for lines in pages for line in lines]
    usual = median_low(heights) if heights else 0.0
    return [
        [replace(line, height=2 * usual if line.height > _HEADING * usual else usual) for line in lines]
        for lines in pages
    ]


def _tell(done: int, total: int, number: int, lines: Sequence[Line]) -> None:
    """Report the progress and the recognized page to the parent process."""
    page = RecognizedPage(number, tuple(RecognizedLine(it.text, it.left, it.bottom, it.height) for it in lines))
    left = memoryview(f"{done} {total} ".encode() + protocol.encode_page(page) + b"\n")
    while left:
        left = left[os.write(_PROGRESS_OUTPUT, left) :]

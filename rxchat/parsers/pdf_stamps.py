"""Texts that are only in the appearance of annotations: stamps, and text boxes of some programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pypdfium2
import pypdfium2.raw as pdfium

from rxchat.parsers.builder import one_line


def texts_of(document: pypdfium2.PdfDocument, number: int, drawn: Sequence[int]) -> Iterator[str]:
    """Yield the texts that the given annotations of a page display.

    pdfium reads texts of pages only, so these annotations are drawn onto an empty copy of the page.
    """
    if not drawn:
        return
    copied = pypdfium2.PdfDocument.new()
    try:
        copied.import_pages(document, [number])
        copy = copied[0]
        for shown in list(copy.get_objects(max_depth=1)):
            copy.remove_obj(shown)
        copy.gen_content()
        for index in reversed(range(pdfium.FPDFPage_GetAnnotCount(copy))):
            if index not in drawn:
                pdfium.FPDFPage_RemoveAnnot(copy, index)
        pdfium.FPDFPage_Flatten(copy, pdfium.FLAT_NORMALDISPLAY)
        copy.close()
        text = one_line(copied[0].get_textpage().get_text_range())
        if text:
            yield text
    finally:
        copied.close()

"""Scans: pages and pictures that a printer and a scanner, or a telephone, might have made."""

from __future__ import annotations

import io

import pypdfium2
from PIL import Image, ImageDraw, ImageFont

from tests.parsers.samples import file_of

A4_PIXELS = (1240, 1754)


def page(*lines: str, size: tuple[int, int] = A4_PIXELS) -> Image.Image:
    """A white page with some lines in black; the first is a heading."""
    image = Image.new("L", size, 255)
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        top = 60 + number * 60 + (80 if number else 0)
        draw.text((100, top), line, fill=0, font=ImageFont.load_default(70 if number == 0 else 32))
    return image


def picture(*lines: str, suffix: str = "png") -> bytes:
    """A picture with some lines on it."""
    content = io.BytesIO()
    page(*lines, size=(1000, 400)).save(content, suffix)
    return content.getvalue()


def pdf(*texts: str) -> bytes:
    """A PDF of scanned pages, with the lines of a text each."""
    pages = [page(*text.split("\n")) for text in texts]
    content = io.BytesIO()
    pages[0].save(content, "PDF", save_all=True, append_images=pages[1:], resolution=150)
    return content.getvalue()


def mixed_pdf(first: bytes, *texts: str) -> bytes:
    """The pages of a PDF, and scanned ones after them."""
    document, scanned = pypdfium2.PdfDocument(first), pypdfium2.PdfDocument(pdf(*texts))
    document.import_pages(scanned)
    content = io.BytesIO()
    document.save(content)
    return content.getvalue()


def jpeg_2000_pdf(*lines: str) -> bytes:
    """A PDF of one page whose picture is packed as archives do it (JPXDecode)."""
    packed, image = io.BytesIO(), page(*lines, size=(620, 877))
    image.save(packed, "JPEG2000")
    data, drawn = packed.getvalue(), b"q 595 0 0 842 0 0 cm /Im Do Q"
    return file_of(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 6 0 R/Resources<</XObject<</Im 5 0 R>>>>>>",
            b"<</Title(Deed)>>",
            b"<</Type/XObject/Subtype/Image/Width 620/Height 877/ColorSpace/DeviceGray/BitsPerComponent 8"
            b"/Filter/JPXDecode/Length %d>>stream\n%s\nendstream" % (len(data), data),
            b"<</Length %d>>stream\n%s\nendstream" % (len(drawn), drawn),
        ]
    )

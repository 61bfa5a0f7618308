"""Documents as the programs that people use make them: one of each format, all saying the same."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import AsyncGenerator, Callable, Sequence
from email.message import EmailMessage

import docx
import odfdo
import openpyxl
import pptx
from pptx.util import Emu

from rxchat.adapters.parsing import SandboxedParser
from rxchat.domain.documents import Block, BlockKind, ParsedDocument

Placed = tuple[float, float, float, str]
"""A line of a PDF: from the left, from the bottom, size, text."""


async def pieces(content: bytes, size: int = 1 << 16) -> AsyncGenerator[bytes]:
    """The content as a store hands it out."""
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def parsed(name: str, content: bytes, **limits: float) -> ParsedDocument:
    """What the real parser makes of a file."""
    return await SandboxedParser(**limits).parse(name, "", pieces(content))  # type: ignore[arg-type]


def parts(document: ParsedDocument) -> list[tuple[BlockKind, str]]:
    """The blocks with their texts."""
    return [(block.kind, document.text[block.start : block.end]) for block in document.blocks]


def headings(document: ParsedDocument) -> list[tuple[int, str]]:
    """The levels and texts of the headings."""
    return [
        (block.level, document.text[block.start : block.end])
        for block in document.blocks
        if block.kind is BlockKind.HEADING
    ]


def check(document: ParsedDocument) -> None:
    """What is true of every document."""
    last = 0
    for block in document.blocks:
        assert 0 <= last <= block.start < block.end <= len(document.text)
        text = document.text[block.start : block.end]
        assert text == text.rstrip()
        assert text.split("\n")[0].strip()
        assert bool(block.level) == (block.kind is BlockKind.HEADING)
        assert block.page <= document.pages
        last = block.end
    assert document.blocks
    assert not between(document.text, document.blocks).strip()
    assert "\0" not in document.text


def between(text: str, blocks: Sequence[Block]) -> str:
    """The text that belongs to no block."""
    starts = [block.start for block in blocks] + [len(text)]
    ends = [0] + [block.end for block in blocks]
    return "".join(text[end:start] for end, start in zip(ends, starts, strict=True))


def saved(document: object) -> bytes:
    """A document of one of the libraries as bytes."""
    file = io.BytesIO()
    document.save(file)  # type: ignore[attr-defined]
    return file.getvalue()


def word() -> bytes:
    """A Word document."""
    document = docx.Document()
    document.core_properties.title = "Report"
    document.add_heading("Harvest", 1)
    document.add_paragraph("Apples were good.")
    document.add_heading("Numbers", 2)
    document.add_paragraph("Pears", style="List Bullet")
    document.add_paragraph("Plums", style="List Number")
    table = document.add_table(2, 2)
    for row, texts in zip(table.rows, (("fruit", "tons"), ("apple", "7")), strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    document.add_paragraph("The end.")
    return saved(document)


def powerpoint() -> bytes:
    """A presentation."""
    presentation = pptx.Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[1])
    assert slide.shapes.title
    slide.shapes.title.text = "Harvest"
    slide.placeholders[1].text = "Apples\nPears"  # type: ignore[attr-defined]
    assert slide.notes_slide.notes_text_frame
    slide.notes_slide.notes_text_frame.text = "Smile."
    second = presentation.slides.add_slide(presentation.slide_layouts[5])
    assert second.shapes.title
    second.shapes.title.text = "Numbers"
    table = second.shapes.add_table(2, 2, Emu(0), Emu(0), Emu(100), Emu(100)).table
    table.cell(0, 0).text, table.cell(0, 1).text = "fruit", "tons"
    table.cell(1, 0).text, table.cell(1, 1).text = "apple", "7"
    return saved(presentation)


def excel(rows: int = 3) -> bytes:
    """A workbook."""
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet
    sheet.title = "Harvest"
    sheet.append(["fruit", "tons", "ripe"])
    for number in range(rows):
        sheet.append([f"apple {number}", 7.5, True])
    workbook.create_sheet("More").append(["only"])
    return saved(workbook)


def opendocument() -> bytes:
    """An OpenDocument text."""
    document = odfdo.Document("text")
    document.body.clear()
    table = odfdo.Table("T", 2, 2)
    table.set_value((0, 0), "fruit")
    table.set_value((1, 0), "tons")
    table.set_value((0, 1), "apple")
    table.set_value((1, 1), 7)
    for element in (
        odfdo.Header(1, "Harvest"),
        odfdo.Paragraph("Apples were good."),
        odfdo.Header(2, "Numbers"),
        odfdo.List(["Pears", "Plums"]),
        table,
    ):
        document.body.append(element)
    return saved(document)


CONTAINER = (
    b'<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    b'<rootfile full-path="O/book.opf"/></rootfiles></container>'
)
CHAPTER = '<?xml version="1.0"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml"><body>{}</body></html>'


def epub(*hrefs: str, chapters: dict[str, str] | None = None) -> bytes:
    """A book: its chapters are read in the order of the addresses."""
    chapters = chapters or {"O/b.xhtml": "<h1>Harvest</h1><p>Apples.</p>", "O/a b.xhtml": "<h2>More</h2><p>Pears.</p>"}
    hrefs = hrefs or ("b.xhtml", "a%20b.xhtml")
    items = "".join(f'<item id="i{n}" href="{h}" media-type="application/xhtml+xml"/>' for n, h in enumerate(hrefs))
    spine = "".join(f'<itemref idref="i{n}"/>' for n in range(len(hrefs)))
    book = (
        '<package xmlns="http://www.idpf.org/2007/opf"><metadata><title>Fruit</title></metadata>'
        f"<manifest>{items}</manifest><spine>{spine}</spine></package>"
    )
    return zipped(
        {
            "mimetype": b"application/epub+zip",
            "META-INF/container.xml": CONTAINER,
            "O/book.opf": book.encode(),
            **{name: CHAPTER.format(body).encode() for name, body in chapters.items()},
        }
    )


def zipped(entries: dict[str, bytes]) -> bytes:
    """A zip archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return file.getvalue()


def replaced(archive: bytes, changes: dict[str, Callable[[bytes], bytes]]) -> bytes:
    """An archive with some of its entries changed."""
    with zipfile.ZipFile(io.BytesIO(archive)) as package:
        entries = {name: package.read(name) for name in package.namelist()}
    return zipped(entries | {name: change(entries.get(name, b"")) for name, change in changes.items()})


def pdf(*pages: Sequence[Placed], media_box: str = "0 0 612 792", title: str = "Report") -> bytes:
    """A PDF made by hand, set in Helvetica."""
    streams = []
    for page in pages:
        lines = [f"BT /F {size} Tf {x} {y} Td ({_escaped(text)}) Tj ET" for x, y, size, text in page]
        streams.append(zlib.compress("\n".join(lines).encode("cp1252")))
    return pdf_of(streams, media_box, title)


def pdf_of(streams: Sequence[bytes], media_box: str = "0 0 612 792", title: str = "", pages: bytes = b"") -> bytes:
    """A PDF of compressed contents of pages, and of another page tree if there should be one."""
    kids = " ".join(f"{5 + 2 * number} 0 R" for number in range(len(streams)))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        pages or f"<</Type/Pages/Kids[{kids}]/Count {len(streams)}>>".encode(),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
        f"<</Title({title})>>".encode(),
    ]
    for number, stream in enumerate(streams):
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[{media_box}]/Contents {6 + 2 * number} 0 R"
            "/Resources<</Font<</F 3 0 R>>>>>>".encode()
        )
        objects.append(b"<</Filter/FlateDecode/Length %d>>stream\n" % len(stream) + stream + b"\nendstream")
    return file_of(objects)


def file_of(objects: Sequence[bytes]) -> bytes:
    """A PDF of these objects; the first is its catalogue, the fourth says what is known about it."""
    content = bytearray(b"%PDF-1.7\n")
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(len(content))
        content += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    start = len(content)
    content += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    content += b"".join(b"%010d 00000 n \n" % place for place in places)
    content += b"trailer<</Root 1 0 R/Info 4 0 R/Size %d>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(content)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def report_page(number: int) -> list[Placed]:
    """A page of a report with a heading and three paragraphs."""
    lines: list[Placed] = [(72, 720, 20, f"Chapter {number}")]
    for line in range(45):
        gap = 14 * (line // 15)
        lines.append((72, 690 - 13 * line - gap, 11, f"Line {line} of page {number} speaks of apples and of pears."))
    return lines


def mail() -> bytes:
    """An e-mail with an attachment."""
    message = EmailMessage()
    message["From"] = "Ann <ann@example.org>"
    message["To"] = "bob@example.org"
    message["Date"] = "Mon, 02 Mar 2026 10:00:00 +0000"
    message["Subject"] = "Harvest – größer"
    message.set_content("Apples were good.\n\nPears, too.")
    message.add_alternative("<p>Apples were <b>good</b>.</p>", subtype="html")
    message.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf", filename="list.pdf")
    return bytes(message)


MARKDOWN = b"""---
title: x
---
# Harvest

Apples
were good.

## Numbers

- Pears
- Plums

| fruit | tons |
|---|---|
| apple | 7 |

```python
# no heading
```

[link]: https://example.org
"""

HTML = """<!doctype html><html><head><title>Report</title><style>p{}</style></head><body><nav>Menu</nav>
<h1>Harvest</h1><p>Apples <b>were</b><br>good.</p><h2 hidden>Hidden</h2><p style="display: none">unseen</p>
<h2>Numbers</h2><ul><li>Pears<ul><li>Green</li></ul></li><li>Plums</li></ul>
<table><tr><th>fruit</th><th>tons</th></tr><tr><td>apple</td><td>7</td></tr></table>
<script>evil()</script><template><p>later</p></template><pre>a
  b</pre></body></html>"""

ALL: dict[str, Callable[[], bytes]] = {
    "a.pdf": lambda: pdf(report_page(1)),
    "a.docx": word,
    "a.pptx": powerpoint,
    "a.xlsx": excel,
    "a.odt": opendocument,
    "a.epub": epub,
    "a.html": HTML.encode,
    "a.md": lambda: MARKDOWN,
    "a.txt": lambda: b"Apples were good.\n\nPears, too.",
    "a.csv": lambda: b"fruit,tons\napple,7\n",
    "a.json": lambda: b'{"fruit": ["apple", {"tons": 7}]}',
    "a.py": lambda: b"import os\n\n\ndef f():\n    return os\n",
    "a.eml": mail,
}

"""Malicious files that attack parsers."""

from __future__ import annotations

import functools
import io
import random
import zipfile
import zlib
from collections.abc import Callable

from tests.parsers import samples

SECRET_PATH = "/etc/passwd"

_LAUGHS = b"<!DOCTYPE x [<!ENTITY a0 'ha'>" + b"".join(
    b"<!ENTITY a%d '%s'>" % (number, b"&a%d;" % (number - 1) * 10) for number in range(1, 10)
)
LAUGHS = (_LAUGHS + b"]>", b"&a9;")
EXTERNAL = (b"<!DOCTYPE x [<!ENTITY e SYSTEM 'file://" + SECRET_PATH.encode() + b"'>]>", b"&e;")
_MAIN_PARTS = {
    "a.docx": ("word/document.xml", samples.word),
    "a.pptx": ("ppt/slides/slide1.xml", samples.powerpoint),
    "a.xlsx": ("xl/worksheets/sheet1.xml", samples.excel),
    "a.odt": ("content.xml", samples.opendocument),
    "a.epub": ("O/book.opf", samples.epub),
}
_TEXT_ELEMENTS = (b"Harvest", b"fruit", b"Fruit", b"<v>")


def with_entity(name: str, declaration: bytes, use: bytes) -> bytes:
    """An office document whose main part declares entities and uses one where its text was."""
    part, make = _MAIN_PARTS[name]

    def changed(content: bytes) -> bytes:
        head, end, rest = content.partition(b"?>\n") if content.startswith(b"<?xml") else (b"", b"", content)
        for text in _TEXT_ELEMENTS:
            rest = rest.replace(text, text + use)
        return head + end + declaration + rest

    return samples.replaced(make(), {part: changed})


def hidden_entity(name: str) -> bytes:
    """An office document whose main part declares an entity in an encoding that hides it."""
    part, make = _MAIN_PARTS[name]
    hidden = "<!DOCTYPE x [<!ENTITY e 'ha'>]><x>&e;</x>".encode("utf-7").replace(b"<", b"+ADw-").replace(b"!", b"+ACE-")
    return samples.replaced(make(), {part: lambda _: b'<?xml version="1.0" encoding="UTF-7"?>' + hidden})


def zip_bomb(name: str) -> bytes:
    """An office document with a part that unpacks to a third of a gigabyte."""
    part, make = _MAIN_PARTS[name]
    file = io.BytesIO(make())
    archive = zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED, compresslevel=1)
    with archive, archive.open("x/bomb.xml", "w") as entry:
        for _ in range(20):
            entry.write(bytes(1 << 24))
    assert part
    return file.getvalue()


def lying_zip(name: str) -> bytes:
    """An office document with a part of 200 MB that claims to have ten bytes."""
    part, make = _MAIN_PARTS[name]
    content = samples.replaced(make(), {part: lambda it: it + b" " * 200_000_000})
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        size = archive.getinfo(part).file_size
    return content.replace(size.to_bytes(4, "little"), (10).to_bytes(4, "little"))


def many_entries(name: str) -> bytes:
    """An office document with more entries than any has."""
    _, make = _MAIN_PARTS[name]
    return samples.replaced(make(), {f"x/{number}": lambda _: b"" for number in range(10_500)})


def nested_zip() -> bytes:
    """A Word document of archives in archives."""
    inner = b"x" * 1000
    for _ in range(20):
        inner = samples.zipped({"word/document.xml": inner, "word/embeddings/a.zip": inner[:1000]})
    return inner


def wide_sheet() -> bytes:
    """A workbook that claims to be as large as one can be, with a cell in its last corner."""
    corner = b'<row r="1048576"><c r="XFD1048576"><v>7</v></c></row></sheetData>'

    def changed(content: bytes) -> bytes:
        start, _, rest = content.partition(b"<dimension ref=")
        return start + b'<dimension ref="A1:XFD1048576"' + rest[rest.index(b"/>") :].replace(b"</sheetData>", corner)

    return samples.replaced(samples.excel(), {"xl/worksheets/sheet1.xml": changed})


def repeating_text() -> bytes:
    """An OpenDocument text with a thousand million spaces, and as many columns."""

    def changed(content: bytes) -> bytes:
        content = content.replace(b"Apples", b'Apples<text:s text:c="1000000000"/>')
        return content.replace(b"<table:table-cell ", b'<table:table-cell table:number-columns-repeated="1000000000" ')

    return samples.replaced(samples.opendocument(), {"content.xml": changed})


def looping_pdf() -> bytes:
    """A PDF whose tree of pages contains itself."""
    return samples.pdf_of([zlib.compress(b"")], pages=b"<</Type/Pages/Kids[2 0 R 2 0 R 5 0 R]/Count 1000000000>>")


def pdf_stream_bomb() -> bytes:
    """A PDF whose page unpacks to a gigabyte."""
    press = zlib.compressobj(1)
    zeros = bytes(1 << 24)
    return samples.pdf_of([b"".join([*(press.compress(zeros) for _ in range(64)), press.flush()])])


def pdf_with_a_loop_of_forms() -> bytes:
    """A PDF whose page draws a form that draws itself, a thousand times each."""
    page = samples.pdf([(72, 700, 11, "text")])
    resources = b"/Resources<</XObject<</X 6 0 R>>/Font<</F 3 0 R>>>>"
    body = b"/X Do " * 1000
    form = b"6 0 obj\n<</Type/XObject/Subtype/Form/BBox[0 0 9 9]%s/Length %d>>stream\n" % (resources, len(body))
    start = page.index(b"6 0 obj")
    return page[:start] + form + body + b"\nendstream\nendobj\n" + page[page.index(b"xref") :]


def escaping_book() -> bytes:
    """A book whose chapters are files of the machine that reads it, by paths and by a symbolic link."""
    names = [
        "../../../../etc/passwd",
        "/etc/passwd",
        "..%2f..%2f..%2fetc%2fpasswd",
        "link",
        "b.xhtml",
        "C:\\x",
        "file:///etc/passwd",
    ]
    file = io.BytesIO(samples.epub(*names))
    with zipfile.ZipFile(file, "a") as archive:
        link = zipfile.ZipInfo("O/link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, SECRET_PATH)
        archive.writestr("../../../../etc/passwd", "from inside")
    return file.getvalue()


def mail_in_mail() -> bytes:
    """An e-mail of parts in parts."""
    depth = 3000
    head = b"From: a@b\nSubject: s\n"
    return head + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(depth))


def xml_of(depth: int) -> bytes:
    """A Word document that is nested more deeply than any program nests."""
    inner = b"<w:sdt><w:sdtContent>" * depth + b"</w:sdtContent></w:sdt>" * depth
    return samples.replaced(
        samples.word(), {"word/document.xml": lambda it: it.replace(b"<w:sectPr", inner + b"<w:sectPr", 1)}
    )


@functools.cache
def bombs() -> dict[str, tuple[str, Callable[[], bytes]]]:
    """Every hostile file: what it is called, and how it is made."""
    found: dict[str, tuple[str, Callable[[], bytes]]] = {
        "nested zip": ("a.docx", nested_zip),
        "wide sheet": ("a.xlsx", wide_sheet),
        "repeating text": ("a.odt", repeating_text),
        "looping pdf": ("a.pdf", looping_pdf),
        "pdf stream bomb": ("a.pdf", pdf_stream_bomb),
        "pdf with a loop of forms": ("a.pdf", pdf_with_a_loop_of_forms),
        "pdf of a huge page": ("a.pdf", lambda: samples.pdf([(1, 1, 1e30, "x")], media_box="0 0 1e38 1e38")),
        "escaping book": ("a.epub", escaping_book),
        "mail in mail": ("a.eml", mail_in_mail),
        "deep word": ("a.docx", lambda: xml_of(5000)),
        "long csv": ("a.csv", lambda: b"name,number,text\n" + b"somebody,12345,some words that are said\n" * 1_000_000),
        "unquoted csv": ("a.csv", lambda: b'a,b\n"' + b"x,y\n" * 2_000_000),
        "deep json": ("a.json", lambda: b'{"a":' * 200_000),
        "deep closed json": ("a.json", lambda: b"[" * 900 + b"]" * 900),
        "deep html": ("a.html", lambda: b"<div>" * 100_000 + b"x"),
        "deep html lists": ("a.html", lambda: b"<ul><li>x" * 20_000),
        "deep html tables": ("a.html", lambda: b"<table><tr><td>x" * 1_500),
        "formatted html": ("a.html", lambda: b"<p><b><i><a>" * 10_000),
        "deep markdown": ("a.md", lambda: b">" * 50_000 + b" x\n" + b"- " * 50_000 + b"[" * 50_000),
        "open markdown": ("a.md", lambda: b"<a href=" * 50_000 + b"\n```\n" + b"*_" * 100_000),
        "long line": ("a.txt", lambda: b"x" * 30_000_000),
        "combining marks": ("a.txt", ("a" + "\u0301\u0323" * 3_000).encode),
        "bidi and zeros": ("a.txt", lambda: ("\u202e" + "\u0000" * 5 + "\ud7ff").encode() * 1000),
    }
    for name in _MAIN_PARTS:
        found[f"laughs {name}"] = (name, functools.partial(with_entity, name, *LAUGHS))
        found[f"external {name}"] = (name, functools.partial(with_entity, name, *EXTERNAL))
        found[f"utf-7 {name}"] = (name, functools.partial(hidden_entity, name))
        found[f"many entries {name}"] = (name, functools.partial(many_entries, name))
        found[f"zip bomb {name}"] = (name, functools.partial(zip_bomb, name))
    found["lying zip"] = ("a.docx", functools.partial(lying_zip, "a.docx"))
    return found


def spoiled(name: str) -> list[bytes]:
    """An honest file cut off at several lengths, and with bytes changed here and there."""
    content = samples.ALL[name]()
    dice = random.Random(7)
    found = [content[: int(len(content) * share)] for share in (0.2, 0.6, 0.97)]
    for _ in range(2):
        changed = bytearray(content)
        for _ in range(max(1, len(changed) // 300)):
            changed[dice.randrange(16, len(changed))] = dice.randrange(256)
        found.append(bytes(changed))
    return found

"""What a file is, by its name and by what it begins with."""

from __future__ import annotations

import pytest

from rxchat.domain.errors import DocumentUnreadable
from rxchat.parsers.formats import BY_SUFFIX, FormatKind, format_of
from tests.parsers import samples

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 20


@pytest.mark.parametrize("name", samples.ALL)
def test_an_honest_file_is_what_its_name_says(name: str) -> None:
    found = format_of(name.upper(), samples.ALL[name]()[:4096])
    assert f"a{found.suffix}" == name
    assert found == BY_SUFFIX[found.suffix]


@pytest.mark.parametrize(
    ("name", "head", "sentence"),
    [
        ("a.pdf", PNG, "This file is called .pdf, but it is a PNG picture."),
        ("a.docx", b"%PDF-1.4", "This file is called .docx, but it is a PDF."),
        ("a.txt", b"PK\x03\x04", "This file is called .txt, but it is a zip archive."),
        ("a.png", b"GIF89a", "This file is called .png, but it is a GIF picture."),
        ("a.png", b"<svg>", "This file is damaged: it is called .png, but it is not a PNG picture."),
        ("a.docx", b"hello", "This file is damaged: it is called .docx, but it is not a Word document."),
        ("a.pdf", b"hello", "This file is damaged: it is called .pdf, but it is not a PDF."),
        ("a.html", b"\x7fELF", "This file is called .html, but it is a program."),
        ("a.csv", b"MZ\x90\0\x03" + b"\0" * 60, "This file is called .csv, but it is a program."),
        ("a.md", b"a\0b\0\0\0c", "This file is damaged: it is called .md, but it is not text."),
        ("a.exe", b"MZ", "This is a program, and no document."),
        ("a.zip", b"PK\x03\x04", "This is an archive: unpack it and upload the files that are in it."),
        ("noname", b"PK\x03\x04", "This is an archive: unpack it and upload the files that are in it."),
        ("noname", b"OggS", "RxChat cannot read this file: it is a sound recording."),
        ("a.pdf", b"", "There is no text in this file."),
        ("a.xyz", b"text", "RxChat does not know files that end in .xyz: save it as PDF, .docx or .txt"),
        (
            "a.doc",
            OLD_OFFICE,
            "RxChat cannot read this kind of text (.doc): save it as .docx or PDF and upload that.",
        ),
        (
            "a.docx",
            OLD_OFFICE,
            "This file is called .docx, but it is an old Office document, or protected by a password",
        ),
    ],
)
def test_a_contradiction_is_told(name: str, head: bytes, sentence: str) -> None:
    with pytest.raises(DocumentUnreadable) as caught:
        format_of(name, head)
    assert caught.value.message.startswith(sentence)


@pytest.mark.parametrize(
    ("name", "head", "media_type", "kind"),
    [
        ("README", b"hello", "", FormatKind.PLAIN_TEXT),
        (".env", b"A=1", "", FormatKind.PLAIN_TEXT),
        ("scan", b"%PDF-1.4", "", FormatKind.PDF),
        ("photo", PNG, "", FormatKind.IMAGE),
        ("page", b"<p>", "text/html", FormatKind.HTML),
        ("photo.jpeg", b"\xff\xd8\xff\xe0", "", FormatKind.IMAGE),
        ("p.webp", b"RIFF\0\0\0\0WEBP", "", FormatKind.IMAGE),
        ("a.txt", "größer".encode("utf-16"), "", FormatKind.PLAIN_TEXT),
        ("a.txt", "bigger".encode("utf-16-le"), "", FormatKind.PLAIN_TEXT),
        ("a.pdf", b"\r\n\r\n%PDF-1.4", "", FormatKind.PDF),
        ("../../etc/passwd.txt", b"x", "", FormatKind.PLAIN_TEXT),
        ("a.txt. ", b"x", "", FormatKind.PLAIN_TEXT),
        ("", b"x", "", FormatKind.PLAIN_TEXT),
    ],
)
def test_what_is_known_without_a_plain_name(name: str, head: bytes, media_type: str, kind: FormatKind) -> None:
    assert format_of(name, head, media_type).kind is kind


def test_a_media_type_never_overrules_a_name() -> None:
    assert format_of("a.txt", b"<script>", "text/html").media_type == "text/plain"


def test_every_suffix_has_one_format() -> None:
    assert all(suffix == found.suffix for suffix, found in BY_SUFFIX.items())
    assert len(BY_SUFFIX) > 100

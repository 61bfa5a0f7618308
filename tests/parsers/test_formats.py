"""What a file is, by its name and by what it begins with."""

from __future__ import annotations

import bz2
import gzip
import lzma

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
        ("a.png", b"<svg>", "This file is damaged: its name ends in .png, but it is not a PNG picture."),
        ("a.docx", b"hello", "This file is damaged: its name ends in .docx, but it is not a Word document."),
        ("a.pdf", b"hello", "This file is damaged: its name ends in .pdf, but it is not a PDF."),
        ("a.html", b"\x7fELF", "This file is called .html, but it is a program."),
        ("a.csv", b"MZ\x90\0\x03" + b"\0" * 60, "This file is called .csv, but it is a program."),
        ("a.md", b"a\0b\0\0\0c", "This file is damaged: its name ends in .md, but it is not text."),
        ("a.exe", b"MZ", "This is a program, not a document."),
        ("a.zip", b"PK\x03\x04", "This is an archive: unpack it and upload the files that are in it."),
        ("noname", b"PK\x03\x04", "This is an archive: unpack it and upload the files that are in it."),
        ("noname", b"OggS\0\2", "RxChat cannot read this file: it is a sound recording."),
        ("a.txt", b"ID3\3\0\0\0\0\1\2TIT2", "This file is called .txt, but it is a sound recording."),
        ("a.md", b"BZh91AY&SY\x1a\0\0\0", "This file is called .md, but it is a bzip2 archive."),
        ("a.md", bz2.compress(b""), "This file is called .md, but it is a bzip2 archive."),
        ("noname", bz2.compress(bytes(range(256)) * 9), "This is an archive"),
        ("a.csv", b"\0\0\0\x18ftypmp42\0\0\0\0", "This file is called .csv, but it is a video."),
        ("a.txt", b"RIFF\x24\0\0\0WAVEfmt ", "This file is called .txt, but it is a sound recording."),
        ("a.txt", b"RIFF\x24\0\0\0WEBPVP8 ", "This file is called .txt, but it is a WebP picture."),
        ("a.txt", b"fLaC\0\0\0\x22", "This file is called .txt, but it is a sound recording."),
        ("a.txt", b"GIF89a\x10\0\x10\0", "This file is called .txt, but it is a GIF picture."),
        ("a.txt", gzip.compress(b"hello", mtime=0), "This file is called .txt, but it is a gzip archive."),
        ("a.txt", lzma.compress(b"hello"), "This file is called .txt, but it is an xz archive."),
        ("a.txt", b"\x28\xb5\x2f\xfd\x04\x58\x29\0\0hello", "This file is called .txt, but it is a Zstandard archive."),
        ("a.txt", b"\xff\xd8\xff\xe0\0\x10JFIF\0", "This file is called .txt, but it is a JPEG picture."),
        ("a.tex", b"%PDF-1.4\n1 0 obj\n<< >>", "This file is called .tex, but it is a PDF."),
        ("a.txt", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n\0", "This file is called .txt, but it is a PDF."),
        ("a.txt", b"{\\rtf1\\ansi Hello}", "This file is called .txt, but it is an RTF text."),
        ("a.pdf", b"", "This file contains no text."),
        ("a.xyz", b"text", "RxChat does not support files that end in .xyz: save it as PDF, .docx or .txt"),
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


@pytest.mark.parametrize(
    "words",
    [
        "ID3 tags are written before the sound.",
        "BZh is how bzip2 begins.",
        "BZh91 and so on",
        "sizeftyp,video",
        "12 ftypes",
        "MZ was Mark Zbikowski.",
        "RIFF, or: WEBP",
        "RIFF....WAVE and so on",
        "GIF89a is a format.",
        "GIF87a",
        "OggS, in short",
        "fLaC is loud",
        "{\\rtf stands for rich text}",
        "7z is no text",
        "Rar! is one",
        "PK were his initials",
        "SQLite format 3",
        "II* and MM* are TIFFs",
        "%!PS is PostScript",
        "(µ/ý",
        "ÿØÿ à la carte",
        "\x1b[1mID3\x1b[0m",
        "ELF",
    ],
)
def test_a_text_about_another_format_is_a_text(words: str) -> None:
    for name in ("a.txt", "a.md", "a.csv", "a.py", "a.html", "a.json", "README"):
        kind = BY_SUFFIX[name.removeprefix("a")].kind if "." in name else FormatKind.PLAIN_TEXT
        for encoding in ("utf-8", "latin-1", "utf-16"):
            assert format_of(name, words.encode(encoding)).kind is kind, (name, encoding)


def test_a_text_about_pdfs_is_a_text() -> None:
    assert format_of("a.txt", b"%PDF-1.7 is how a PDF begins.").kind is FormatKind.PLAIN_TEXT


def test_a_media_type_never_overrules_a_name() -> None:
    assert format_of("a.txt", b"<script>", "text/html").media_type == "text/plain"


def test_every_suffix_has_one_format() -> None:
    assert all(suffix == found.suffix for suffix, found in BY_SUFFIX.items())
    assert len(BY_SUFFIX) > 100

"""The supported file formats: suffixes, magic numbers, and names for users.

Cheap to import and pure: uploads call it before a file is stored, and ingestion before a parser is chosen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from rxchat.domain.documents import TEXT_READERS
from rxchat.domain.errors import DocumentUnreadable
from rxchat.parsers import utf16


class FormatKind(StrEnum):
    """The parser of a format; the value is the name of its module."""

    PDF = "pdf"
    WORD = "word"
    POWERPOINT = "powerpoint"
    EXCEL = "excel"
    OPEN_DOCUMENT = "opendocument"
    EPUB = "epub"
    HTML = "html"
    MARKDOWN = "markdown"
    PLAIN_TEXT = "plain_text"
    DELIMITED = "delimited"
    JSON = "json_data"
    SOURCE_CODE = "source_code"
    MAIL = "mail"
    RTF = "rtf"
    IMAGE = "image"
    MAIL_FILES = "mail_files"
    """The second pass over mails, which extracts their attachments; no suffix has this kind."""
    SCAN = "scan"
    """The second pass over PDFs and images, which recognizes text (OCR); no suffix has this kind."""
    PICTURE = "picture"
    """Images made smaller for models and for the page; no suffix has this kind."""


@dataclass(frozen=True, slots=True)
class Format:
    """A file format."""

    kind: FormatKind
    suffix: str
    """The suffix of the file's name, in lower case and with the dot; "" if the format comes from the content."""
    media_type: str
    """RxChat's media type, never the client's."""
    label: str
    """The name for users, with an article: "a Word document"."""


_OFFICE = "application/vnd.openxmlformats-officedocument."
_TEXT = Format(FormatKind.PLAIN_TEXT, "", "text/plain", "a text file")

_CODE = (
    ".py .pyi .js .mjs .cjs .ts .tsx .jsx .java .kt .kts .scala .groovy .c .h .cc .cpp .cxx .hpp .cs .go .rs .rb "
    ".php .pl .pm .lua .r .jl .swift .m .mm .dart .ex .exs .erl .hs .clj .lisp .el .vim .sh .bash .zsh .fish .ps1 "
    ".bat .sql .css .scss .sass .less .vue .svelte .xml .xsd .xsl .svg .yaml .yml .toml .ini .cfg .conf "
    ".properties .env .proto .graphql .tf .cmake .mk .gradle .diff .patch .zig .nim .v .sol .asm .s .f90 .pas .vb"
)
_KNOWN: Sequence[tuple[FormatKind, str, str, str]] = (
    (FormatKind.PDF, "application/pdf", "a PDF", ".pdf"),
    (FormatKind.WORD, _OFFICE + "wordprocessingml.document", "a Word document", ".docx"),
    (FormatKind.POWERPOINT, _OFFICE + "presentationml.presentation", "a PowerPoint presentation", ".pptx"),
    (FormatKind.EXCEL, _OFFICE + "spreadsheetml.sheet", "an Excel workbook", ".xlsx"),
    (FormatKind.OPEN_DOCUMENT, "application/vnd.oasis.opendocument.text", "an OpenDocument text", ".odt"),
    (
        FormatKind.OPEN_DOCUMENT,
        "application/vnd.oasis.opendocument.spreadsheet",
        "an OpenDocument spreadsheet",
        ".ods",
    ),
    (
        FormatKind.OPEN_DOCUMENT,
        "application/vnd.oasis.opendocument.presentation",
        "an OpenDocument presentation",
        ".odp",
    ),
    (FormatKind.EPUB, "application/epub+zip", "an EPUB book", ".epub"),
    (FormatKind.HTML, "text/html", "a web page", ".html .htm .xhtml"),
    (FormatKind.MARKDOWN, "text/markdown", "a Markdown file", ".md .markdown .mdx"),
    (FormatKind.PLAIN_TEXT, "text/plain", "a text file", ".txt .text .log .rst .adoc .tex .srt .vtt"),
    (FormatKind.DELIMITED, "text/csv", "a CSV table", ".csv"),
    (FormatKind.DELIMITED, "text/tab-separated-values", "a TSV table", ".tsv .tab"),
    (FormatKind.JSON, "application/json", "a JSON file", ".json .geojson"),
    (FormatKind.JSON, "application/jsonl", "a JSON Lines file", ".jsonl .ndjson"),
    (FormatKind.MAIL, "message/rfc822", "an e-mail", ".eml"),
    (FormatKind.MAIL, "application/mbox", "a mailbox", ".mbox"),
    (FormatKind.RTF, "application/rtf", "an RTF text", ".rtf"),
    (
        FormatKind.SOURCE_CODE,
        "text/plain",
        "source code",
        _CODE,
    ),
    (FormatKind.IMAGE, "image/png", "a PNG picture", ".png"),
    (FormatKind.IMAGE, "image/jpeg", "a JPEG picture", ".jpg .jpeg"),
    (FormatKind.IMAGE, "image/webp", "a WebP picture", ".webp"),
    (FormatKind.IMAGE, "image/gif", "a GIF picture", ".gif"),
)

BY_SUFFIX: dict[str, Format] = {
    suffix: Format(kind, suffix, media_type, label)
    for kind, media_type, label, suffixes in _KNOWN
    for suffix in suffixes.split()
}

# Unsupported formats: their names, and the formats to save them as.
_ADVICE: dict[str, tuple[str, str]] = {
    **dict.fromkeys((".doc", ".dot", ".pages", ".wpd", ".wps", ".docm"), ("this kind of text", ".docx or PDF")),
    **dict.fromkeys((".xls", ".xlsb", ".xlsm", ".numbers"), ("this kind of workbook", ".xlsx or .csv")),
    **dict.fromkeys((".ppt", ".pps", ".pptm", ".ppsx", ".key"), ("this kind of presentation", ".pptx or PDF")),
    **dict.fromkeys((".msg", ".pst"), ("this kind of e-mail", ".eml, or as a PDF")),
    **dict.fromkeys((".mobi", ".azw", ".azw3", ".djvu", ".fb2"), ("this kind of book", ".epub or PDF")),
    **dict.fromkeys((".bmp", ".tif", ".tiff", ".heic", ".avif", ".ico"), ("this kind of picture", ".png or .jpg")),
}
_ARCHIVES = frozenset(
    {".zip", ".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".jar", ".iso", ".dmg", ".cab", ".lz4"}
)
_PROGRAMS = frozenset(
    {
        ".exe",
        ".dll",
        ".so",
        ".dylib",
        ".msi",
        ".com",
        ".scr",
        ".app",
        ".apk",
        ".deb",
        ".rpm",
        ".bin",
        ".class",
        ".pyc",
        ".wasm",
        ".o",
        ".a",
    }
)

_ZIP_KINDS = frozenset(
    {FormatKind.WORD, FormatKind.POWERPOINT, FormatKind.EXCEL, FormatKind.OPEN_DOCUMENT, FormatKind.EPUB}
)
_MAGIC: Sequence[tuple[bytes, str]] = (
    (b"%PDF-", "a PDF"),
    (b"PK\x03\x04", "a zip archive"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF87a", "a GIF picture"),
    (b"GIF89a", "a GIF picture"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document"),
    (b"{\\rtf", "an RTF text"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"\x7fELF", "a program"),
    (b"\xcf\xfa\xed\xfe", "a program"),
    (b"\xca\xfe\xba\xbe", "a program"),
    (b"SQLite format 3\x00", "a database"),
    (b"\x00\x00\x01\x00", "an icon"),
    (b"OggS", "a sound recording"),
    (b"fLaC", "a sound recording"),
    (b"\x1aE\xdf\xa3", "a video"),
)
# Formats that a fixed prefix cannot identify.
_PATTERNS: Sequence[tuple[re.Pattern[bytes], str]] = (
    (re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"), "a bzip2 archive"),
    (re.compile(rb"ID3[\x02-\x04][\x00-\x0f]"), "a sound recording"),
    (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), "a WebP picture"),
    (re.compile(rb"RIFF.{4}WAVE", re.DOTALL), "a sound recording"),
    (re.compile(rb"RIFF.{4}AVI ", re.DOTALL), "a video"),
    # The size of a video's first box is at most some kilobytes.
    (re.compile(rb"\x00\x00[\x00-\x3f].ftyp", re.DOTALL), "a video"),
    (re.compile(rb"MZ(?=.{0,61}\x00)", re.DOTALL), "a program"),
)
_NO_TEXT = re.compile(rb"[\x00-\x07\x0b\x0e-\x1a\x1c-\x1f\x7f]")
"""Bytes that only UTF-16 and UTF-32 texts contain, and the head of every real binary file."""
_ZEROS = re.compile(rb"\0+")
_SHORTEST_TEXT = 32
_WRITTEN_IN_LETTERS: Mapping[str, re.Pattern[bytes]] = {
    "a PDF": re.compile(rb"%PDF-\d\.\d\s.{0,3000}?\d \d+ obj\b", re.DOTALL),
    "an RTF text": re.compile(rb"\{\\rtf\d?\s?[\\{]"),
}
"""Formats whose bytes could be text and that these patterns identify."""
_BY_LABEL = {format_.label: format_ for format_ in BY_SUFFIX.values()}
# The only label that several suffixes share and that has a magic number.
_BY_LABEL["a JPEG picture"] = BY_SUFFIX[".jpg"]
_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_ALLOWED_BEFORE_PDF = 1024


def format_of(name: str, head: bytes, media_type: str = "") -> Format:
    """Return the format of a file, by its name and first 4096 bytes, or by the media type if it has no suffix.

    Raises:
        DocumentUnreadable: if name and content contradict each other, or the format is not supported.
    """
    suffix = _suffix(name)
    known = BY_SUFFIX.get(suffix) or _by_media_type(media_type)
    found = _content_of(head)
    if found is not None and _may_be_text(known, found, head):
        found = None
    if known is None:
        return _nameless(suffix, found)
    expected = _expected(known)
    if expected is None and found is None:
        return _checked_text(known, head)
    if found == expected:
        return known
    if known.kind is FormatKind.PDF and b"%PDF-" in head[:_ALLOWED_BEFORE_PDF] and found is None:
        return known
    raise DocumentUnreadable(_contradiction(known, suffix, found, head))


def read_as(found: Format, reader: str) -> Format:
    """Return the format with which to parse a text file for which its owner chose a parser; others are unchanged."""
    if found.kind not in TEXT_READERS or reader not in TEXT_READERS or reader == found.kind:
        return found
    # A suffix changes how a parser reads its format, such as tabs in a table.
    return replace(found, kind=FormatKind(reader), suffix="")


def _suffix(name: str) -> str:
    """Return the suffix of a name, with the dot and in lower case."""
    last = name.replace("\\", "/").rpartition("/")[2].rstrip(" .")
    stem, dot, ending = last.rpartition(".")
    return f".{ending.lower()}" if dot and stem and len(ending) <= 12 else ""


def _content_of(head: bytes) -> str | None:
    """Return the label that the first bytes identify for certain; None if they may be text."""
    for magic, label in _MAGIC:
        if head.startswith(magic):
            return label
    return next((label for pattern, label in _PATTERNS if pattern.match(head)), None)


def _may_be_text(known: Format | None, found: str, head: bytes) -> bool:
    """Whether a file with the beginning of another format may be a text, by its name or for lack of one."""
    if _NO_TEXT.search(head) or (known is not None and _expected(known) is not None):
        return False
    if known is None and found == "a PDF":
        return False
    return found not in _WRITTEN_IN_LETTERS or not _WRITTEN_IN_LETTERS[found].match(head)


def _expected(known: Format) -> str | None:
    """Return the label that the first bytes of a format must identify."""
    if known.kind in _ZIP_KINDS:
        return "a zip archive"
    return known.label if known.kind in {FormatKind.PDF, FormatKind.IMAGE, FormatKind.RTF} else None


def _by_media_type(media_type: str) -> Format | None:
    """Return the format of one of RxChat's media types; None for text/plain, which is ambiguous."""
    if media_type == _TEXT.media_type:
        return _TEXT
    return next((it for it in BY_SUFFIX.values() if media_type and it.media_type == media_type), None)


def _nameless(suffix: str, found: str | None) -> Format:
    """Return the format of a file with an unknown suffix.

    Raises:
        DocumentUnreadable: always, except for names without a suffix.
    """
    if suffix in _ADVICE:
        what, better = _ADVICE[suffix]
        raise DocumentUnreadable(f"RxChat cannot read {what} ({suffix}): save it as {better} and upload that.")
    if suffix in _ARCHIVES or (not suffix and found and found.endswith("archive")):
        raise DocumentUnreadable("This is an archive: unpack it and upload the files that are in it.")
    if suffix in _PROGRAMS or found == "a program":
        raise DocumentUnreadable("This is a program, not a document.")
    if suffix:
        raise DocumentUnreadable(
            f"RxChat does not support files that end in {suffix}: save it as PDF, .docx or .txt and upload that."
        )
    if found is None:
        return _TEXT
    if found in _BY_LABEL:
        return replace(_BY_LABEL[found], suffix="")
    raise DocumentUnreadable(f"RxChat cannot read this file: it is {found}.")


def _checked_text(known: Format, head: bytes) -> Format:
    """Return the format of a text if its bytes can be text.

    Raises:
        DocumentUnreadable: if it has zeros that no encoding contains.
    """
    if b"\0" not in head or head.startswith(_BYTE_ORDER_MARKS):
        return known
    if utf16.encoding_without_mark(head) or _is_text_with_zeros(head):
        return known
    raise DocumentUnreadable(
        f"This file is damaged: its name ends in {known.suffix or 'a text suffix'}, but it is not text."
    )


def _is_text_with_zeros(head: bytes) -> bool:
    """Whether bytes are a text with some zeros, or with a block of zeros, as a crash leaves in a log."""
    text, runs = _ZEROS.subn(b"", head)
    return len(text) >= _SHORTEST_TEXT and 50 * (runs + len(_NO_TEXT.findall(text))) <= len(text) + 50


def _contradiction(known: Format, suffix: str, found: str | None, head: bytes) -> str:
    if found is not None:
        if known.kind in _ZIP_KINDS and found == "an old Office document":
            return (
                f"This file is called {suffix}, but it is {found}, or protected by a password: "
                f"open it, save it as {suffix} without a password, and upload that."
            )
        return f"This file is called {suffix or known.label}, but it is {found}."
    if not head:
        return "This file contains no text."
    return f"This file is damaged: its name ends in {suffix or known.label}, but it is not {known.label}."

"""Documents: the result of parsing a file, and its progress through ingestion."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class DocumentState(StrEnum):
    """uploading -> stored -> parsed -> chunked -> embedded -> ready, or failed with a reason."""

    UPLOADING = "uploading"
    STORED = "stored"
    PARSED = "parsed"
    CHUNKED = "chunked"
    EMBEDDED = "embedded"
    READY = "ready"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        """Whether ingestion has ended."""
        return self in {DocumentState.READY, DocumentState.FAILED}


class CollectionKind(StrEnum):
    """What a collection is for."""

    LIBRARY = "library"
    """Documents that its owner collects and can share."""
    ATTACHMENTS = "attachments"
    """The files attached to one message."""


class BlockKind(StrEnum):
    """The kind of a block of a document."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST = "list"
    TABLE = "table"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Block:
    """A contiguous part of a document's text, such as a paragraph."""

    kind: BlockKind
    start: int
    """Where it begins in the document's text, in code points."""
    end: int
    page: int = 0
    """The page (of a PDF), slide or sheet, from 1; 0 if the format has none."""
    level: int = 0
    """For a heading: 1 is the highest; otherwise 0."""


ENCODINGS = (
    "utf-8", "utf-16le", "utf-16be", "utf-32le", "utf-32be", "windows-1252", "windows-1250", "windows-1251",
    "windows-1253", "windows-1254", "windows-1255", "windows-1256", "windows-1257", "windows-1258", "windows-874",
    "iso-8859-2", "iso-8859-3", "iso-8859-5", "iso-8859-6", "iso-8859-7", "iso-8859-15", "iso-8859-16", "koi8-r",
    "koi8-u", "macintosh", "x-mac-cyrillic", "ibm437", "ibm737", "ibm850", "ibm852", "ibm862", "ibm866", "shift_jis",
    "euc-jp", "iso-2022-jp", "gb18030", "big5", "euc-kr", "iso-2022-kr", "johab", "hz-gb-2312", "utf-7",
)  # fmt: skip
"""The encodings that a user can choose when the detection was wrong; names of the WHATWG standard."""

TEXT_READERS = ("plain_text", "markdown", "delimited", "json_data", "html", "source_code", "mail")
"""The parsers that a user can choose for a text file; see `rxchat.parsers.formats.FormatKind`."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a user wants a file to be parsed."""

    encoding: str = ""
    """One of `ENCODINGS`; "" to detect it."""
    reader: str = ""
    """One of `TEXT_READERS`; "" to choose it by the file's name."""

    @property
    def is_known(self) -> bool:
        """Whether both values are valid choices."""
        return self.encoding in {"", *ENCODINGS} and self.reader in {"", *TEXT_READERS}


DETECTED = Reading()
"""Detect the encoding and choose the parser by the file's name."""


@dataclass(frozen=True, slots=True)
class RecognizedLine:
    """A line of text recognized on a page, in points from the page's lower left corner."""

    text: str
    left: float
    bottom: float
    height: float


@dataclass(frozen=True, slots=True)
class RecognizedPage:
    """A page of a scan with its recognized text."""

    number: int
    """The page's number, from 0."""
    lines: tuple[RecognizedLine, ...]


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A file attached to an e-mail that can be ingested as a separate document."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """A document's text with its structure: blocks in order, without overlaps."""

    text: str
    blocks: tuple[Block, ...]
    title: str = ""
    """The title in the document's metadata; "" if it has none."""
    pages: int = 0
    """The number of pages, slides or sheets; 0 if the format has none."""
    notes: tuple[str, ...] = ()
    """Sentences about what was left out, for the user who uploaded it ("Rows after 100,000 were left out.")."""
    scanned_pages: int = 0
    """The number of pages that are pictures without text and were not recognized (OCR) yet."""
    encoding: str = ""
    """The encoding of a text file, by its name in the WHATWG standard; "" for other files."""
    reader: str = ""
    """The parser that produced it; see `rxchat.parsers.formats.FormatKind`."""

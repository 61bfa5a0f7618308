"""Documents: what a parser makes of a file, and how far a file has come on its way to being found."""

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
        """Whether nothing more happens by itself."""
        return self in {DocumentState.READY, DocumentState.FAILED}


class BlockKind(StrEnum):
    """What a part of a document is."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST = "list"
    TABLE = "table"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a document's text that belongs together."""

    kind: BlockKind
    start: int
    """Where it begins in the document's text, in code points."""
    end: int
    page: int = 0
    """The page (of a PDF), slide or sheet that it is on, from 1; 0 when there are none."""
    level: int = 0
    """Of a heading: 1 is the highest; else 0."""


ENCODINGS = (
    "utf-8", "utf-16le", "utf-16be", "utf-32le", "utf-32be", "windows-1252", "windows-1250", "windows-1251",
    "windows-1253", "windows-1254", "windows-1255", "windows-1256", "windows-1257", "windows-1258", "windows-874",
    "iso-8859-2", "iso-8859-3", "iso-8859-5", "iso-8859-6", "iso-8859-7", "iso-8859-15", "iso-8859-16", "koi8-r",
    "koi8-u", "macintosh", "x-mac-cyrillic", "ibm437", "ibm737", "ibm850", "ibm852", "ibm862", "ibm866", "shift_jis",
    "euc-jp", "iso-2022-jp", "gb18030", "big5", "euc-kr", "iso-2022-kr", "johab", "hz-gb-2312", "utf-7",
)  # fmt: skip
"""What a user can choose from when the encoding of a text file was detected wrongly; names of the WHATWG standard."""

TEXT_READERS = ("plain_text", "markdown", "delimited", "json_data", "html", "source_code", "mail")
"""What text files can be read as; see `rxchat.parsers.formats.FormatKind`."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a user wants a file to be read."""

    encoding: str = ""
    """One of `ENCODINGS`; "" to detect it."""
    reader: str = ""
    """One of `TEXT_READERS`; "" for what the file's name says."""

    @property
    def is_known(self) -> bool:
        """Whether both are among what can be chosen."""
        return self.encoding in {"", *ENCODINGS} and self.reader in {"", *TEXT_READERS}


DETECTED = Reading()
"""Nothing is chosen: encoding and reader are found out."""


@dataclass(frozen=True, slots=True)
class RecognizedLine:
    """A line that was recognized on a page; places are in points from the page's lower left corner."""

    text: str
    left: float
    bottom: float
    height: float


@dataclass(frozen=True, slots=True)
class RecognizedPage:
    """A page of a scan whose text was recognized."""

    number: int
    """Of the page, from 0."""
    lines: tuple[RecognizedLine, ...]


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A file that is attached to a mail, and can be read as a document of its own."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """The text of a document, and its structure: blocks in their order that do not overlap."""

    text: str
    blocks: tuple[Block, ...]
    title: str = ""
    """What the document calls itself; "" when it does not."""
    pages: int = 0
    """How many pages, slides or sheets it has; 0 when it has none."""
    notes: tuple[str, ...] = ()
    """Sentences about what was left out, for the person who uploaded it ("Rows after 100,000 were left out.")."""
    scanned_pages: int = 0
    """How many of its pages are pictures without text, which nobody has recognised yet."""
    encoding: str = ""
    """In which encoding its file was read, by the name of the WHATWG standard; "" when it is no text file."""
    reader: str = ""
    """Which parser has read it; see `rxchat.parsers.formats.FormatKind`."""

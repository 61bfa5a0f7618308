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

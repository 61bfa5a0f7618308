"""Builds a parsed document: cleaned text, and blocks with correct offsets."""

from __future__ import annotations

import re
import unicodedata

from rxchat.domain.documents import Block, BlockKind, ParsedDocument
from rxchat.domain.errors import DocumentUnreadable
from rxchat.parsers import limits

_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
# Control characters, lone surrogates, the byte order mark, and soft hyphens.
_UNWANTED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufeff\u00ad]")
_MANY_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n){3,}")
_BLANK_START = re.compile(r"\A(?:[^\S\n]*\n)+")
_WHITE_SPACE = re.compile(r"\s+")
_SEPARATOR = "\n\n"


def clean(text: str) -> str:
    """Normalize a text: NFC, newlines as line ends, no control characters, no runs of blank lines."""
    text = _UNWANTED.sub("", _LINE_ENDS.sub("\n", text))
    return _MANY_BLANK_LINES.sub("\n\n\n", unicodedata.normalize("NFC", text))


def one_line(text: str) -> str:
    """Return the cleaned text on one line, with single spaces."""
    return _WHITE_SPACE.sub(" ", clean(text)).strip()


class TextBuilder:
    """Collects the blocks of one document; text beyond a limit is dropped, and a note says so."""

    def __init__(self, source_bytes: int | None = None) -> None:
        """`source_bytes`, the file's size, limits the text, so that a small file cannot expand without bound."""
        self._most = limits.text_characters(source_bytes)
        self.title = ""
        self.encoding = ""
        self.pages = 0
        self.is_full = False
        self._pieces: list[str] = []
        self._blocks: list[Block] = []
        self._notes: list[str] = []
        self._length = 0

    @property
    def room(self) -> int:
        """The number of characters that still fit."""
        return max(0, self._most - self._length)

    @property
    def is_empty(self) -> bool:
        """Whether there is no text yet."""
        return not self._blocks

    def add(self, kind: BlockKind, text: str, *, page: int = 0, level: int = 0) -> None:
        """Append a block, unless its text is empty."""
        if self.is_full:
            return
        text = _trimmed(clean(text))
        if not text:
            return
        separator = _SEPARATOR if self._blocks else ""
        start = self._length + len(separator)
        if len(self._blocks) >= limits.BLOCKS:
            self.is_full = True
            self.note(f"Only the first {limits.BLOCKS:,} paragraphs were read. The rest was left out.")
            return
        if start + len(text) > self._most:
            self.is_full = True
            self._say_full()
            text = _trimmed(text[: max(0, self._most - start)])
            if not text:
                return
        self._pieces += [separator, text]
        self._length = start + len(text)
        self._blocks.append(Block(kind, start, self._length, page, level))

    def cut(self, text: str) -> str:
        """Cut a text to the length that fits, so that no work is wasted on the rest."""
        if len(text) > self._most:
            self._say_full()
        return text[: self._most]

    def heading(self, text: str, level: int, *, page: int = 0) -> None:
        """Append a heading on one line."""
        self.add(BlockKind.HEADING, one_line(text), page=page, level=max(1, min(level, 9)))

    def note(self, sentence: str) -> None:
        """Add a note about text that was left out, for the user who uploaded the file; repeated notes are ignored."""
        if sentence not in self._notes and len(self._notes) < limits.NOTES:
            self._notes.append(one_line(sentence)[: limits.SENTENCE_CHARACTERS])

    def built(self) -> ParsedDocument:
        """Return the document.

        Raises:
            DocumentUnreadable: if it contains no text.
        """
        if not self._blocks:
            raise DocumentUnreadable("This file contains no text.")
        title = one_line(self.title[: limits.TITLE_CHARACTERS * 4])[: limits.TITLE_CHARACTERS].strip()
        return ParsedDocument(
            "".join(self._pieces), tuple(self._blocks), title, self.pages, tuple(self._notes), encoding=self.encoding
        )

    def append(self, document: ParsedDocument) -> None:
        """Append the blocks of an embedded document, with headings one level below, and its notes."""
        for block in document.blocks:
            text = document.text[block.start : block.end]
            self.add(block.kind, text, level=min(block.level + 1, 9) if block.level else 0)

    def _say_full(self) -> None:
        why = (
            ""
            if self._most == limits.TEXT_CHARACTERS
            else " It contains far more text than a file of this size should."
        )
        self.note(f"Only the first {self._most:,} characters were read. The rest was left out.{why}")


def _trimmed(text: str) -> str:
    """Strip blank lines and trailing white space; the first line keeps its indentation."""
    return _BLANK_START.sub("", text.rstrip())

"""Plain text in any encoding, in paragraphs."""

from __future__ import annotations

import re

from rxchat.domain.documents import BlockKind, ParsedDocument
from rxchat.domain.errors import DocumentUnreadable
from rxchat.parsers import encodings, terminal
from rxchat.parsers.builder import TextBuilder, clean

_SAMPLE_CHARACTERS = 50_000
_BLANK_LINES = re.compile(r"\n[^\S\n]*\n")
_MOST_CONTROLS = 0.02
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ufffd]")
_FULL_OF_ZEROS = re.compile("\0{16,}")


def parse(content: bytes, suffix: str) -> ParsedDocument:
    """Return the paragraphs of a text, which blank lines separate."""
    del suffix
    builder = TextBuilder(len(content))
    for paragraph in _BLANK_LINES.split(clean(builder.cut(read(builder, content)))):
        builder.add(BlockKind.PARAGRAPH, paragraph)
        if builder.is_full:
            break
    return builder.built()


def read(builder: TextBuilder, content: bytes, declared: str = "") -> str:
    """Decode a file, and remove terminal control sequences; sets the document's encoding.

    Raises:
        DocumentUnreadable: if it is not text in any encoding.
    """
    decoded = encodings.decode(content, declared)
    builder.encoding = decoded.encoding
    for warning in decoded.warnings:
        builder.note(warning)
    return printable(builder, decoded.text)


def printable(builder: TextBuilder, text: str) -> str:
    """Remove zeros and terminal control sequences from a decoded text.

    Raises:
        DocumentUnreadable: if it has too many control characters to be text.
    """
    if "\0" in text:
        zeros = text.count("\0")
        # A crash may leave a whole block of zeros at the end of a log; single ones are counted below.
        text = _FULL_OF_ZEROS.sub("", text)
        builder.note(f"{zeros:,} zero bytes were left out: this file is damaged, or was cut off while it was written.")
    text = terminal.plain(text)
    sample = text
    if len(text) > 3 * _SAMPLE_CHARACTERS:
        middle = len(text) // 2
        sample = text[:_SAMPLE_CHARACTERS] + text[middle : middle + _SAMPLE_CHARACTERS] + text[-_SAMPLE_CHARACTERS:]
    if len(_CONTROL.findall(sample)) > _MOST_CONTROLS * len(sample) + 1:
        raise DocumentUnreadable("This file is damaged: it is not text. If it is text, choose its encoding.")
    return text.replace("\0", "")

"""RTF: the displayed text, without fonts, images and field codes."""

from __future__ import annotations

import re

from striprtf.striprtf import rtf_to_text

from rxchat.domain.documents import BlockKind, ParsedDocument
from rxchat.domain.errors import DocumentUnreadable
from rxchat.parsers.builder import TextBuilder
from rxchat.parsers.rtf_source import readable

# Images and embedded files are long runs of hexadecimal digits.
_HEX_DATA = re.compile(r"(?:[0-9a-fA-F]{2}\s*){64,}")
_BINARY = re.compile(rb"\\bin(\d{1,9}) ?")
_DAMAGED = "This RTF is damaged, or not RTF: save it as .docx or PDF and upload that."
_TABLE_CELL = re.compile(r"[ \t]*\|[ \t]*")


def parse(content: bytes, suffix: str) -> ParsedDocument:
    """Return the paragraphs of a text."""
    del suffix
    builder = TextBuilder(len(content))
    source = _without_binary(content).decode("latin-1")
    if not source.lstrip().startswith("{\\rtf"):
        raise DocumentUnreadable(_DAMAGED)
    found = readable(_HEX_DATA.sub("", source))
    try:
        text = rtf_to_text(found.text, errors="replace")
    except (ValueError, KeyError, IndexError, UnicodeError, LookupError) as error:
        raise DocumentUnreadable(_DAMAGED) from error
    if found.has_hidden_text:
        builder.note("Hidden text in this document was left out.")
    if found.has_objects:
        builder.note("Another document that is embedded in this one was not read: upload it by itself.")
    if found.has_pictures:
        builder.note("Pictures in this document were not read.")
    for paragraph in builder.cut(text).split("\n"):
        line = _TABLE_CELL.sub(" | ", paragraph).strip().strip("|").strip()
        builder.add(BlockKind.TABLE if " | " in line else BlockKind.PARAGRAPH, line)
        if builder.is_full:
            break
    return builder.built()


def _without_binary(content: bytes) -> bytes:
    """Remove binary data from the source; its control word gives its length."""
    pieces: list[bytes] = []
    position = 0
    while found := _BINARY.search(content, position):
        pieces.append(content[position : found.start()])
        position = found.end() + int(found.group(1))
    pieces.append(content[position:])
    return b"".join(pieces)

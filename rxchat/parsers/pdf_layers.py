"""Hidden layers of PDFs (optional content, ISO 32000-2, 8.11), whose text pdfium reads like any other."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from rxchat.parsers.builder import TextBuilder

# Groups that are off in the default configuration, by a list or a base state.
_OFF = re.compile(rb"/OFF\s{0,20}\[\s{0,20}\d|/BaseState\s{0,20}/OFF")
_PROPERTIES = b"/OCProperties"
_OBJECTS = re.compile(rb"/ObjStm\b[^\0]{0,400}?stream\r?\n")
_MOST_BYTES = 20_000_000
_MOST_STREAMS = 2_000


def note_hidden(builder: TextBuilder, content: bytes) -> None:
    """Add a note if text of hidden layers was read."""
    if has_hidden(content):
        builder.note("This PDF has layers that are not displayed: their text was read, too.")


def has_hidden(content: bytes) -> bool:
    """Whether a PDF has layers that are initially off; ignores compressed objects of encrypted PDFs."""
    parts = list(_parts(content))
    return any(_PROPERTIES in part for part in parts) and any(_OFF.search(part) for part in parts)


def _parts(content: bytes) -> Iterator[bytes]:
    """Yield the file, and the contents of its object streams."""
    yield content
    left = _MOST_BYTES
    for count, found in enumerate(_OBJECTS.finditer(content)):
        if left <= 0 or count >= _MOST_STREAMS:
            return
        try:
            part = zlib.decompressobj().decompress(content[found.end() : found.end() + _MOST_BYTES], left)
        except zlib.error:
            continue
        left -= len(part)
        yield part

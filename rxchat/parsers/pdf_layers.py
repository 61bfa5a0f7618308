"""Layers of PDFs (optional content, ISO 32000-2, 8.11) that are not displayed; pdfium reads their text like all other."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from rxchat.parsers.builder import TextBuilder

# Groups that are off, or all but some: in the default configuration, which is one in most files.
_OFF = re.compile(rb"/OFF\s{0,20}\[\s{0,20}\d|/BaseState\s{0,20}/OFF")
_PROPERTIES = b"/OCProperties"
_OBJECTS = re.compile(rb"/ObjStm\b[^\0]{0,400}?stream\r?\n")
_MOST_BYTES = 20_000_000
_MOST_STREAMS = 2_000


def note_hidden(builder: TextBuilder, content: bytes) -> None:
    """Say that the text of layers was read that are off."""
    if has_hidden(content):
        builder.note("This PDF has layers that are not displayed: their text was read, too.")


def has_hidden(content: bytes) -> bool:
    """Whether a PDF has layers that are off when it is opened; what an encrypted PDF compresses is not looked into."""
    parts = list(_parts(content))
    return any(_PROPERTIES in part for part in parts) and any(_OFF.search(part) for part in parts)


def _parts(content: bytes) -> Iterator[bytes]:
    """Yield the file, and what its streams of objects hold."""
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

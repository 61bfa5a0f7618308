"""Plain text in any encoding, in paragraphs."""

from __future__ import annotations

import codecs
import re

from charset_normalizer import from_bytes

from rxchat.domain.documents import BlockKind, ParsedDocument
from rxchat.domain.errors import DocumentUnreadable
from rxchat.parsers.builder import TextBuilder, clean

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE_BYTES = 50_000
_BLANK_LINES = re.compile(r"\n[^\S\n]*\n")
_MOST_CONTROLS = 0.02
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ufffd]")


def parse(content: bytes, suffix: str) -> ParsedDocument:
    """Return the paragraphs of a text: what stands between blank lines."""
    del suffix
    builder = TextBuilder()
    for paragraph in _BLANK_LINES.split(clean(builder.cut(decoded(content)))):
        builder.add(BlockKind.PARAGRAPH, paragraph)
        if builder.is_full:
            break
    return builder.built()


def decoded(content: bytes) -> str:
    """Return the text of bytes whose encoding nobody tells: by its mark, as UTF-8, or what it most likely is.

    Raises:
        DocumentUnreadable: when it is no text in any encoding.
    """
    text = _decoded(content)
    sample = text[:_SAMPLE_BYTES]
    if len(_CONTROL.findall(sample)) > _MOST_CONTROLS * len(sample):
        raise DocumentUnreadable("This file is damaged: it should be text, and is not.")
    return text


def _decoded(content: bytes) -> str:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content[len(mark) if encoding == "utf-8" else 0 :].decode(encoding, "replace")
    try:
        text = content.decode()
    except UnicodeDecodeError:
        pass
    else:
        if "\0" not in text:
            return text
    return content.decode(_guessed(content), "replace")


def _guessed(content: bytes) -> str:
    """Return the most likely encoding of bytes that are not UTF-8; Western European when nothing fits."""
    sample = content[:_SAMPLE_BYTES]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if max(even, odd) * 4 > len(sample) // 2:
        return "utf-16-le" if odd > even else "utf-16-be"
    if (best := from_bytes(sample, threshold=0.3).best()) is not None and best.encoding != "ascii":
        return best.encoding
    return "cp1252"

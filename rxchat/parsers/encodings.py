"""Decodes files in any encoding: the chosen, marked or declared one, or one detected from the whole file."""

from __future__ import annotations

import re
from contextvars import ContextVar
from dataclasses import replace

from rxchat.parsers import iso2022jp, utf16
from rxchat.parsers.charsets import MARKS, UTF_8, Decoded, decode_as, encoding_of
from rxchat.parsers.detection import detect

# Encodings that represent other characters by ASCII bytes; only a declaration distinguishes UTF-7 from ASCII.
_OF_SEVEN_BITS = frozenset({"hz-gb-2312", "utf-7"})
_HZ = re.compile(rb"~\{(?:[\x21-\x77][\x21-\x7e])+~\}")
_SAMPLE_BYTES = 200_000
_SAMPLE_WINDOWS = 64
_WINDOW_BYTES = 4096
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
# These bytes are single characters in every East Asian encoding, so a sample may begin and end there.
_BOUNDARY = re.compile(rb"[\t\n\r ,;]")
_CONTEXT_BYTES = 400
_DAMAGED_SHARE = 0.02
_CLEARLY_UTF_8 = 5
_MIXED_SHARE = 0.2
_MIXED_LINES = 1_000_000
_COUNTED_BYTES = 5_000_000

chosen: ContextVar[str] = ContextVar("chosen", default="")
"""The encoding that the user chose for the file of this process; "" to detect it."""


def decode(content: bytes, declared: str = "") -> Decoded:
    """Decode bytes in the chosen encoding, else by the byte order mark, as UTF-8, as declared, or as detected."""
    if chosen.get():
        return decode_as(content, chosen.get())
    for mark, encoding in MARKS:
        if content.startswith(mark):
            return decode_as(content, encoding)
    if wide := utf16.encoding_without_mark(content):
        return decode_as(content, wide)
    if iso2022jp.is_used(content):
        return decode_as(content, "iso-2022-jp")
    if content[:1000].find(b"\x1b$)C") >= 0 and b"\x0e" in content:
        return decode_as(content, "iso-2022-kr")
    declared = encoding_of(declared)
    if content.isascii() and (declared in _OF_SEVEN_BITS or _is_hz(content)):
        return decode_as(content, declared if declared in _OF_SEVEN_BITS else "hz-gb-2312")
    try:
        return Decoded(content.decode(), UTF_8)
    except UnicodeDecodeError:
        return _decode_legacy(content, declared)


def _is_hz(content: bytes) -> bool:
    """Whether ASCII contains Chinese in HZ encoding (RFC 1843)."""
    return b"~{" in content and content.count(b"~{") == len(_HZ.findall(content))


def _decode_legacy(content: bytes, declared: str) -> Decoded:
    """Decode bytes that are not valid UTF-8."""
    as_utf8 = decode_as(content, UTF_8)
    # Bytes of other encodings are hardly ever a valid UTF-8 sequence by chance.
    valid = sum(1 for _ in _SEQUENCES.finditer(content[:_COUNTED_BYTES]))
    if valid >= (_CLEARLY_UTF_8 if declared else 1) and as_utf8.lost <= max(1, valid // 2):
        return as_utf8
    if declared and declared != UTF_8:
        decoded = decode_as(content, declared)
        if decoded.lost <= _DAMAGED_SHARE * len(content):
            return decoded
    sample = _sample(content)
    lines = [line for line in sample.split(b"\n") if not line.isascii()]
    if _is_mixed(lines) and content.count(b"\n") < _MIXED_LINES:
        guess = detect(b"\n".join(line for line in lines if not _is_utf8(line)))
        return replace(_decode_lines(content, guess.encoding), is_doubtful=guess.is_doubtful)
    guess = detect(sample)
    return replace(decode_as(content, guess.encoding), is_doubtful=guess.is_doubtful)


def _is_mixed(lines: list[bytes]) -> bool:
    """Whether some lines are UTF-8 and others are not, as in a log of several programs."""
    valid = sum(_is_utf8(line) for line in lines)
    return valid >= 2 and valid >= _MIXED_SHARE * len(lines)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


_SEQUENCES = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xe0[\xa0-\xbf][\x80-\xbf]|\xed[\x80-\x9f][\x80-\xbf]"
    rb"|[\xf1-\xf3][\x80-\xbf]{3}|\xf0[\x90-\xbf][\x80-\xbf]{2}|\xf4[\x80-\x8f][\x80-\xbf]{2}"
)


def _decode_lines(content: bytes, other: str) -> Decoded:
    """Decode a text of which some lines are UTF-8 and others are not."""
    lines = [
        Decoded(line.decode(), UTF_8) if _is_utf8(line) else decode_as(line, other) for line in content.split(b"\n")
    ]
    return Decoded("\n".join(line.text for line in lines), UTF_8, sum(line.lost for line in lines), other)


def _sample(content: bytes) -> bytes:
    """Return non-ASCII lines, or their beginnings, from all parts of a file.

    Each search begins at the start of a line; inside one, it could begin in the middle of a character.
    """
    windows = max(1, min(_SAMPLE_WINDOWS, len(content) // _WINDOW_BYTES))
    size, most = -(-len(content) // windows), _SAMPLE_BYTES // windows
    pieces: list[bytes] = []
    position = 0
    for window in range(windows):
        if window * size > position:
            position = content.find(b"\n", window * size) + 1 or len(content)
        taken = 0
        while taken < most and (found := _NOT_ASCII.search(content, position, (window + 1) * size)):
            pieces.append(_piece(content, position, found.start(), most))
            taken += len(pieces[-1])
            position = content.find(b"\n", found.end()) + 1 or len(content)
    if not pieces and (found := _NOT_ASCII.search(content)):
        pieces.append(_piece(content, 0, found.start(), _SAMPLE_BYTES))
    return b"\n".join(pieces)


def _piece(content: bytes, lowest: int, first: int, most: int) -> bytes:
    """Return the line of the first non-ASCII byte, with the ASCII text between the previous line and it."""
    start = max(lowest, content.rfind(b"\n", lowest, first) + 1, first - _CONTEXT_BYTES)
    end = content.find(b"\n", first, first + most)
    if end < 0:
        boundary = _BOUNDARY.search(content, min(len(content), first + most), first + 2 * most)
        end = boundary.start() if boundary else first + 2 * most
    return content[start:end]

"""ISO-2022-JP and EUC-JP with the extension characters of NEC and IBM, which Python's codecs refuse."""

from __future__ import annotations

import codecs
import re

_ESCAPE = re.compile(rb"\x1b(\$[@B]|\$\([@BDO-Q]|\([BJIH]|&@\x1b\$B)")
_USED = re.compile(rb"\x1b\$(?:[@B]|\([@BDO-Q])")
_ERRORS = "rxchat-euc-jp"
_REPLACEMENT = "\ufffd"
_LOOKED_AT = 10_000_000


def is_used(content: bytes) -> bool:
    """Whether seven-bit bytes switch to Japanese characters."""
    return _USED.search(content, 0, _LOOKED_AT) is not None and content[:_LOOKED_AT].isascii()


def decode(content: bytes) -> str:
    """Decode ISO-2022-JP; replaces invalid bytes."""
    pieces: list[str] = []
    character_set, position = b"(B", 0
    for found in _ESCAPE.finditer(content):
        pieces.append(_decoded(content[position : found.start()], character_set))
        character_set, position = found.group(1), found.end()
    pieces.append(_decoded(content[position:], character_set))
    return "".join(pieces)


def decode_euc(content: bytes) -> str:
    """Decode EUC-JP; replaces invalid bytes."""
    return content.decode("euc_jp", _ERRORS)


def _decoded(run: bytes, character_set: bytes) -> str:
    if character_set in {b"(B", b"(J", b"(H"}:
        return run.decode("ascii", "replace")
    if character_set == b"(I":
        return bytes(byte | 0x80 if byte > 0x20 else byte for byte in run).decode("cp932", "replace")
    # Line breaks and spaces occur between pairs.
    high = bytes(byte | 0x80 if 0x20 < byte < 0x7F else byte for byte in run)
    if character_set == b"$(D":
        return re.sub(rb"[\xa1-\xfe]{2}", lambda pair: b"\x8f" + pair.group(), high).decode("euc_jp", _ERRORS)
    return decode_euc(high)


def _code_page_932(error: UnicodeError) -> tuple[str, int]:
    """Decode a pair that is not in JIS X 0208 as Windows does, by its code in Shift_JIS."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    pair = error.object[error.start : error.start + 2]
    if len(pair) < 2 or min(pair) < 0xA1:
        return _REPLACEMENT, error.start + 1
    row, cell = pair[0] - 0xA1, pair[1] - 0xA1
    lead = (row >> 1) + (0x81 if row < 62 else 0xC1)
    trail = cell + (0x9F if row % 2 else 0x40 if cell < 63 else 0x41)
    try:
        return bytes((lead, trail)).decode("cp932"), error.start + 2
    except UnicodeDecodeError:
        return _REPLACEMENT, error.start + 2


codecs.register_error(_ERRORS, _code_page_932)

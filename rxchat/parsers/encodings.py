"""Text encodings: the labels of the WHATWG encoding standard, decoding, and detection by the whole of a file.

https://encoding.spec.whatwg.org/ says what a label means: "iso-8859-1" is windows-1252, "shift_jis" is CP932, "gb2312" is
GBK. An encoding is known here by the standard's name, or is one of the few that the standard leaves out.
"""

from __future__ import annotations

import codecs
import re
from contextvars import ContextVar
from dataclasses import dataclass

import chardet
import webencodings

from rxchat.parsers import iso2022jp, latin, utf16

UTF_8 = "utf-8"
_WESTERN = "windows-1252"
_REPLACEMENT = "\ufffd"

# Encodings that the standard leaves out, because web pages are not written in them, but text files are.
_BEYOND_STANDARD = {
    "hz-gb-2312": "hz",
    "ibm437": "cp437",
    "ibm850": "cp850",
    "ibm852": "cp852",
    "iso-2022-kr": "iso2022_kr",
    "utf-7": "utf-7",
    "utf-32le": "utf-32-le",
    "utf-32be": "utf-32-be",
}
_CODECS = {
    "shift_jis": "cp932",
    "euc-kr": "cp949",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "macintosh": "mac_roman",
    "x-mac-cyrillic": "mac_cyrillic",
    "windows-874": "cp874",
    "iso-8859-8-i": "iso8859-8",
    "ibm866": "cp866",
    **_BEYOND_STANDARD,
}

_MARKS = (
    (codecs.BOM_UTF8, UTF_8),
    (codecs.BOM_UTF32_LE, "utf-32le"),
    (codecs.BOM_UTF32_BE, "utf-32be"),
    (codecs.BOM_UTF16_LE, "utf-16le"),
    (codecs.BOM_UTF16_BE, "utf-16be"),
)
# chardet's names of what it may answer; the old encodings of MS-DOS are so rare that they are left to the user's choice.
_DETECTABLE = (
    "cp932", "euc_jis_2004", "big5hkscs", "gb18030", "cp949", "cp1250", "cp1251", "cp1252", "cp1253", "cp1254",
    "cp1255", "cp1256", "cp1257", "cp874", "iso8859-2", "iso8859-5", "iso8859-7", "koi8-r", "koi8-u", "mac-roman",
    "cp866", "cp437", "cp850",
)  # fmt: skip
_OF_LATIN_LETTERS = ("cp1252", "cp1250", "iso8859-2", "cp1254", "cp1257", "mac-roman", "cp437", "cp850")
_NAMES = {
    "cp932": "shift_jis",
    "euc_jis_2004": "euc-jp",
    "big5hkscs": "big5",
    "cp949": "euc-kr",
    "mac-roman": "macintosh",
    "cp874": "windows-874",
    "cp437": "ibm437",
    "cp850": "ibm850",
    "hz": "hz-gb-2312",
    "iso2022_kr": "iso-2022-kr",
    "utf-7": "utf-7",
}
# Texts of ASCII's bytes that mean other characters; nothing but its declaration tells UTF-7 from ASCII.
_OF_SEVEN_BITS = frozenset({"hz-gb-2312", "utf-7"})
_HZ = re.compile(rb"~\{(?:[\x21-\x77][\x21-\x7e])+~\}")
_SAMPLE_BYTES = 200_000
_SAMPLE_WINDOWS = 64
_WINDOW_BYTES = 4096
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
# In every encoding of East Asia these bytes are characters of their own, so a sample may begin and end there.
_BOUNDARY = re.compile(rb"[\t\n\r ,;]")
_CONTEXT_BYTES = 400
_HIRAGANA = re.compile("[ぁ-ん]")
_WINDOWS_ONLY = re.compile(rb"[\x80-\x9f]")
_SIGN_IN_WORD = re.compile(r"[^\W\d_][©«»®¦¬±µ¶·][^\W\d_]")
_DAMAGED_SHARE = 0.02
_CLEARLY_UTF_8 = 5
_MIXED_SHARE = 0.2
_MIXED_LINES = 1_000_000
_COUNTED_BYTES = 5_000_000

chosen: ContextVar[str] = ContextVar("chosen", default="")
"""The encoding that the user has chosen for the file of this process; "" to detect it."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text, and how it was read."""

    text: str
    encoding: str
    lost: int = 0
    """How many characters could not be decoded; they stand as U+FFFD."""
    mixed_with: str = ""
    """In which encoding the lines are that are not in `encoding`; "" when all are in one."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences about what was lost, for the user who uploaded the file."""
        said: list[str] = []
        if self.mixed_with:
            said.append(
                f"This file mixes encodings: it was read as {self.encoding}, and other lines as {self.mixed_with}."
            )
        if self.lost:
            one = self.lost == 1
            said.append(
                f"{self.lost:,} {'character is' if one else 'characters are'} not valid in the encoding {self.encoding}, "
                f"and {'stands' if one else 'stand'} as “{_REPLACEMENT}”."
            )
        return tuple(said)


def encoding_of(label: str) -> str:
    """Return the name of the encoding that a label means in the WHATWG standard; "" when it means none."""
    label = label.strip().lower()
    if label in _BEYOND_STANDARD:
        return label
    found = webencodings.lookup(label) or webencodings.lookup(_python_name(label))
    if found is None:
        return _NAMES.get(_python_name(label), "")
    # Labels of encodings that are dangerous in web pages stand for "replacement" in the standard.
    if found.name in {"replacement", "x-user-defined"}:
        return _NAMES.get(_python_name(label), "")
    return found.name


def _python_name(label: str) -> str:
    """Return Python's name of an encoding for a label, such as "latin-1", that it knows and the standard does not."""
    try:
        return codecs.lookup(label).name
    except LookupError:
        return label


def decode(content: bytes, declared: str = "") -> Decoded:
    """Return the text of bytes: in the encoding chosen by the user, that of its mark, UTF-8, the declared or the likeliest."""
    if chosen.get():
        return decode_as(content, chosen.get())
    for mark, encoding in _MARKS:
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
    """Whether ASCII has Chinese in it as RFC 1843 writes it."""
    return b"~{" in content and content.count(b"~{") == len(_HZ.findall(content))


def decode_as(content: bytes, encoding: str) -> Decoded:
    """Return the text in an encoding; what is not valid in it is replaced and counted."""
    for mark, marked in _MARKS:
        if marked == encoding and content.startswith(mark):
            content = content[len(mark) :]
            break
    already = content.count(_REPLACEMENT.encode()) if encoding == UTF_8 else 0
    match encoding:
        case "iso-2022-jp":
            text = iso2022jp.decode(content)
        case "euc-jp":
            text = iso2022jp.decode_euc(content)
        case _:
            text = content.decode(
                _CODECS.get(encoding, encoding), f"rxchat-{encoding}" if encoding in _MENDED else "replace"
            )
    return Decoded(text, encoding, max(0, text.count(_REPLACEMENT) - already))


def _decode_legacy(content: bytes, declared: str) -> Decoded:
    """Return the text of bytes that are not valid UTF-8."""
    as_utf8 = decode_as(content, UTF_8)
    # Bytes of other encodings hardly ever make a valid sequence of UTF-8 by chance.
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
        return _decode_lines(content, detect(b"\n".join(line for line in lines if not _is_utf8(line))))
    return decode_as(content, detect(sample))


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
    """Return a text some of whose lines are UTF-8 and some are not."""
    lines = [
        Decoded(line.decode(), UTF_8) if _is_utf8(line) else decode_as(line, other) for line in content.split(b"\n")
    ]
    return Decoded("\n".join(line.text for line in lines), UTF_8, sum(line.lost for line in lines), other)


def detect(sample: bytes) -> str:
    """Return the likeliest encoding of bytes that are not UTF-8, given the lines that are not ASCII."""
    is_latin = latin.is_latin(sample)
    if is_latin and latin.is_western(sample):
        return _WESTERN
    likely = chardet.detect_all(
        sample,
        max_bytes=len(sample) + 1,
        compat_names=False,
        include_encodings=_OF_LATIN_LETTERS if is_latin else _DETECTABLE,
        ignore_threshold=True,
    )
    names = [str(it["encoding"]) for it in likely if it["encoding"]] or ["cp1252"]
    encodings = [_NAMES.get(name) or encoding_of(name) or _WESTERN for name in names]
    best = next(
        (it for it in encodings[:5] if decode_as(sample, it).lost <= _DAMAGED_SHARE * len(sample)), encodings[0]
    )
    if best == "gb18030" and _is_japanese(sample):
        return "euc-jp"
    if best == "windows-1250" and _is_iso_8859_2(sample):
        return "iso-8859-2"
    return best


def _is_iso_8859_2(sample: bytes) -> bool:
    """Whether bytes read as windows-1250 have signs inside words where ISO 8859-2 has letters."""
    return _WINDOWS_ONLY.search(sample) is None and _SIGN_IN_WORD.search(sample.decode("cp1250", "replace")) is not None


def _is_japanese(sample: bytes) -> bool:
    """Whether bytes that are Chinese by most of their pairs have hiragana, which both encodings keep in the same place."""
    decoded = decode_as(sample, "euc-jp")
    return not decoded.lost and _HIRAGANA.search(decoded.text) is not None


def _sample(content: bytes) -> bytes:
    """Return lines that are not ASCII, or their beginnings, taken from all over a file.

    A search begins at the start of a line, because inside one it could begin in the middle of a character.
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
    """Return the line around the first byte that is not ASCII, from the end of the one before: ASCII all that way."""
    start = max(lowest, content.rfind(b"\n", lowest, first) + 1, first - _CONTEXT_BYTES)
    end = content.find(b"\n", first, first + most)
    if end < 0:
        boundary = _BOUNDARY.search(content, min(len(content), first + most), first + 2 * most)
        end = boundary.start() if boundary else first + 2 * most
    return content[start:end]


def _c1_control(error: UnicodeError) -> tuple[str, int]:
    """Decode the five bytes that windows-1252 does not define to what the standard says: control characters."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(map(chr, error.object[error.start : error.end])), error.end


def _euro(error: UnicodeError) -> tuple[str, int]:
    """Decode a single 0x80 in GBK to the euro sign, as the standard does."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return ("€" if error.object[error.start] == 0x80 else _REPLACEMENT), error.start + 1


def _code_page_950(error: UnicodeError) -> tuple[str, int]:
    """Decode a pair that Hong Kong's Big5 lacks as Microsoft's Big5 does."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    pair = error.object[error.start : error.start + 2]
    try:
        return pair.decode("cp950"), error.start + len(pair)
    except UnicodeDecodeError:
        return _REPLACEMENT, error.start + 1


_MENDED = {_WESTERN: _c1_control, "gbk": _euro, "gb18030": _euro, "big5": _code_page_950}
for _encoding, _handler in _MENDED.items():
    codecs.register_error(f"rxchat-{_encoding}", _handler)

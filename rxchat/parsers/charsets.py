"""Text encodings by name: the labels of the WHATWG encoding standard, and decoding as the standard says.

https://encoding.spec.whatwg.org/ says what a label means: "iso-8859-1" is windows-1252, "shift_jis" is CP932, "gb2312" is
GBK. An encoding is known here by the standard's name, or is one of the few that the standard leaves out.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass

import webencodings

from rxchat.parsers import iso2022jp

UTF_8 = "utf-8"
WESTERN = "windows-1252"
REPLACEMENT = "\ufffd"

# Encodings that the standard leaves out, because web pages are not written in them, but text files are.
_BEYOND_STANDARD = {
    "hz-gb-2312": "hz",
    "ibm437": "cp437",
    "ibm850": "cp850",
    "ibm852": "cp852",
    "iso-2022-kr": "iso2022_kr",
    "ibm737": "cp737",
    "ibm862": "cp862",
    "johab": "johab",
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

MARKS = (
    (codecs.BOM_UTF8, UTF_8),
    (codecs.BOM_UTF32_LE, "utf-32le"),
    (codecs.BOM_UTF32_BE, "utf-32be"),
    (codecs.BOM_UTF16_LE, "utf-16le"),
    (codecs.BOM_UTF16_BE, "utf-16be"),
)
_NAMES = {
    "cp932": "shift_jis",
    "euc_jis_2004": "euc-jp",
    "big5hkscs": "big5",
    "cp949": "euc-kr",
    "mac-roman": "macintosh",
    "cp874": "windows-874",
    "cp437": "ibm437",
    "cp850": "ibm850",
    "cp852": "ibm852",
    "johab": "johab",
    "cp737": "ibm737",
    "cp862": "ibm862",
    "cp866": "ibm866",
    "iso8859-16": "iso-8859-16",
    "mac-cyrillic": "x-mac-cyrillic",
    "hz": "hz-gb-2312",
    "iso2022_kr": "iso-2022-kr",
    "utf-7": "utf-7",
}


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded text, and how it was decoded."""

    text: str
    encoding: str
    lost: int = 0
    """The number of bytes or characters that could not be decoded and are U+FFFD in the text."""
    mixed_with: str = ""
    """The encoding of the lines that are not in `encoding`; "" if there are none."""
    is_doubtful: bool = False
    """Whether the encoding was guessed, and another one is about as likely."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings for the user who uploaded the file."""
        said: list[str] = []
        if self.mixed_with:
            said.append(
                f"This file mixes encodings: it was read as {self.encoding}, and other lines as {self.mixed_with}."
            )
        if self.lost:
            one = self.lost == 1
            said.append(
                f"{self.lost:,} {'character is' if one else 'characters are'} not valid in the encoding {self.encoding}, "
                f"and {'was' if one else 'were'} replaced by “{REPLACEMENT}”."
            )
        if self.is_doubtful:
            guessed = self.mixed_with or self.encoding
            said.append(
                f"The encoding was guessed as {guessed}: if the text looks wrong, choose another encoding for this document."
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


def decode_as(content: bytes, encoding: str) -> Decoded:
    """Decode a text; invalid bytes are replaced and counted."""
    for mark, marked in MARKS:
        if marked == encoding and content.startswith(mark):
            content = content[len(mark) :]
            break
    already = content.count(REPLACEMENT.encode()) if encoding == UTF_8 else 0
    match encoding:
        case "iso-2022-jp":
            text = iso2022jp.decode(content)
        case "euc-jp":
            text = iso2022jp.decode_euc(content)
        case _:
            text = content.decode(
                _CODECS.get(encoding, encoding), f"rxchat-{encoding}" if encoding in _MENDED else "replace"
            )
    return Decoded(text, encoding, max(0, text.count(REPLACEMENT) - already))


def _c1_control(error: UnicodeError) -> tuple[str, int]:
    """Decode the five bytes that windows-1252 does not define to what the standard says: control characters."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(map(chr, error.object[error.start : error.end])), error.end


def _euro(error: UnicodeError) -> tuple[str, int]:
    """Decode a single 0x80 in GBK to the euro sign, as the standard does."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return ("€" if error.object[error.start] == 0x80 else REPLACEMENT), error.start + 1


def _code_page_950(error: UnicodeError) -> tuple[str, int]:
    """Decode a pair that Hong Kong's Big5 lacks as Microsoft's Big5 does."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    pair = error.object[error.start : error.start + 2]
    try:
        return pair.decode("cp950"), error.start + len(pair)
    except UnicodeDecodeError:
        return REPLACEMENT, error.start + 1


_MENDED = {WESTERN: _c1_control, "gbk": _euro, "gb18030": _euro, "big5": _code_page_950}
for _encoding, _handler in _MENDED.items():
    codecs.register_error(f"rxchat-{_encoding}", _handler)

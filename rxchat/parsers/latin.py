"""Texts in Latin letters with few non-ASCII ones, which statistics misjudge: they may take “café” for Greek."""

from __future__ import annotations

import re

_WORD = re.compile(rb"[A-Za-z]*[\x80-\xff][A-Za-z\x80-\xff]*")
_ASCII_LETTER = re.compile(rb"[A-Za-z]")
_LARGEST_SHARE = 0.55
_LITTLE = 8
_EVERYWHERE = "éÉàèç"
# The non-ASCII letters of the languages of windows-1252.
_LANGUAGES = (
    "äöüßÄÖÜ",
    "êëâîïôûùüœÊÀÈÇ",
    "áíóúñüÁÍÓÚÑ¿¡ºª",
    "ãáíóúâêôÃÁÍÓÚÂÊÔºª",
    "åäöæøÅÄÖÆØ",
    "ìòùÈÌÒÙ",
    "êëïóöüáíú",
)
_SIGNS = frozenset("€–—„“”‘’‚…°§«»²³½¼·•™®©µ×±£ \u00a0")
_INSIDE_WORDS = re.compile("[A-Za-z](?![’–—·])[€–—„“”‘‚…°§«»²³½¼·•™®©µ×±£\u00a0][A-Za-z]")
_ALONE = (_SIGNS | {"\u00a4", "¶"}) - {"‚"}
# Signs that occur once in a text, or next to a number: ISO 8859-15 has the euro in the place of ¤.
_ADJACENT = re.compile("[^\x00-\x7f–—“”‘’…«»\u00a0°]{2}")
_AMOUNTLESS = re.compile(r"(?<!\d)(?<!\d[ \u00a0])[¤£¥±](?![ \u00a0]?[\d.])")
# Only some signs occur next to letters; DOS encodings have letters in the places of the others.
_TOUCHING = re.compile(
    r"[A-Za-z][^\x00-\x7f’”“…™®°»–—\u00a0·²³]|[^\x00-\x7f“‘„«–—\u00a0’…§©¿¡·][A-Za-z]|(?<![A-Za-z])’[A-Za-z]| …|… "
)
_UNCLOSED = re.compile("„[^“”]*$")
_BEYOND = re.compile(rb"[\x80-\xff]")
_LINE_STARTS = re.compile(rb"(?:(?<=[\r\n\t ])|(?<![\x00-\xff]))\xa5[\t ]")


def is_latin(sample: bytes) -> bool:
    """Whether words with non-ASCII bytes consist mostly of ASCII, unlike words of other scripts."""
    words = _WORD.findall(sample)
    length = sum(map(len, words))
    return length - sum(len(_ASCII_LETTER.findall(word)) for word in words) <= _LARGEST_SHARE * length


def is_western(sample: bytes) -> bool:
    """Whether the non-ASCII letters are those of one Western language in windows-1252."""
    text = sample.decode("cp1252", "replace")
    others = [character for character in text if character > "\x7f"]
    letters = {character for character in others if character not in _SIGNS}
    if len(others) > _LITTLE or _INSIDE_WORDS.search(text):
        return False
    return any(letters <= {*language, *_EVERYWHERE} for language in _LANGUAGES)


def of_signs(sample: bytes) -> str:
    """Return the encoding of bytes whose only non-ASCII characters are signs in usual positions; "" otherwise."""
    if all(
        match.group() == b"\xa5" and _LINE_STARTS.match(sample, match.start()) for match in _BEYOND.finditer(sample)
    ):
        return "macintosh"
    text = sample.decode("cp1252", "replace")
    if any(character > "\x7f" and character not in _ALONE for character in text):
        return ""
    if any(strange.search(text) for strange in (_INSIDE_WORDS, _ADJACENT, _AMOUNTLESS, _TOUCHING, _UNCLOSED)):
        return ""
    return "iso-8859-15" if "\u00a4" in text else "windows-1252"

"""Texts in Latin letters with few others among them, of which statistics know too little: “café” may be Greek to them."""

from __future__ import annotations

import re

_WORD = re.compile(rb"[A-Za-z]*[\x80-\xff][A-Za-z\x80-\xff]*")
_ASCII_LETTER = re.compile(rb"[A-Za-z]")
_LARGEST_SHARE = 0.55
_LITTLE = 8
_EVERYWHERE = "éÉàèç"
# The letters beyond ASCII of the languages that windows-1252 is used for.
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
# Signs of which texts have a single one, and those that stand with a number: ISO 8859-15 has its euro where ¤ is.
_ADJACENT = re.compile("[^\x00-\x7f–—“”‘’…«»\u00a0°]{2}")
_AMOUNTLESS = re.compile(r"(?<!\d)(?<!\d[ \u00a0])[¤£¥±](?![ \u00a0]?[\d.])")
# What touches a letter must be a sign that does; old encodings of DOS have letters where the others are.
_TOUCHING = re.compile(
    r"[A-Za-z][^\x00-\x7f’”“…™®°»–—\u00a0·²³]|[^\x00-\x7f“‘„«–—\u00a0’…§©¿¡·][A-Za-z]|(?<![A-Za-z])’[A-Za-z]| …|… "
)
_UNCLOSED = re.compile("„[^“”]*$")
_BEYOND = re.compile(rb"[\x80-\xff]")
_LINE_STARTS = re.compile(rb"(?:(?<=[\r\n\t ])|(?<![\x00-\xff]))\xa5[\t ]")


def is_latin(sample: bytes) -> bool:
    """Whether words with bytes beyond ASCII are mostly made of ASCII: those of other scripts are not."""
    words = _WORD.findall(sample)
    length = sum(map(len, words))
    return length - sum(len(_ASCII_LETTER.findall(word)) for word in words) <= _LARGEST_SHARE * length


def is_western(sample: bytes) -> bool:
    """Whether a few letters are those of one Western language in windows-1252."""
    text = sample.decode("cp1252", "replace")
    others = [character for character in text if character > "\x7f"]
    letters = {character for character in others if character not in _SIGNS}
    if len(others) > _LITTLE or _INSIDE_WORDS.search(text):
        return False
    return any(letters <= {*language, *_EVERYWHERE} for language in _LANGUAGES)


def of_signs(sample: bytes) -> str:
    """Return the encoding of bytes that have no letters beyond ASCII, only signs that stand as signs do; "" otherwise."""
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

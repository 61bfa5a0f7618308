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

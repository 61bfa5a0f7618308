"""Measures how implausible a decoded text is, to choose between encodings that decode the same bytes.

No language has a currency sign inside a word, a capital after a small letter, Latin letters amid Arabic ones, or letters of
Maltese and of Latvian in one text.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import cache
from itertools import pairwise

_LOOKED_AT = 6_000
_FOREIGN_SHARE = 8
"""One letter in this many may be of another language, as in names."""
_WORD = re.compile(r"[^\W\d_]+")
# Lower-case non-ASCII letters of the languages in Latin and Cyrillic script.
_LATIN = tuple(
    frozenset(letters)
    for letters in (
        "äöüßé", "éèêëàâçîïôûùüÿœæ", "áéíóúñüªº", "ãáâàéêíóôõúüçªº", "àèéìòóùîªº", "åäöéü", "æøåéäöü",
        "áðéíóúýþæö", "ëïéèêöóüáíú", "ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "ăâîșț",
        "ăâîşţ", "čćđšž", "çğıöşüâîû", "ąčęėįšųūž", "āčēģīķļņšūžōŗ", "äõöüšž", "ċġħżàèìòùîé", "ĉĝĥĵŝŭ", "ŵŷâêîôûäëïöüáéíóúàèìòù",
        "éàèíòóúïüç·ŀñ", "ëç", "éáíúó", "ɛɔŋ",
    )
)  # fmt: skip
_VIETNAMESE = frozenset("ăâđêôơưàáãèéìíòóõùúýạảấầẩẫậắằẳẵặẹẻẽếềểễệỉĩịọỏốồổỗộớờởỡợụủũứừửữựỳỵỷỹ")
_RUSSIAN = "абвгдежзийклмнопрстуфхцчшщъыьэюяё"
_CYRILLIC = tuple(
    frozenset(letters)
    for letters in (
        _RUSSIAN,
        "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя",
        "абвгдежзийклмнопрстуфхцчшщъьюя",
        "абвгдђежзијклљмнњопрстћуфхцчџш",
        "абвгдѓежзѕијклљмнњопрстќуфхцчџш",
        "абвгдеёжзійклмнопрстуўфхцчшыьэюя",
    )
)
_INSIDE_WORDS = frozenset("’‘'·–—‑-\u00ad\u200b\u200c\u200d‧…/\u2060")
_FEW_SIGNS = frozenset("€„“”‘’‚‹›«»–—…°§•™®©№£¿¡\u00a0·×½²³µ±¼¾¹´¢¥†‡‰≈≠≤≥¬¦¨¸¯ªº")
_NEVER_ALONE = frozenset("ñçßþðýÿÑÇÞÐÝ")
_ALPHABETS = frozenset({"CYRILLIC", "GREEK", "HEBREW", "ARABIC"})
_CURRENCY = "\u00a4"


def oddness(text: str) -> tuple[int, int]:
    """Return the number of implausible non-ASCII characters, and the number of all non-ASCII ones."""
    text = unicodedata.normalize("NFC", text[:_LOOKED_AT])
    beyond = Counter(character for character in text if character > "\x7f")
    odd = sum(count for character, count in beyond.items() if _is_never_used(character))
    odd += sum(_oddness_of_word(word) for word in _WORD.findall(text) if not word.isascii())
    odd += sum(_is_between_letters(text, at) for at, character in enumerate(text) if _is_sign(character))
    foreign = _foreign(beyond, _LATIN, _VIETNAMESE) - beyond.total() // _FOREIGN_SHARE
    odd += _alone(text, beyond) + _foreign_cyrillic(beyond)
    return odd + max(0, foreign), beyond.total()


def _alone(text: str, beyond: Counter[str]) -> int:
    """Return the number of one-letter words that are no words, or of another script than all longer words."""
    words = _WORD.findall(text)
    odd = sum(word in _NEVER_ALONE for word in words)
    letters = {it for it in beyond if it.isalpha() and _script(it) in _ALPHABETS}
    if any(len(word) > 1 and not letters.isdisjoint(word) for word in words):
        return odd
    return odd + sum(word in letters for word in words)


@cache
def _script(character: str) -> str:
    return unicodedata.name(character, "").partition(" ")[0]


@cache
def _is_never_used(character: str) -> bool:
    """Whether a character is a control, unassigned, for private use, or hardly ever used."""
    return character in {_CURRENCY, "\ufffd"} or unicodedata.category(character) in {"Cc", "Cn", "Co", "Cs"}


@cache
def _is_sign(character: str) -> bool:
    return character > "\x7f" and unicodedata.category(character)[0] in "SPN" and character not in _INSIDE_WORDS


def _is_between_letters(text: str, at: int) -> bool:
    """Whether a sign is inside a word, or an unusual mark is at its end."""
    before, after = text[at - 1 : at] if at else "", text[at + 1 : at + 2]
    if _script(text[at]) in {"IDEOGRAPHIC", "FULLWIDTH", "KATAKANA", "HALFWIDTH"} or "\u3000" <= text[at] <= "\u30ff":
        return False
    if before.isalpha() and after.isalpha():
        return before < "\u2e80" and after < "\u2e80"
    return text[at] not in _FEW_SIGNS and (before.isalpha() or after.isalpha())


def _oddness_of_word(word: str) -> int:
    """Count changes from lower to upper case, or between scripts, next to non-ASCII letters."""
    odd = 0
    for before, after in pairwise(word):
        if before <= "\x7f" and after <= "\x7f":
            continue
        if before.islower() and after.isupper():
            odd += 1
        elif _script(before) != _script(after) and unicodedata.category(after)[0] == "L":
            odd += after < "\u2e80" or {_script(before), _script(after)} == {"HANGUL", "CJK"}
    return odd


def _foreign(beyond: Counter[str], languages: tuple[frozenset[str], ...], marked: frozenset[str]) -> int:
    """Return the number of Latin letters that are not of the language that has the most of them."""
    letters = Counter[str]()
    for character, count in beyond.items():
        if character.isalpha() and _script(character) == "LATIN":
            letters[character.lower()[0]] += count
    letters.pop("i", None)
    return min(
        sum(count for character, count in letters.items() if character not in language)
        for language in (*languages, marked)
    )


def _foreign_cyrillic(beyond: Counter[str]) -> int:
    letters = Counter[str]()
    for character, count in beyond.items():
        if _script(character) == "CYRILLIC":
            letters[character.lower()] += count
    return min(
        sum(count for character, count in letters.items() if character not in language) for language in _CYRILLIC
    )

"""Detects the encoding of bytes that are not UTF-8, by chardet's statistics and implausible characters."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import chardet

from rxchat.parsers import latin
from rxchat.parsers.charsets import WESTERN, decode_as, encoding_of
from rxchat.parsers.han_frequency import is_rather_japanese
from rxchat.parsers.plausibility import oddness

# chardet's names. Frequent encodings, each with rare ones that are chosen only if they fit clearly better.
_FREQUENT = (
    "cp932", "euc_jis_2004", "big5hkscs", "gb18030", "cp949", "cp1250", "cp1251", "cp1252", "cp1253", "cp1254",
    "cp1255", "cp1256", "cp1257", "cp874", "iso8859-2", "iso8859-5", "iso8859-7", "koi8-r", "koi8-u", "mac-roman",
    "cp866", "cp437", "cp850",
)  # fmt: skip
_OF_LATIN_LETTERS = ("cp1252", "cp1250", "iso8859-2", "cp1254", "cp1257", "mac-roman", "cp437", "cp850")
_ALL = (
    *_FREQUENT,
    *(
        "johab",
        "cp1258",
        "iso8859-3",
        "iso8859-6",
        "iso8859-15",
        "iso8859-16",
        "mac-cyrillic",
        "cp737",
        "cp852",
        "cp862",
    ),
)
_RARITY = {
    "iso-8859-3": 0.2, "iso-8859-6": 0.1, "iso-8859-15": 0.04, "iso-8859-16": 0.14, "windows-1258": 0.14,
    "x-mac-cyrillic": 0.14, "johab": 0.14, "ibm437": 0.07, "ibm737": 0.1, "ibm850": 0.06, "ibm852": 0.1,
    "ibm862": 0.1, "ibm866": 0.04, "iso-8859-5": 0.06, "macintosh": 0.2, "koi8-u": 0.02, "iso-8859-2": 0.02,
}  # fmt: skip
"""Measured on texts in 40 languages (tests/parsers/test_detection.py), as is each of the numbers below."""
_LEAST_CONFIDENCE = 0.001
_WEIGHT_OF_ODDNESS = 5.0
_FIRST_AHEAD, _FIRST_AHEAD_IF_SHORT = 0.5, 1.5
_CANDIDATES = 12
_DOUBTFUL_WITHIN = 0.3
_DOUBTFUL_BEHIND = 0.2
_DOUBTFUL_ODDNESS = 0.08
_DAMAGED_SHARE = 0.02
_EQUALLY_HAN = 0.1

_HIRAGANA = re.compile("[ぁ-ん]")
_WINDOWS_ONLY = re.compile(rb"[\x80-\x9f]")
_SIGN_IN_WORD = re.compile(r"[^\W\d_][©«»®¦¬±µ¶·][^\W\d_]")
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]+")
# Half-width katakana of JIS X 0201: words begin with no small letter, and sonant marks follow some letters only.
_KATAKANA = re.compile(
    rb"[\xa1-\xa5]*(?:[\xa6\xb1-\xdd](?:[\xa5-\xb0]|(?<=[\xb3\xb6-\xc4\xca-\xce])[\xde\xdf])*[\xa1-\xa5]*)+"
)
_FIRST_KATAKANA = re.compile(rb"[\xb1-\xbf]")
_LEAST_KATAKANA, _LONG_KATAKANA = 5, 12
_SONANT = re.compile(rb"[\xde\xdf]")
_CONFIDENT = 0.1


@dataclass(frozen=True, slots=True)
class Guess:
    """The likely encoding of bytes."""

    encoding: str
    is_doubtful: bool = False
    """Whether another encoding that gives another text is about as likely, or none fits well."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    encoding: str
    text: str
    evidence: float
    score: float
    """The evidence, plus a bonus for frequent encodings."""
    oddness: float


def detect(sample: bytes) -> Guess:
    """Return the likeliest encoding of bytes that are not UTF-8, given the lines that are not ASCII."""
    if signs := latin.of_signs(sample):
        return Guess(signs)
    first = _first(sample)
    confidences = _confidences(sample, _ALL)
    if katakana := _katakana(sample, max(confidences.values())):
        return katakana
    likely = sorted(confidences, key=lambda name: -confidences[name])[:_CANDIDATES]
    candidates = [_candidate(sample, name, confidences.get(name, 0.0), name == first) for name in {first, *likely}]
    candidates.sort(key=lambda it: (-it.score, it.encoding != first, it.encoding))
    best = candidates[0]
    is_doubtful = best.oddness > _DOUBTFUL_ODDNESS or any(
        it.text != best.text
        and (it.score > best.score - _DOUBTFUL_WITHIN or it.evidence > best.evidence + _DOUBTFUL_BEHIND)
        for it in candidates[1:]
    )
    if best.encoding in {"gb18030", "euc-jp"}:
        return _chinese_or_japanese(sample, best.encoding, is_doubtful=is_doubtful)
    if best.encoding == "iso-8859-15" and best.text == decode_as(sample, WESTERN).text:
        return Guess(WESTERN, is_doubtful)
    return Guess(best.encoding, is_doubtful)


def _candidate(sample: bytes, encoding: str, confidence: float, is_first: bool) -> _Candidate:
    decoded = decode_as(sample, encoding)
    odd, beyond = oddness(decoded.text)
    share = min(1.0, (odd + decoded.lost) / max(1, beyond))
    evidence = (
        math.log(confidence + _LEAST_CONFIDENCE) - _WEIGHT_OF_ODDNESS * math.sqrt(share) - _RARITY.get(encoding, 0.0)
    )
    ahead = _FIRST_AHEAD + _FIRST_AHEAD_IF_SHORT / max(1, beyond) if is_first else 0.0
    return _Candidate(encoding, decoded.text, evidence, evidence + ahead, share)


def _confidences(sample: bytes, names: tuple[str, ...]) -> dict[str, float]:
    """Return chardet's confidence for each encoding, best first."""
    likely = chardet.detect_all(
        sample,
        max_bytes=len(sample) + 1,
        compat_names=False,
        include_encodings=names,
        ignore_threshold=True,
    )
    found: dict[str, float] = {}
    for it in likely:
        if it["encoding"]:
            found.setdefault(encoding_of(str(it["encoding"])) or WESTERN, float(it["confidence"]))
    return found or {WESTERN: 0.0}


def _first(sample: bytes) -> str:
    """Return the likeliest of the frequent encodings by statistics only."""
    is_latin = latin.is_latin(sample)
    if is_latin and latin.is_western(sample):
        return WESTERN
    encodings = list(_confidences(sample, _OF_LATIN_LETTERS if is_latin else _FREQUENT))
    best = next(
        (it for it in encodings[:5] if decode_as(sample, it).lost <= _DAMAGED_SHARE * len(sample)), encodings[0]
    )
    if best == "windows-1250" and _is_iso_8859_2(sample):
        return "iso-8859-2"
    return best


def _is_iso_8859_2(sample: bytes) -> bool:
    """Whether bytes read as windows-1250 have signs inside words where ISO 8859-2 has letters."""
    return _WINDOWS_ONLY.search(sample) is None and _SIGN_IN_WORD.search(sample.decode("cp1250", "replace")) is not None


def _chinese_or_japanese(sample: bytes, encoding: str, *, is_doubtful: bool) -> Guess:
    """Choose between two encodings that use the same bytes, by hiragana or by frequent characters."""
    japanese, chinese = decode_as(sample, "euc-jp"), decode_as(sample, "gb18030")
    if japanese.lost or chinese.lost:
        return Guess(encoding, is_doubtful)
    if _HIRAGANA.search(japanese.text):
        return Guess("euc-jp")
    by = is_rather_japanese(chinese.text, japanese.text)
    if abs(by) < _EQUALLY_HAN:
        return Guess(encoding, is_doubtful=True)
    return Guess("euc-jp" if by > 0 else "gb18030")


def _katakana(sample: bytes, confidence: float) -> Guess | None:
    """Return Shift_JIS if all bytes beyond ASCII are half-width katakana, as banks and old programs of Japan write."""
    words = _BEYOND_ASCII.findall(sample)
    letters = b"".join(words)
    if not all(_KATAKANA.fullmatch(word) for word in words) or len(_FIRST_KATAKANA.findall(letters)) * 4 < len(letters):
        return None
    is_long = len(letters) >= _LONG_KATAKANA
    least = _LEAST_KATAKANA if _SONANT.search(letters) else _LONG_KATAKANA
    return Guess("shift_jis", not is_long) if len(letters) >= least and confidence < _CONFIDENT else None

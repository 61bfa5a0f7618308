"""Splits text into words, codes and runs of scripts without spaces, and normalizes spelling."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_MOST_PARTS = 12
# Scripts without spaces, and Hangul, which attaches its particles to words: Han, kana, bopomofo, Hangul, Thai,
# Lao, Burmese, Khmer, Tibetan, Javanese, with the marks that their letters carry.
UNSPACED = (
    "\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u19e0-\u19ff\u3005-\u3007\u3021-\u3029\u3031-\u3035"
    "\u3041-\u309f\u30a1-\u30ff\u3105-\u312f\u3130-\u318f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f"
    "\ua980-\ua9df\uac00-\ud7ff\uf900-\ufaff\U0001b000-\U0001b16f\U00020000-\U0003ffff"
)
_MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0900-\u0903\u093a-\u094f"
    "\u0951-\u0957\u0962\u0963\u0980-\u0983\u09bc-\u09cd\u0a00-\u0a03\u0a3c-\u0a4d\u0a70\u0a71\u0a81-\u0a83\u0abc-\u0acd"
    "\u0b01-\u0b03\u0b3c-\u0b4d\u0b82\u0bbe-\u0bcd\u0c00-\u0c04\u0c3c-\u0c4d\u0c81-\u0c83\u0cbc-\u0ccd\u0d00-\u0d03"
    "\u0d3b-\u0d4d\u0d81-\u0d83\u0dca-\u0ddf\u200c\u200d"
)
_LETTER = rf"(?:[^\W_{UNSPACED}]|[{_MARKS}])"
# A run of a script without spaces; or a word or a code: letters and digits, with the signs that hold codes together between
# them, and those that begin or end a name.
_TOKEN = re.compile(
    rf"(?P<run>[{UNSPACED}]+)"
    rf"|(?:(?<![\w.])\.(?=[^\W\d_]))?{_LETTER}+"
    rf"(?:(?:[-./\\_@:&+#~'\u2019\u2010\u2011]{{1,2}}|(?<=\d),(?=\d)){_LETTER}+)*(?:\+\+|[#+](?!\w))?"
)
_SPLIT = re.compile(r"[-./\\_@:&+#~,'\u2019\u2010\u2011]+")
_ONLY_QUOTES = re.compile(r"['\u2019]")
_SOFT = re.compile("[\u00ad\u200b\u2060\ufeff]")
_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "æ": "ae", "œ": "oe"})
_PLAIN = str.maketrans({
    "ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ħ": "h", "ŧ": "t", "ŋ": "n",
})  # fmt: skip
_FOLDED_MARKS = re.compile(
    "[\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u200c\u200d]"
)
_HAS_MARKED = re.compile("[äöüøåæœ]")
# Function words of languages that write compounds as one word, and that English does not have.
_COMPOUNDING = re.compile(
    r"\b(?:der|die|das|und|ist|nicht|für|von|den|dem|ein|eine|einen|zu|auf|mit|wird|werden|sind|oder|bei|nach|zum|zur|im"
    r"|het|een|van|voor|niet|och|att|är|som|med|på|av|og|er|det|til|ikke|ja|ei|että|über|sich|auch|dass|vom|wurde)\b",
    re.IGNORECASE,
)
# Titles have no function words: there, joints of compounds and letters that English lacks identify the language.
_COMPOUND = re.compile(
    r"\b(?=[^\W\d_]{12})(?:[^\W\d_]*[äöüßåøæ]|[^\W\d_]+(?:ung|heit|keit|schaft|tum|ling|tät|ion)s[^\W\d_]{4})",
    re.IGNORECASE,
)
_ENGLISH = re.compile(r"\b(?:the|of|and|to|is|are|for|with|by|that|this|les|des|une|el|los|para)\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+")
_COMPOUNDING_SHARE = 0.08
_LEAST_JOINED, _LEAST_BEFORE = 12, 3
# At least five letters follow a joint.
_JOINT = re.compile(
    r"(?<=[bcdfghklmnprstvwxz])(?=[a-z]{5})(?=[bdfghjklmnprstvwz][aeiouy]|[bdfgkpt]r|[bfgkp]l|sch[aeioulmnrw]|st[aeiour]|sp[aeiour]"
    r"|pf[aeiourl]|kn[aeiou]|zw[aeiou]|qu|(?<=[ns])[aeiou][bdfgklmnprst])"
)
# Folded: the article is alef and lam; wa, fa, bi, ka and li are written before it, and li with it as two lams.
_ARTICLE = re.compile(r"[\u0648\u0641]?(?:[\u0628\u0643]?\u0627\u0644|\u0644\u0644)(?=\w{3})")
_PARTICLE = re.compile(
    r"[\u0648\u0641]?[\u0628\u0643\u0644](?=\w{4})|[\u0648\u0641](?=\w{4})"
    r"|(?:\u05d5|\u05e9|\u05db\u05e9)?[\u05d4\u05d1\u05dc\u05db\u05de](?=\w{3})|[\u05d5\u05e9](?=\w{3})"
)
# The stop words of Postgres' English configuration that are also names, if written like one.
_STOP_WORDS = frozenset(
    [
        "i",
        "me",
        "my",
        "myself",
        "we",
        "our",
        "ours",
        "ourselves",
        "you",
        "your",
        "yours",
        "yourself",
        "yourselves",
        "he",
        "him",
        "his",
        "himself",
        "she",
        "her",
        "hers",
        "herself",
        "it",
        "its",
        "itself",
        "they",
        "them",
        "their",
        "theirs",
        "themselves",
        "what",
        "which",
        "who",
        "whom",
        "this",
        "that",
        "these",
        "those",
        "am",
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "being",
        "have",
        "has",
        "had",
        "having",
        "do",
        "does",
        "did",
        "doing",
        "a",
        "an",
        "the",
        "and",
        "but",
        "if",
        "or",
        "because",
        "as",
        "until",
        "while",
        "of",
        "at",
        "by",
        "for",
        "with",
        "about",
        "against",
        "between",
        "into",
        "through",
        "during",
        "before",
        "after",
        "above",
        "below",
        "to",
        "from",
        "up",
        "down",
        "in",
        "out",
        "on",
        "off",
        "over",
        "under",
        "again",
        "further",
        "then",
        "once",
        "here",
        "there",
        "when",
        "where",
        "why",
        "how",
        "all",
        "any",
        "both",
        "each",
        "few",
        "more",
        "most",
        "other",
        "some",
        "such",
        "no",
        "nor",
        "not",
        "only",
        "own",
        "same",
        "so",
        "than",
        "too",
        "very",
        "s",
        "t",
        "can",
        "will",
        "just",
        "don",
        "should",
        "now",
    ]
)
_NAMES_IN_SENTENCES = frozenset({"will", "can", "once", "own", "further", "her"})


def normal(text: str) -> str:
    """Return a text with one form of each character: full and half width, ligatures and marks are unified."""
    return unicodedata.normalize("NFKC", _SOFT.sub("", text)).replace("\u2212", "-")


def tokens_of(text: str) -> Iterator[tuple[str, str, int]]:
    """Yield words ("word", or "name" for stop words that may be one), codes and runs of scripts without spaces."""
    for found in _TOKEN.finditer(text):
        token = found.group()
        yield "run" if found.group("run") else _kind(token), token, found.start()


def _kind(token: str) -> str:
    if token.lower() in _STOP_WORDS:
        return "name"
    bare = _ONLY_QUOTES.sub("", token)
    return "word" if bare.isalpha() or all(_is_word_character(character) for character in bare) else "code"


def _is_word_character(character: str) -> bool:
    return character.isalpha() or unicodedata.category(character).startswith("M") or character in "\u200c\u200d"


def parts_of(token: str) -> list[str]:
    """Return the parts of a word or code between its signs."""
    return [part for part in _SPLIT.split(token) if folded(part)][:_MOST_PARTS]


def is_name(text: str, token: str, at: int, shouting: bool) -> bool:
    """Whether a stop word is written like a name: IT and US in capitals, Will within a sentence."""
    if len(token) > 1 and token.isupper():
        if shouting:
            return True
        # In a heading or sentence all in capitals, case has no meaning.
        around = text[max(0, at - 40) : at] + text[at + len(token) : at + len(token) + 40]
        letters = [character for character in around if character.isalpha()]
        return not letters or sum(character.isupper() for character in letters) < 0.7 * len(letters)
    if token.lower() in _NAMES_IN_SENTENCES and token.istitle():
        before = text[max(0, at - 3) : at].rstrip(" ")
        return bool(before) and before[-1].isalnum()
    return False


def folded(word: str) -> str:
    """Return a word without case and accents, as in the index."""
    decomposed = unicodedata.normalize("NFD", word.casefold().translate(_PLAIN))
    return unicodedata.normalize("NFC", _FOLDED_MARKS.sub("", decomposed).translate(_PLAIN))


def spellings(part: str) -> tuple[str, ...]:
    """Return a word without accents, and with umlauts written as two letters."""
    lower = part.lower()
    plain = folded(lower)
    if _HAS_MARKED.search(lower):
        return tuple(dict.fromkeys((plain, folded(lower.translate(_GERMAN)))))
    return (plain,)


def is_stemmed(word: str) -> bool:
    """Whether the index has the word's stem: words of the Latin alphabet, once folded."""
    return word.isascii() and word.isalpha()


def has_compounds(text: str) -> bool:
    """Whether a text is in a language that writes compounds as one word, judged by its function words."""
    said = text[:4_000]
    count = len(_WORD.findall(said))
    if len(_COMPOUNDING.findall(said)) >= max(1.0, _COMPOUNDING_SHARE * count):
        return True
    return len(_ENGLISH.findall(said)) < _COMPOUNDING_SHARE * count and _COMPOUND.search(said) is not None


def joints(word: str) -> Iterator[int]:
    """Yield the positions where a part of a compound may begin: after a consonant, before letters that begin words.

    This needs no dictionary: a wrong part counts as little as any other part.
    """
    if len(word) >= _LEAST_JOINED:
        yield from (found.start() for found in _JOINT.finditer(word, _LEAST_BEFORE, len(word)))


def without_prefixes(word: str) -> tuple[str, ...]:
    """Return an Arabic or Hebrew word without its article and attached particles."""
    found = _ARTICLE.match(word)
    bare = [word[found.end() :]] if found else []
    if particle := _PARTICLE.match(word):
        bare.append(word[particle.end() :])
    return tuple(dict.fromkeys(bare))


def without_article(word: str) -> str:
    """Return an Arabic word without its article; "" if it has none."""
    found = _ARTICLE.match(word)
    return word[found.end() :] if found else ""

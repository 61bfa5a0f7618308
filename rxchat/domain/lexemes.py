"""Lexemes of the full-text index, in every script, and the search terms of a query.

Postgres stems words of the Latin alphabet (`Indexed.words`). This module makes all other lexemes (`Indexed.lexemes`):
bigrams of scripts without spaces, codes with their signs, German spellings and compounds, and names that are stop
words. Decision 0013 has the reasons. Increment `VERSION` when the same text yields other lexemes: documents with an
older version are then indexed again in the background.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from rxchat.domain.tokenizing import (
    folded,
    has_compounds,
    is_name,
    is_stemmed,
    joints,
    normal,
    parts_of,
    spellings,
    tokens_of,
    without_article,
    without_prefixes,
)

VERSION = 3
"""Documents that were indexed with an older version are indexed again."""
MOST_TERMS = 64
"""The maximum number of terms of a query."""
_LONGEST = 100
"""The maximum length of a lexeme, in documents and queries alike; longer ones are cut."""
_LONGEST_KEPT = 40
"""The maximum length of a token whose lexemes are remembered: texts repeat their words, not their longest ones."""
_MOST_TOGETHER = 4
_LEAST_NUMBER = 4
_LEAST_DATE = len("2024.05.03")
_LEAST_CODE = 3
_LEAST_COMPOUND = 9
"""The minimum length of a word that may be a compound."""
_LEAST_PART = 5
"""The minimum length of a part that finds a compound."""

_LETTERS_DIGITS = re.compile(r"([^\W\d_]{2,}?)([vV]?\d.*)")
_VERSION = re.compile(r"[vV]\d.*")
_OTHER_SIGNS = re.compile(r"[._@:&+#~\\]")
_THOUSANDS = re.compile(r"\d{1,3}(?:[,.'\u2019]\d{3})+(?!\d)")
_PLURAL = re.compile(r"(?<=ung|eit|ion)en\Z|(?<=schaft)en\Z")
"""Within a compound, words are in the singular."""
_COMPOUND_BEGIN, _COMPOUND_END = ">", "<"
_NAME = "="


@dataclass(frozen=True, slots=True)
class Indexed:
    """A text prepared for the full-text index."""

    words: str
    """Words for Postgres to stem, in their order."""
    lexemes: tuple[str, ...]
    """Lexemes that are stored unchanged."""


@dataclass(frozen=True, slots=True)
class Term:
    """One search term of a query."""

    word: str
    """The term as written in the query."""
    stemmed: tuple[str, ...] = ()
    """Words whose stems match; any of them is enough."""
    exact: tuple[str, ...] = ()
    """Exact lexemes that match; any of them is enough."""
    prefixes: tuple[str, ...] = ()
    """Prefixes of lexemes that count as partial matches."""
    together: tuple[str, ...] = ()
    """Words that match if all of them occur."""
    loosely: tuple[str, ...] = ()
    """Words that match partially if all of them occur."""
    is_code: bool = False
    """Whether it is a code: matches by prefix count more for codes than for words."""
    is_bigram: bool = False
    """Whether it is two characters of a script without spaces."""
    is_optional: bool = False
    """Whether a passage without it counts as complete."""


def indexed(text: str) -> Indexed:
    """Return the lexemes of a text."""
    text = normal(text)
    may_compound = has_compounds(text)
    words: list[str] = []
    lexemes: dict[str, None] = {}
    for kind, token, at in tokens_of(text):
        if kind == "run":
            lexemes.update(dict.fromkeys(_bigrams(token)))
            continue
        if kind == "name" and is_name(text, token, at, shouting=False):
            lexemes[_NAME + token.lower()] = None
        lexemes_of = _lexemes_of_token if len(token) <= _LONGEST_KEPT else _lexemes_of_token.__wrapped__
        stemmed, unchanged = lexemes_of(token, is_code=kind == "code", may_compound=may_compound)
        words += stemmed
        lexemes.update(dict.fromkeys(unchanged))
    return Indexed(" ".join(words), tuple(dict.fromkeys(word[:_LONGEST] for word in lexemes if word)))


def terms(question: str) -> list[Term]:
    """Return the distinct search terms of a query."""
    text = normal(question)
    shouting = text.isupper()
    found: dict[str, Term] = {}
    for kind, token, at in tokens_of(text):
        if kind == "run":
            made = [_bigram_term(bigram, len(token)) for bigram in _bigrams(token, closing=len(token) == 1)]
        elif kind == "name" and is_name(text, token, at, shouting):
            made = [Term(token, exact=(_NAME + token.lower(),), is_optional=shouting)]
        elif kind == "code":
            made = [_code_term(token)]
        else:
            made = [_word_term(part) for part in parts_of(token)]
        for term in map(_cut, made):
            found.setdefault(term.word.lower(), term)
    return list(found.values())[:MOST_TERMS]


def _cut(term: Term) -> Term:
    """Return a term whose words and prefixes are no longer than lexemes: Postgres refuses those of over 2,046 bytes."""
    names = ("stemmed", "exact", "prefixes", "together", "loosely")
    return replace(term, **{name: tuple(word[:_LONGEST] for word in getattr(term, name)) for name in names})


def _bigrams(run: str, *, closing: bool = True) -> Iterator[str]:
    """Yield the bigrams of a run, and its last character, so that every character begins a lexeme."""
    yield from (run[at : at + 2] for at in range(len(run) - 1))
    if closing:
        yield run[-1]


def _bigram_term(bigram: str, run_length: int) -> Term:
    if run_length == 1:
        return Term(bigram, exact=(bigram,), prefixes=(bigram,), is_bigram=True)
    # Bigrams of hiragana only are mostly grammar.
    grammar = all("\u3041" <= character <= "\u309f" for character in bigram)
    return Term(bigram, exact=(bigram,), is_bigram=True, is_optional=grammar and run_length > 2)


@lru_cache(maxsize=8_192)
def _lexemes_of_token(token: str, *, is_code: bool, may_compound: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the words of a token for Postgres to stem, and its other lexemes."""
    words: list[str] = []
    lexemes: dict[str, None] = {}
    for part in _code_parts(token) if is_code else parts_of(token):
        lexemes.update(dict.fromkeys(_lexemes_of_part(part, words, may_compound)))
    if is_code:
        lexemes.update(dict.fromkeys(_code_lexemes(token)))
    return tuple(words), tuple(lexemes)


def _lexemes_of_part(part: str, words: list[str], may_compound: bool) -> Iterator[str]:
    """Add a word that Postgres stems to `words`, or yield it as a lexeme; also yield the parts that find a compound."""
    for spelling in spellings(part):
        if is_stemmed(spelling):
            words.append(spelling[:_LONGEST])
            if may_compound and len(spelling) >= _LEAST_COMPOUND:
                yield _COMPOUND_BEGIN + spelling
                yield _COMPOUND_END + spelling[::-1]
                yield from (_COMPOUND_BEGIN + spelling[at:] for at in joints(spelling[:_LONGEST]))
        else:
            yield spelling
            yield from without_prefixes(spelling)


def _word_term(part: str) -> Term:
    written = spellings(part)
    latin = tuple(word for word in written if is_stemmed(word))
    others = tuple(word for word in written if not is_stemmed(word))
    prefixes = [
        sign
        for word in latin
        if len(word) >= _LEAST_PART
        for sign in (_COMPOUND_BEGIN + _PLURAL.sub("", word), _COMPOUND_END + word[::-1])
    ]
    others += tuple(bare for word in others if (bare := without_article(word)))
    # Other alphabets have no stemmer, so words that differ only in their ending match by prefix.
    prefixes += [word[: max(4, len(word) - 2)] for word in others if len(word) >= _LEAST_PART and word.isalpha()]
    return Term(part, latin, others, tuple(prefixes))


def _compact(parts: list[str]) -> str:
    """Return the parts of a code joined: "DS-7604" equals "DS7604", but "1.3" does not equal "13"."""
    made = ""
    for part in map(folded, parts):
        made += f".{part}" if made and made[-1].isdigit() and part[:1].isdigit() else part
    return made


def _code_parts(token: str) -> list[str]:
    """Return the parts of a code; letters followed by a number are two parts: "TLSv1.3" is also "TLS" and "1.3"."""
    parts: list[str] = []
    for part in parts_of(token):
        split = _LETTERS_DIGITS.fullmatch(part)
        parts += [split.group(1), split.group(2)] if split else [part]
    return [part[1:] if number and _VERSION.fullmatch(part) else part for number, part in enumerate(parts)]


def _is_hyphenated(token: str, parts: Sequence[str]) -> bool:
    """Whether a token is words joined by hyphens or slashes, not a code."""
    return not _OTHER_SIGNS.search(token) and all(part.isalpha() for part in parts)


def _code_lexemes(token: str) -> Iterator[str]:
    """Yield a code with its signs, starting at each of its parts, so that every part begins a lexeme."""
    yield from _signed(token)
    parts = _code_parts(token)
    yield _compact(parts_of(token))
    if _is_hyphenated(token, parts):
        return
    for number in range(len(parts)):
        yield _compact(parts[number:])
        if not parts[number].isalpha():
            yield folded(parts[number])
    if _THOUSANDS.fullmatch(token):
        yield re.sub(r"\D", "", token)
    if _VERSION.fullmatch(token):
        yield _compact(parts_of(token[1:]))


def _signed(token: str) -> Iterator[str]:
    """Yield a name as written if its signs are part of it: C++, C#, .NET, AT&T."""
    if token.endswith(("+", "#")) or token.startswith(".") or "&" in token:
        yield folded(token)


def _code_term(token: str) -> Term:
    signed = tuple(_signed(token))
    if signed and token[-1] in "+#":
        return Term(token, exact=signed)
    parts = _code_parts(token)
    compact = _compact(parts_of(token))
    if _is_hyphenated(token, parts):
        return Term(token, tuple(word for word in (compact,) if is_stemmed(word)), (compact,), together=tuple(parts))
    exact = [*signed, compact]
    if _THOUSANDS.fullmatch(token):
        exact.append(re.sub(r"\D", "", token))
    if _VERSION.fullmatch(token):
        exact.append(compact[1:])
    prefixes = [prefix for word in exact if (prefix := _prefix(word))]
    loosely = () if signed else _loosely(parts_of(token))
    return Term(token, (), tuple(exact), tuple(prefixes), loosely=loosely, is_code=True)


def _loosely(parts: list[str]) -> tuple[str, ...]:
    """Return the words of a code that is written as several, such as "DS 7604" for "DS-7604"; none for numbers."""
    if parts and (split := _LETTERS_DIGITS.fullmatch(parts[0])):
        rest = [split.group(2).lstrip("vV"), *parts[1:]]
        parts = [split.group(1), _compact(rest)]
    is_worded = any(len(part) > 1 and part.isalpha() for part in parts)
    return tuple(parts) if is_worded and 1 < len(parts) <= _MOST_TOGETHER else ()


def _prefix(compact: str) -> str:
    """Return the prefix of codes that match, too: "ds7604" finds "ds7604ni", "1.3" finds "1.3.2" but not "1.35"."""
    if compact.replace(".", "").removeprefix("v").isdigit():
        is_long = len(compact) >= (_LEAST_DATE if "." in compact else _LEAST_NUMBER)
        return compact if is_long else f"{compact}."
    return compact if len(compact) >= _LEAST_CODE else ""

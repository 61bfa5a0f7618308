"""Words as the full-text index keeps them, in every script, and what a question asks the index for.

Postgres stems words of the Latin alphabet (`Indexed.words`); everything else is made here and kept as it is
(`Indexed.lexemes`): bigrams of scripts without spaces, codes with their signs, German spellings and compounds, and names
that are stop words. Decision 0013 says why. Change `VERSION` when the same text gives other lexemes: documents of an
older version are then indexed again in the background.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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
"""Documents that were indexed by an older one are indexed again."""
MOST_TERMS = 64
"""So many terms of a question are looked for."""
_LONGEST = 100
"""Characters of a lexeme: longer ones are cut, in documents and questions alike."""
_MOST_TOGETHER = 4
_LEAST_NUMBER = 4
_LEAST_DATE = len("2024.05.03")
_LEAST_CODE = 3
_LEAST_COMPOUND = 9
"""So many letters has a word that may be a compound,"""
_LEAST_PART = 5
"""and so many the part of it that finds it."""

_LETTERS_DIGITS = re.compile(r"([^\W\d_]{2,}?)([vV]?\d.*)")
_VERSION = re.compile(r"[vV]\d.*")
_OTHER_SIGNS = re.compile(r"[._@:&+#~\\]")
_THOUSANDS = re.compile(r"\d{1,3}(?:[,.'\u2019]\d{3})+(?!\d)")
_PLURAL = re.compile(r"(?<=ung|eit|ion)en\Z|(?<=schaft)en\Z")
"""In the middle of a compound is the singular."""
_COMPOUND_BEGIN, _COMPOUND_END = ">", "<"
_NAME = "="


@dataclass(frozen=True, slots=True)
class Indexed:
    """A text for the full-text index."""

    words: str
    """Words that Postgres stems, in their order."""
    lexemes: tuple[str, ...]
    """What it keeps as it is."""


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that a question asks for."""

    word: str
    """What it is called in the question."""
    stemmed: tuple[str, ...] = ()
    """Words of which the index has the stem: any of them will do."""
    exact: tuple[str, ...] = ()
    """Lexemes as the index has them: any of them will do, too."""
    prefixes: tuple[str, ...] = ()
    """What lexemes begin with that are less than a match, but more than none."""
    together: tuple[str, ...] = ()
    """Words that are a match when all of them are there;"""
    loosely: tuple[str, ...] = ()
    """and those that are less than one."""
    is_code: bool = False
    """Whether what only begins like it is nearly as good: of words that is less sure."""
    is_bigram: bool = False
    """Whether it is two characters of a script without spaces."""
    is_optional: bool = False
    """Whether a passage without it lacks nothing that was asked for."""


def indexed(text: str) -> Indexed:
    """Return what the index keeps of a text."""
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
        for part in _code_parts(token) if kind == "code" else parts_of(token):
            lexemes.update(dict.fromkeys(_lexemes_of_part(part, words, may_compound)))
        if kind == "code":
            lexemes.update(dict.fromkeys(_code_lexemes(token)))
    return Indexed(" ".join(words), tuple(dict.fromkeys(word[:_LONGEST] for word in lexemes if word)))


def terms(question: str) -> list[Term]:
    """Return what a question asks the index for, each thing once."""
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
        for term in made:
            found.setdefault(term.word.lower(), term)
    return list(found.values())[:MOST_TERMS]


def _bigrams(run: str, *, closing: bool = True) -> Iterator[str]:
    """Yield each two characters of a run, and its last one: so every character begins a lexeme."""
    yield from (run[at : at + 2] for at in range(len(run) - 1))
    if closing:
        yield run[-1]


def _bigram_term(bigram: str, run_length: int) -> Term:
    if run_length == 1:
        return Term(bigram, exact=(bigram,), prefixes=(bigram,), is_bigram=True)
    # What is written in hiragana alone is mostly grammar.
    grammar = all("\u3041" <= character <= "\u309f" for character in bigram)
    return Term(bigram, exact=(bigram,), is_bigram=True, is_optional=grammar and run_length > 2)


def _lexemes_of_part(part: str, words: list[str], may_compound: bool) -> Iterator[str]:
    """Add a word that Postgres stems to the words, or yield it as a lexeme; with it, by what its compound is found."""
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
    # No stemmer is asked about other alphabets: words that differ in their ending are nearly the same.
    prefixes += [word[: max(4, len(word) - 2)] for word in others if len(word) >= _LEAST_PART and word.isalpha()]
    return Term(part, latin, others, tuple(prefixes))


def _compact(parts: list[str]) -> str:
    """Return the parts of a code as one: "DS-7604" and "DS7604" are the same, "1.3" and "13" are not."""
    made = ""
    for part in map(folded, parts):
        made += f".{part}" if made and made[-1].isdigit() and part[:1].isdigit() else part
    return made


def _code_parts(token: str) -> list[str]:
    """Return the parts of a code; letters and the number behind them are two, so "TLSv1.3" is "TLS" and "1.3", too."""
    parts: list[str] = []
    for part in parts_of(token):
        split = _LETTERS_DIGITS.fullmatch(part)
        parts += [split.group(1), split.group(2)] if split else [part]
    return [part[1:] if number and _VERSION.fullmatch(part) else part for number, part in enumerate(parts)]


def _is_hyphenated(token: str, parts: Sequence[str]) -> bool:
    """Whether a token is words with hyphens or slashes between them, and no code."""
    return not _OTHER_SIGNS.search(token) and all(part.isalpha() for part in parts)


def _code_lexemes(token: str) -> Iterator[str]:
    """Yield a code with its signs, and from each of its parts on: so what it has anywhere is the beginning of a lexeme."""
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
    """Yield a name as it is written when its signs are part of it: C++, C#, .NET, AT&T."""
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
    """Return the words that stand for a code where it is written in several: "DS 7604" for "DS-7604"; none for numbers."""
    if parts and (split := _LETTERS_DIGITS.fullmatch(parts[0])):
        rest = [split.group(2).lstrip("vV"), *parts[1:]]
        parts = [split.group(1), _compact(rest)]
    is_worded = any(len(part) > 1 and part.isalpha() for part in parts)
    return tuple(parts) if is_worded and 1 < len(parts) <= _MOST_TOGETHER else ()


def _prefix(compact: str) -> str:
    """Return what codes begin with that are meant, too: "ds7604" finds "ds7604ni", "1.3" finds "1.3.2" and not "1.35"."""
    if compact.replace(".", "").removeprefix("v").isdigit():
        is_long = len(compact) >= (_LEAST_DATE if "." in compact else _LEAST_NUMBER)
        return compact if is_long else f"{compact}."
    return compact if len(compact) >= _LEAST_CODE else ""

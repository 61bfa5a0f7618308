"""Questions as queries of the full-text index."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, Boolean, Float, Integer, Text, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from rxchat.domain.lexemes import Term, terms
from rxchat.domain.tokenizing import folded, is_stemmed

_SPECIAL = re.compile(r"['\\]")
_OF_CODES, _OF_WORDS = 0.8, 0.5
"""The weight of a code that matches by its prefix only, and of a word that matches a part of a compound."""
_WEIGHT_OF_CODES = 2.0
_BONUS_OF_CODES = 1.5
"""Vectors do not represent codes: a passage with the rare code of the question must rank before similar texts."""
_POWER, _POWER_UNSPACED = 2.0, 1.0
TYPES: Mapping[str, Any] = {
    "numbers": ARRAY(Integer()), "queries": ARRAY(Text()), "shares": ARRAY(Float()), "optional": ARRAY(Boolean()),
    "weights": ARRAY(Float()), "bonuses": ARRAY(Float()),
}  # fmt: skip

_STEMS = text(
    "SELECT word, tsvector_to_array(to_tsvector('rxchat', word)) AS stems FROM unnest((:words)::text[]) AS asked (word)"
).bindparams(bindparam("words", type_=ARRAY(Text())))
_ABOUT_ALL = text("SELECT greatest(reltuples, 0)::float8 FROM pg_class WHERE oid = 'public.chunk'::regclass")
_SHARES = text("SELECT lexeme, frequency FROM frequent_lexeme WHERE lexeme = ANY (:lexemes)").bindparams(
    bindparam("lexemes", type_=ARRAY(Text()))
)


@dataclass(frozen=True, slots=True)
class QueryTerm:
    """A term as queries: what matches it, and what matches it loosely."""

    query: str
    loose: str
    """The loose condition; "" if there is none."""
    share: float
    """The weight of a loose match."""
    is_optional: bool
    lexemes: tuple[str, ...]
    """Any of them is a match."""
    is_code: bool


@dataclass(frozen=True, slots=True)
class LexemeFrequencies:
    """The frequencies of lexemes among all chunks."""

    chunks: float
    of: Mapping[str, float]

    def share(self, term: QueryTerm) -> float:
        """Return about which share of the chunks has a term."""
        return min(1.0, sum(self.of.get(lexeme, 0.0) for lexeme in term.lexemes))

    def rarity(self, term: QueryTerm) -> float:
        """Return how much a term says, as of one that few chunks of a scope have."""
        return math.log(1 + 1 / max(self.share(term), 1 / max(self.chunks, 1.0)))


@dataclass(frozen=True, slots=True)
class FullTextQuery:
    """The query of a question to the full-text index."""

    terms: tuple[QueryTerm, ...]
    power: float = _POWER
    """To which power the share of the question that a passage has decides how much its words count."""

    def values(self, shares: LexemeFrequencies | None = None) -> dict[str, Any]:
        """Return the parameters of the statements that rank by terms; how rare they are is in their weights when it is known."""
        levels = [
            (number, query, share, term)
            for number, term in enumerate(self.terms)
            for query, share in ((term.query, 1.0), (term.loose, term.share))
            if query
        ]
        codes = max(1, sum(term.is_code for term in self.terms))
        rarities = [shares.rarity(term) if shares else 1.0 for _, _, _, term in levels]
        most = math.log(1 + max(1.0, shares.chunks)) if shares else 1.0
        return {
            "numbers": [number for number, _, _, _ in levels],
            "queries": [query for _, query, _, _ in levels],
            "shares": [share for _, _, share, _ in levels],
            "optional": [term.is_optional for _, _, _, term in levels],
            "weights": [
                (_WEIGHT_OF_CODES if term.is_code else 1.0) * rarity
                for (_, _, _, term), rarity in zip(levels, rarities, strict=True)
            ],
            "bonuses": [
                _BONUS_OF_CODES / codes * (rarity / most) ** 2 if term.is_code else 0.0
                for (_, _, _, term), rarity in zip(levels, rarities, strict=True)
            ],
        }

    def rare(self, shares: LexemeFrequencies, most: float) -> str:
        """Return a query for large scopes: the rarest terms, as many as few chunks have; all of them, when none is rare."""
        rare, rows = list[QueryTerm](), 0.0
        for term in sorted(self.terms, key=shares.share):
            rows += shares.share(term) * shares.chunks
            if rows > most:
                break
            rare.append(term)
        return (" | " if rare else " & ").join(f"({term.loose or term.query})" for term in rare or self.terms)


async def parse_query(session: AsyncSession, question: str) -> FullTextQuery:
    """Return what a question asks for, its words as the index has them; words that say nothing are left out."""
    wanted = terms(question)
    words = {word for term in wanted for word in term.stemmed}
    words |= {folded(word) for term in wanted for word in (*term.together, *term.loosely)}
    latin = sorted(filter(is_stemmed, words))
    stems = {row.word: list(row.stems) for row in await session.execute(_STEMS, {"words": latin})} if latin else {}
    made = tuple(one for term in wanted if (one := _asked(term, stems)) is not None)
    unspaced = sum(1 for term in wanted if term.is_bigram)
    return FullTextQuery(made, _POWER_UNSPACED if unspaced > len(wanted) / 2 else _POWER)


def _asked(term: Term, stems: Mapping[str, Sequence[str]]) -> QueryTerm | None:
    lexemes = tuple(dict.fromkeys([*(stem for word in term.stemmed for stem in stems.get(word, ())), *term.exact]))
    ways = [_quoted(lexeme) for lexeme in lexemes] + _all_of(term.together, stems)
    if not ways:
        return None
    loosely = [f"{_quoted(prefix)}:*" for prefix in term.prefixes] + _all_of(term.loosely, stems)
    return QueryTerm(
        " | ".join(ways),
        " | ".join(ways + loosely) if loosely else "",
        _OF_CODES if term.is_code else _OF_WORDS,
        term.is_optional,
        lexemes,
        term.is_code,
    )


def _all_of(words: Iterable[str], stems: Mapping[str, Sequence[str]]) -> list[str]:
    """Return a query for words that stand together, as a list; an empty one when only words are left that say nothing."""
    found = [lexeme for word in map(folded, words) for lexeme in (stems.get(word, ()) if is_stemmed(word) else (word,))]
    return [f"({' & '.join(map(_quoted, found))})"] if len(found) > 1 else []


async def lexeme_frequencies(session: AsyncSession, wanted: FullTextQuery) -> LexemeFrequencies:
    """Return how common the lexemes of a question are."""
    chunks = (await session.execute(_ABOUT_ALL)).scalar_one()
    lexemes = [lexeme for term in wanted.terms for lexeme in term.lexemes]
    found = {row.lexeme: row.frequency for row in await session.execute(_SHARES, {"lexemes": lexemes})}
    return LexemeFrequencies(chunks, found)


def _quoted(lexeme: str) -> str:
    """Return a lexeme as a query for just it, whatever is in it."""
    return "'" + _SPECIAL.sub(r"\g<0>\g<0>", lexeme) + "'"

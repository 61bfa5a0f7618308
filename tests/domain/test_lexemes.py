"""Words as the index keeps them and questions ask for them, without a database: what is asked for is what is kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxchat.domain.lexemes import MOST_TERMS, Term, indexed, terms
from rxchat.domain.tokenizing import folded

STOP_WORDS = {"it", "in", "of", "who", "is"}
"""Postgres leaves them out."""


def asks_for(question: str, text: str) -> bool:
    """Whether a text has a term of a question, exactly or loosely, as far as no stemmer is needed."""
    kept = indexed(text)
    lexemes = {*kept.words.split(), *kept.lexemes} - STOP_WORDS
    return any(_matches(term, lexemes) for term in terms(question))


def _matches(term: Term, lexemes: set[str]) -> bool:
    return (
        not lexemes.isdisjoint((*term.stemmed, *term.exact))
        or any(lexeme.startswith(prefix) for prefix in term.prefixes for lexeme in lexemes)
        or any(words and {folded(word) for word in words} <= lexemes for words in (term.together, term.loosely))
    )


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("DS-7604", "Article DS-7604NI-E1/4P/A"),
        ("DS-7604NI", "Article DS-7604NI-E1/4P/A"),
        ("ds7604ni", "Article DS-7604NI-E1/4P/A"),
        ("DS 7604NI", "Article DS-7604NI-E1/4P/A"),
        ("7604NI-E1", "Article DS-7604NI-E1/4P/A"),
        ("E1/4P", "Article DS-7604NI-E1/4P/A"),
        ("DS-7604NI", "Article DS 7604NI"),
        ("DS7604NI", "Article DS-7604NI"),
        ("C++", "written in C++."),
        ("C#", "C#, and F#"),
        (".NET", "for .NET 8"),
        ("AT&T", "a contract with AT&T"),
        ("R&D", "the R&D budget"),
        ("TLS 1.3", "only TLSv1.3"),
        ("TLSv1.3", "only TLS 1.3"),
        ("pool.py", "see src/rxchat/db/pool.py"),
        ("db/pool.py", "see src/rxchat/db/pool.py"),
        ("C:\\Users\\anna", "in C:\\Users\\anna\\notes.txt"),
        ("anna.berg@example.org", "write to anna.berg@example.org"),
        ("example.org", "write to anna.berg@example.org"),
        ("2.1", "since version v2.1.0"),
        ("v2.1.0", "since version 2.1.0"),
        ("1234", "1,234 pieces"),
        ("1.234", "1234 Stück"),
        ("e-mail", "by email"),
        ("email", "by e-mail"),
        ("2024-05-03", "on 2024-05-03T10:00"),
        ("Mueller", "Frau Müller"),
        ("Müller", "Frau Mueller"),
        ("Muller", "Frau Müller"),
        ("strasse", "Straße"),
        ("Straße", "STRASSE"),
        ("zustaendig", "zuständig"),
        ("reinigung", "Die Straßenreinigung ist am Montag"),
        ("Straßen", "Die Straßenreinigung ist am Montag"),
        ("Reinigung", "Straßenreinigungsgebühren steigen"),
        ("Reinigungen", "Straßenreinigungsgebühren steigen"),
        ("Gebühr", "Straßenreinigungsgebühren steigen"),
        ("Gebuehr", "Straßenreinigungsgebühren steigen"),
        ("Vorschrift", "Verwaltungsvorschrift über Reinigungsdienste"),
        ("Schutz", "der Datenschutzbeauftragte"),
        ("Straße", "Das Bundesfernstraßengesetz"),
        ("Versicherung", "Krankenversicherungsbeitrag"),
        ("إجازة", "الإجازة السنوية ثلاثون يوماً"),
        ("الإجازة", "إجازة سنوية"),
        ("إجازة", "بالإجازة وللإجازة"),
        ("إجازة", "وإجازة"),
        ("عقد", "والعقد"),
        ("مكتب", "للمكتب"),
        ("חוזה", "בחוזה ובהסכם"),
        ("הסכם", "ובהסכם"),
        ("Soeren", "Søren er her"),
        ("医院证明", "须提交医院证明。"),
        ("猫", "黒い猫"),
        ("サーバー", "ｻｰﾊﾞｰの設定"),
        ("데이터베이스를", "데이터베이스는"),
        ("กรุงเทพ", "เดินทางไปกรุงเทพมหานคร"),
        ("Москва", "в Москве"),
        ("елка", "Ёлка"),
        ("हिन्दी", "यह हिन्दी है"),
        ("Who runs IT?", "IT is run by Halvorsen"),
        ("WHO RUNS IT", "IT is run by Halvorsen"),
        ("Is WHO in Geneva?", "WHO has its seat there"),
        ("sold in the US", "a US company"),
        ("Does Will come?", "I asked Will today"),
    ],
)  # fmt: skip
def test_what_is_asked_for_is_found(question: str, text: str) -> None:
    assert asks_for(question, text)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("C++", "the letter C"),
        ("C#", "C++"),
        ("1.3", "13"),
        ("1.3", "1.35"),
        ("1.3", "step 1 of 3"),
        ("DS-7604", "DS-7504NI"),
        ("who runs it?", "IT"),
        ("IT", "it rains"),
        ("ration", "The generation of reports"),
        ("ration", "Administration"),
        ("formation", "A transformation of information"),
        ("eigen", "Die Straßenreinigung ist am Montag"),
        ("医院", "医学院"),
    ],
)
def test_what_is_something_else_is_not_found(question: str, text: str) -> None:
    assert not asks_for(question, text)


def test_words_in_headings_in_capitals_are_no_names() -> None:
    assert "=it" not in indexed("HOW TO MAKE IT WORK WITH US").lexemes


@given(st.text(max_size=300))
def test_whatever_is_written_has_lexemes_that_postgres_can_keep(text: str) -> None:
    kept = indexed(text)
    assert all(0 < len(lexeme.encode("utf-8", "replace")) < 2_000 for lexeme in kept.lexemes)
    assert kept.words.replace(" ", "").isascii()
    assert len(terms(text)) <= MOST_TERMS


@pytest.mark.parametrize("word", ["\u00e4", "ung", "\u0436", "\u05d0", "a1-", "x.", "\u3042", "C++", "\u1e9e", "9,999"])
@pytest.mark.parametrize("length", [99, 100, 101, 3_000])
def test_long_words_are_asked_for_as_they_are_kept(word: str, length: int) -> None:
    """Postgres refuses lexemes of over 2,046 bytes, and says so with the text."""
    text = word * length
    asked = [
        item
        for term in terms(text)
        for item in (*term.stemmed, *term.exact, *term.prefixes, *term.together, *term.loosely)
    ]
    assert asked and all(len(item) <= 100 for item in asked)
    kept = indexed(text)
    assert all(len(item) <= 100 for item in (*kept.words.split(), *kept.lexemes))


@given(st.text(min_size=1, max_size=60))
def test_what_is_asked_as_it_is_written_is_found(text: str) -> None:
    for term in terms(text):
        assert _matches(term, {*indexed(text).words.split(), *indexed(text).lexemes}), term

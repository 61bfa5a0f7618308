"""Citations are checked, not hoped for."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rxchat.domain.citations import Wording, as_data, citations_of, verified_numbers
from rxchat.domain.ids import new_id
from rxchat.domain.retrieval import Passage, Source
from tests.support.blowup import no_blowup

TEXT = (
    "Everybody has thirty days of holi-\ndays in a year. They are “asked for” in the calendar, and granted by the team."
)


def source(number: int, text: str = TEXT, start: int = 100) -> Source:
    passage = Passage(
        new_id(), new_id(), new_id(), new_id(), "handbook.md", "Holidays", 3, 0, start, start + len(text), 20, text,
        hashlib.sha256(text.encode()).digest(), 1.0,
    )  # fmt: skip
    return Source(number, passage)


SOURCES = (source(1), source(2, "The coffee machine is cleaned on Fridays."))
FEES = source(3, "It costs $900 for 5 % of all.")


def told(answer: str) -> list[tuple[int, bool, str]]:
    return [(item.number, item.is_verified, item.reason) for item in citations_of(answer, (*SOURCES, FEES))]


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ("Thirty days [1].", [(1, True, "")]),
        ("Both [1, 2] and [2; 1].", [(1, True, ""), (2, True, ""), (2, True, ""), (1, True, "")]),
        ("In other styles 【1】 and 【2†source】.", [(1, True, ""), (2, True, "")]),
        ("[source 1] says so.", [(1, True, "")]),
        ("Nobody showed it [7].", [(7, False, "no such source")]),
        ('It says "asked for in the calendar" [1].', [(1, True, "")]),
        ('It says "asked for by letter" [1].', [(1, False, "not in the source")]),
        ('The "handbook.md" says so under "Holidays" [1].', [(1, True, "")]),
        ('The "lawbook.md" says so under "Holidays" [1].', [(1, False, "not in the source")]),
        ('The fee is said to be "$900 for 5 % of all" [3].', [(3, True, "")]),
        ('The fee is said to be "€900 for 5 % of all" [3].', [(3, False, "not in the source")]),
        ('The fee is said to be "$900 for -5 % of all" [3].', [(3, False, "not in the source")]),
        ('"handbook.md" says "forty days" [1].', [(1, False, "not in the source")]),
        ("It says “THIRTY  days” [1].", [(1, True, "")]),
        ('It says "thirty days ... in the calendar" [1].', [(1, True, "")]),
        ('It says "in the calendar ... thirty days" [1].', [(1, False, "not in the source")]),
        ('He said "thirty days of holidays" long ago. It is so. Holidays [2].', [(2, True, "")]),
        ('A "word" alone is a quotation, too [2].', [(2, False, "not in the source")]),
        ("A list `x[1]` and\n```\ny[2]\n```\nare code.", []),
        ("A link [1](https://example.org) is none.", []),
        ("One after another [1][2].", [(1, True, ""), (2, True, "")]),
        ("A reference [1][manual] is a link.", []),
        ("Other code ``a ` [1]`` and\n~~~\n[2]\n~~~\nand after it [1].", [(1, True, "")]),
        ("```\ncode that never ends [1]", []),
        (
            'Two sources say "asked for by letter" [1][2].',
            [(1, False, "not in the source"), (2, False, "not in the source")],
        ),
        ("As it says in [1]: thirty.", [(1, True, "")]),
        ("[1]: https://example.org is a definition.", []),
        ("One ` backtick [1] and no other.", [(1, True, "")]),
        ("Nothing at all.", []),
    ],
)
def test_a_mark_holds_or_not(answer: str, found: list[tuple[int, bool, str]]) -> None:
    assert told(answer) == found


def test_a_quotation_is_where_it_stands() -> None:
    [found] = citations_of('It says "coffee machine is cleaned" [2].', SOURCES)
    assert SOURCES[1].passage.text[found.start - 100 : found.end - 100] == "coffee machine is cleaned"
    [whole] = citations_of("It is cleaned [2].", SOURCES)
    assert (whole.start, whole.end) == (100, 100 + len(SOURCES[1].passage.text))


def test_places_are_counted_as_pages_count() -> None:
    [found] = citations_of("🙂🙂 yes [1].", SOURCES)
    as_utf16 = "🙂🙂 yes [1].".encode("utf-16-le")
    assert as_utf16[found.at * 2 : (found.at + found.length) * 2].decode("utf-16-le") == "[1]"


def test_a_model_that_goes_round_in_circles_is_cut_short() -> None:
    assert len(citations_of("[1] " * 5_000, SOURCES)) == 200


def test_what_really_holds_is_what_counts() -> None:
    assert verified_numbers(as_data(citations_of("[2] [7] [1] [2]", SOURCES))) == [1, 2]


@given(st.text(max_size=200), st.text(max_size=200))
def test_whatever_is_said_nothing_breaks(before: str, quote: str) -> None:
    for item in citations_of(f'{before} "{quote}" [1] {before}[{quote}]', SOURCES):
        assert item.number >= 0


@given(st.text(min_size=1, max_size=80), st.text(max_size=80), st.text(max_size=80))
@example("\u00bc", "", "")
@example("\u2152", "a", "b")
def test_words_that_stand_there_are_found(quote: str, before: str, after: str) -> None:
    text = f"{before} {quote} {after}"
    span = Wording.of(text.replace("...", " ").replace("…", " ")).span_of(quote.replace("...", " ").replace("…", " "))
    has_words = any(character.isalnum() for character in quote)
    assert (span is not None) == has_words


@pytest.mark.parametrize(
    "text",
    ["`" * 200_000, "` " * 100_000, "`` ` " * 40_000, "```\n" * 50_000, "【1†" * 50_000, "`[1]` " * 33_000, '"a b" ' * 30_000,
     "[1," * 60_000, "[1][" * 50_000],
    ids=lambda text: text[:8],
)  # fmt: skip
def test_a_model_that_writes_nonsense_costs_no_time(text: str) -> None:
    with no_blowup():
        citations_of(text[:200_000], SOURCES)

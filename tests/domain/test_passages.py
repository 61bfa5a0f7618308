"""Where the passage of an older citation stands in a document that may have changed since."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxchat.domain import passages
from rxchat.domain.passages import PassageRef, Span, find_passage

TEXT = "😀 The fee is 900 dollars.\nRefunds are paid within thirty days. The fee is 900 dollars, still."


@pytest.mark.parametrize(("first", "quote"), [(0, "The fee is 900"), (100, "the  fee is")])
def test_it_is_where_it_was_if_the_same_words_stand_there(first: int, quote: str) -> None:
    wanted = PassageRef(first + 2, first + 24, 0, quote)
    assert find_passage(TEXT, first, wanted) == Span(first + 2, first + 24)


def test_it_is_where_its_words_are_now_if_others_stand_there() -> None:
    now = f"A new preface.\n{TEXT}"
    span = find_passage(now, 50, PassageRef(75, 99, 0, "Refunds are\npaid within"))
    assert span is not None and now[span.start - 50 : span.end - 50] == "Refunds are paid within"
    assert find_passage("short", 0, PassageRef(900, 920, 0, "short")) == Span(0, 5)


@pytest.mark.parametrize(("start", "found"), [(4, 2), (60, 63)])
def test_of_several_places_it_is_the_nearest(start: int, found: int) -> None:
    span = find_passage(TEXT, 0, PassageRef(start, start + 3, 0, "The fee is 900 dollars"))
    assert span is not None and span.start == found


def test_it_is_nowhere_if_its_words_are_gone_and_at_its_place_if_it_has_none() -> None:
    assert find_passage(TEXT, 0, PassageRef(2, 24, 0, "Fees are abolished")) is None
    assert find_passage(TEXT, 0, PassageRef(2, 24)) == Span(2, 24)
    assert find_passage(TEXT, 0, PassageRef()) is None
    assert find_passage(TEXT, 0, PassageRef(900, 924)) is None


def test_it_is_found_with_letters_that_are_written_in_two_ways() -> None:
    assert find_passage("The cafe\u0301 is open.", 0, PassageRef(4, 9, 0, "cafe")) == Span(4, 9)
    assert find_passage("An o\ufb03cial note", 0, PassageRef(90, 99, 0, "official")) == Span(3, 9)


@given(
    st.text(max_size=60),
    st.text(max_size=60),
    st.text(alphabet=st.characters(categories=["L", "N", "M"]), min_size=1, max_size=20),
)
def test_what_is_quoted_as_it_stands_is_found(before: str, after: str, quote: str) -> None:
    """The quick look for the quote misses nothing that the exact one finds."""
    text = before + quote + after
    has_letters = bool(passages._letters(quote)[0])
    assert (find_passage(text, 0, PassageRef(5_000, 5_010, 0, quote)) is not None) == has_letters


@given(st.text(max_size=60), st.text(max_size=60), st.text(min_size=1, max_size=20))
def test_a_span_is_inside_the_text(before: str, after: str, quote: str) -> None:
    text = before + quote + after
    span = find_passage(text, 7, PassageRef(5_000, 5_010, 0, quote))
    assert span is None or 7 <= span.start < span.end <= 7 + len(text)

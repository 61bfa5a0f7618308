"""Text from people and models, made fit for storing and showing."""

from __future__ import annotations

import pytest

from rxchat.domain.text import clean_title, storable, title_of, utf16_length


def test_what_postgres_cannot_hold_is_replaced_and_nothing_else() -> None:
    assert storable("a\x00b\ud800c\u202ed\n🙂") == "a\ufffdb\ufffdc\u202ed\n🙂"


@pytest.mark.parametrize(("text", "length"), [("", 0), ("abc", 3), ("é", 1), ("🙂", 2), ("a🙂b", 4)])
def test_lengths_are_those_of_javascript(text: str, length: int) -> None:
    assert utf16_length(text) == length


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("What is the capital of France?", "What is the capital of France?"),
        ("  two\n\nlines \t here ", "two lines here"),
        ("## A heading", "A heading"),
        ("\x00", "\ufffd"),
        ("   ", "New conversation"),
        ("word " * 40, "word word word word word word word word word word word word…"),
        ("x" * 100, "x" * 60 + "…"),
    ],
)
def test_a_title_is_the_questions_start_cut_at_a_word(question: str, title: str) -> None:
    assert title_of(question) == title


def test_a_typed_title_is_one_line_of_at_most_200_characters() -> None:
    assert clean_title(" a\n b ") == "a b"
    assert len(clean_title("x" * 300)) == 200
    assert clean_title(" \n ") == ""

"""Text from people and models, made fit for storing and showing."""

from __future__ import annotations

import pytest

from rxchat.domain.accounts import valid_name
from rxchat.domain.text import clean_line, clean_title, storable, title_of, utf16_length


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


@pytest.mark.parametrize(
    "sign", [chr(code) for code in (0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))]
)
def test_no_short_text_turns_what_stands_beside_it(sign: str) -> None:
    for clean in (clean_line, clean_title, title_of, valid_name):
        assert clean(f"{sign}invoice {sign}gnp.exe{sign}") == "invoice gnp.exe"


def test_a_line_keeps_every_script_and_joined_signs() -> None:
    assert clean_line(" שלום \t\n دنیا\u200cها 👩\u200d💻\x00\ud800 ") == "שלום دنیا\u200cها 👩\u200d💻\ufffd\ufffd"


def test_a_typed_title_is_one_line_of_at_most_200_characters() -> None:
    assert clean_title(" a\n b ") == "a b"
    assert len(clean_title("x" * 300)) == 200
    assert clean_title(" \n ") == ""

"""Text from people and models, made fit for storing and showing."""

from __future__ import annotations

import json
import sys
import unicodedata
from pathlib import Path

import pytest

from rxchat.domain.accounts import valid_name
from rxchat.domain.errors import InvalidInput
from rxchat.domain.text import clean_line, clean_title, same_site_path, sanitize, title_of, utf16_length


def test_what_postgres_cannot_hold_is_replaced_and_nothing_else() -> None:
    assert sanitize("a\x00b\ud800c\u202ed\n🙂") == "a\ufffdb\ufffdc\u202ed\n🙂"


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
        ("one\u2028line\u2029more", "one line more"),
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


@pytest.mark.parametrize(
    "code",
    [
        0x1,
        0x8,
        0x1B,
        0x7F,
        0x80,
        0xAD,
        0x34F,
        0x115F,
        0x180B,
        0x180D,
        0x180E,
        0x180F,
        0x200B,
        0x200C,
        0x200D,
        0x206A,
        0x2800,
        0x3164,
        0xFDD0,
        0xFE00,
        0xFE0E,
        0xFE0F,
        0xFEFF,
        0xFFFE,
        0x13430,
        0x1D159,
        0x1FFFF,
        0xE0001,
        0xE0041,
        0xE0100,
        0xE01EF,
    ],
)
def test_what_nobody_sees_makes_no_name_and_no_other_one(code: int) -> None:
    """One that is blank, or looks like another's."""
    invisible = chr(code)
    assert clean_line(invisible * 2) == clean_title(f" {invisible}") == ""
    assert clean_line(f"{invisible}b{invisible}ob{invisible} {invisible}") == "bob"
    with pytest.raises(InvalidInput):
        valid_name(invisible)


@pytest.mark.parametrize(
    "text", ["🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f team", "❤️", "क्‍ष", "می‌خواهم", "👨‍👩‍👧"]
)
def test_what_joins_or_varies_visible_signs_stays(text: str) -> None:
    assert clean_line(text) == text


@pytest.mark.parametrize(
    "text", ["1\ufe0f\u20e3", "©\ufe0f", "☎\ufe0e", "葛\U000e0100城", "ᠭ\u180bᠠ", "👁\ufe0f\u200d🗨\ufe0f", "↔\ufe0f"]
)
def test_a_selector_of_variants_stays_where_there_are_some(text: str) -> None:
    assert clean_line(text) == text


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("races\ufe0f", "races"), ("races\x01", "races"), ("Alice\x1b[2K\x08", "Alice[2K"), ("❤\ufe0f\ufe0f", "❤\ufe0f"),
        ("\u2800\ufe0f", ""), ("1\ufe0f", "1"), ("a\U000e0100", "a"), ("a\x85b\x1cc", "a b c"),
    ],
)  # fmt: skip
def test_what_changes_nothing_that_is_seen_makes_no_other_name(name: str, kept: str) -> None:
    assert clean_line(name) == kept


def test_what_this_python_knows_as_a_control_or_format_character_is_in_no_name() -> None:
    """Numbers' signs in Arabic, Syriac and Kaithi are seen."""
    seen = {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}
    unseen = [
        chr(code)
        for code in range(1, sys.maxunicode + 1)
        if unicodedata.category(chr(code)) in {"Cc", "Cf"} and code not in seen
    ]
    assert [sign for sign in unseen if clean_line(f"a{sign}") != "a" or clean_line(sign)] == []


def test_a_line_keeps_every_script_and_joined_signs() -> None:
    assert clean_line(" שלום \t\n دنیا\u200cها 👩\u200d💻\x00\ud800 ") == "שלום دنیا\u200cها 👩\u200d💻\ufffd\ufffd"


def test_a_typed_title_is_one_line_of_at_most_200_characters() -> None:
    assert clean_title(" a\n b ") == "a b"
    assert len(clean_title("x" * 300)) == 200
    assert clean_title(" \n ") == ""


def test_next_leads_only_to_pages_as_the_browser_decides_too() -> None:
    cases = json.loads((Path(__file__).parents[1] / "support" / "next_cases.json").read_text())
    assert [path for path in cases["pages"] if same_site_path(path) != path] == []
    assert [path for path in cases["others"] if same_site_path(path) != "/"] == []

"""What a file is called after it was uploaded: kept in every script, without what nobody sees."""

from __future__ import annotations

import pytest

from rxchat.domain.errors import InvalidInput
from rxchat.domain.files import clean_file_name, file_name_key, shortened_file_name


@pytest.mark.parametrize(
    "name",
    [
        "Kündigung für Zoë.txt", "会議の議事録①.docx", "합의서 최종.hwp.pdf", "अनुबंध.pdf", "สัญญา.pdf", "عقد.pdf", "חוזה.pdf",
        "می\u200cخواهم.txt", "ශ්\u200dරී.txt", "👩\u200d👩\u200d👧.png", "🏳\ufe0f.txt", "\u0600١٢.txt", "a#b?c%2Fd;\"e'&+f.txt", ".env",
        "a..b (1) [2] {3}.txt", "\U000323b0.txt",
        "a" * 251 + ".txt", "я" * 126 + ".txt", "漢" * 251 + ".pdf", "⠓⠑\u2800⠇.txt", "ᄀ\u1160.txt", ".env.\u3164.txt",
    ],
)  # fmt: skip
def test_a_name_is_kept_as_it_is(name: str) -> None:
    assert clean_file_name(name) == name


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("Zoe\u0308.txt", "Zoë.txt"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("a\u2066b\u2069\u200e\u200f\u061c.txt", "ab.txt"),
        ("a\u200b\u2060\ufeff\u00adb.txt", "ab.txt"),
        ("a\U000e0041b.txt", "ab.txt"),
        ("a\x00\x1b[31m\x7fb.txt", "a[31mb.txt"),
        ("Angebot\u00a0Müller\u3000第1版 3.45\u202fPM.txt", "Angebot Müller 第1版 3.45 PM.txt"),
        ("two\nlines\u2028and\ttabs.txt", "two lines and tabs.txt"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ann\\a.txt", "a.txt"),
    ],
)
def test_what_is_not_seen_is_gone_and_words_stay_apart(name: str, kept: str) -> None:
    assert clean_file_name(name) == kept


@pytest.mark.parametrize(
    "name",
    [
        "\u3164", "\u3164.txt", "\u115f\u1160.txt", "\uffa0.pdf", "\u2800 \u2800.txt", "\u200b.txt", "\u202e.txt", "\u200d.png", "\ufe0f.txt",
        "\u3164.\u3164", ".\u3164", "a/\u3164.txt", "...",
    ],
)  # fmt: skip
def test_a_name_of_which_nothing_is_seen_is_none(name: str) -> None:
    with pytest.raises(InvalidInput, match="has no name"):
        clean_file_name(name)


def test_a_name_that_no_disk_takes_is_refused_or_shortened_before_its_suffix() -> None:
    with pytest.raises(InvalidInput, match="has 256 characters; the maximum is 255"):
        clean_file_name("a" * 252 + ".txt")
    assert shortened_file_name("a" * 252 + ".txt") == "a" * 251 + ".txt"
    assert shortened_file_name("a" * 251 + ".txt") == "a" * 251 + ".txt"
    assert shortened_file_name("я" * 300) == "я" * 255


def test_names_that_differ_in_case_only_are_the_same_name() -> None:
    for one, other in (
        ("Plan.txt", "PLAN.TXT"),
        ("Übersicht.pdf", "u\u0308BERSICHT.PDF"),
        ("Straße", "STRASSE"),
        ("ΣΑΣ", "σας"),
    ):
        assert file_name_key(one) == file_name_key(other)
    assert file_name_key("Plan.txt") != file_name_key("Plan1.txt")
    assert file_name_key("é") != file_name_key("e")

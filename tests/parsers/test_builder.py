"""Documents put together from blocks."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxchat.domain.documents import BlockKind
from rxchat.domain.errors import DocumentUnreadable
from rxchat.parsers import limits
from rxchat.parsers.builder import TextBuilder, clean
from tests.parsers.samples import check, parts

ANY_TEXT = st.text(st.characters(exclude_categories=[]) | st.sampled_from("\n\r\t \0\ud800\ufeff\u00ad\x85\u0301"))


@given(st.lists(st.tuples(st.sampled_from(BlockKind), ANY_TEXT)))
def test_whatever_is_added_the_blocks_are_where_they_say(added: list[tuple[BlockKind, str]]) -> None:
    builder = TextBuilder()
    for kind, text in added:
        builder.add(kind, text, level=1 if kind is BlockKind.HEADING else 0)
    if builder.is_empty:
        with pytest.raises(DocumentUnreadable, match="no text"):
            builder.built()
        return
    document = builder.built()
    check(document)
    document.text.encode()
    assert "\n\n\n\n" not in document.text
    left = [expected(raw) for _, raw in added]
    assert [text for _, text in parts(document)] == [text for text in left if text]


def expected(raw: str) -> str:
    """What is left of a text: its lines from the first to the last that has anything."""
    lines = clean(raw).rstrip().split("\n")
    while lines and not lines[0].strip():
        lines.pop(0)
    return "\n".join(lines)


@given(ANY_TEXT)
def test_text_is_normal_and_without_control_characters(text: str) -> None:
    cleaned = clean(text)
    assert unicodedata.is_normalized("NFC", cleaned)
    assert not [it for it in cleaned if unicodedata.category(it) in {"Cc", "Cs"} and it not in "\n\t"]


def test_what_is_too_long_is_cut_and_a_note_says_so() -> None:
    builder = TextBuilder()
    for _ in range(6):
        builder.add(BlockKind.PARAGRAPH, "a" * 2_000_000)
    document = builder.built()
    check(document)
    assert builder.is_full
    assert len(document.text) == limits.TEXT_CHARACTERS
    assert document.notes == ("Only the first 10,000,000 characters were read. The rest was left out.",)


def test_there_are_no_more_blocks_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BLOCKS", 3)
    builder = TextBuilder()
    for number in range(5):
        builder.add(BlockKind.PARAGRAPH, str(number))
    assert [text for _, text in parts(builder.built())] == ["0", "1", "2"]
    assert builder.built().notes


def test_notes_are_said_once_and_are_short_and_few() -> None:
    builder = TextBuilder()
    builder.add(BlockKind.PARAGRAPH, "a")
    for number in range(50):
        builder.note("same")
        builder.note(f"{number} {'x' * 1000}")
    notes = builder.built().notes
    assert notes[0] == "same"
    assert len(notes) == limits.NOTES
    assert max(map(len, notes)) == limits.SENTENCE_CHARACTERS


def test_a_small_file_cannot_hold_more_text_than_its_size_explains() -> None:
    small, large = TextBuilder(10_000), TextBuilder(1_000_000)
    for builder in (small, large):
        for _ in range(9_900):
            builder.add(BlockKind.PARAGRAPH, "a" * 1_000)
    assert len(small.built().text) == limits.TEXT_RATIO * 10_000
    assert "far more text than a file of this size should" in small.built().notes[0]
    assert len(large.built().text) > 9_000_000
    assert large.built().notes == ()

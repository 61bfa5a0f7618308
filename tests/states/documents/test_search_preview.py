"""Passages that a question found, in words."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from rxchat.domain.ids import new_id
from rxchat.domain.retrieval import Passage
from rxchat.states.documents.document_views import passage_address
from rxchat.states.documents.search_preview import TextPart, marked_parts, shown_parts

LONG = "Nothing of it here. " * 20 + "The keeper writes the log."


def _joined(parts: list[TextPart]) -> str:
    return "".join(part.text for part in parts)


def _passage(text: str, page: int = 2) -> Passage:
    return Passage(
        new_id(), new_id(), new_id(), new_id(), "notes.txt", "", page, 1, 0, 9, tokens=3, text=text, hash=b"", score=0.5
    )


def test_words_of_the_question_and_their_endings_are_marked_but_no_stop_words() -> None:
    parts = marked_parts("The keeper writes the log.", "What does the keeper write?")
    assert [part.text for part in parts if part.is_marked] == ["keeper", "writes"]
    assert _joined(parts) == "The keeper writes the log."
    assert marked_parts("to be", "to be")[0] == TextPart("to", is_marked=True)


def test_a_passage_begins_near_the_first_marked_word() -> None:
    shown = _joined(shown_parts(LONG, "keeper"))
    assert shown.startswith("… ") and shown.index("keeper") < 140
    assert shown.endswith("keeper writes the log.")


@pytest.mark.parametrize("text", ["The keeper writes.", LONG])
def test_a_passage_without_the_words_is_whole(text: str) -> None:
    assert _joined(shown_parts(text, "tiger")) == text


def test_an_address_has_the_place_in_the_query_and_the_quote_behind_the_hash() -> None:
    passage = _passage("  the 🗝 & key " + "x" * 400)
    found = urlsplit(passage_address(passage))
    assert parse_qs(found.query) == {"end": ["9"], "page": ["2"]}
    assert parse_qs(found.fragment)["quote"] == [passage.text.strip()[:300]]

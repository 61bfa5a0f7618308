"""What a page says about the citations of an answer."""

from __future__ import annotations

from dataclasses import astuple, replace
from typing import Any
from uuid import UUID

from rxchat.domain.citation_cards import _excerpt, cards_of, source_lines
from rxchat.domain.retrieval import ShownSource

DOCUMENT = UUID("01a22a83-c546-7273-b835-483a5a446f67")
SOURCE = ShownSource(
    number=1, name="rules.md", heading="Holidays", page=3, start=100, end=128, text="😀 Everybody has thirty days.",
    hash=b"", document_id=DOCUMENT, score=0.0, is_cited=True, is_there=True, is_allowed=True,
)  # fmt: skip
WHOLE = f"/documents/view/{DOCUMENT}?start=100&end=128&page=3#quote=%F0%9F%98%80+Everybody+has+thirty+days."
QUOTED = f"/documents/view/{DOCUMENT}?start=112&end=122&page=3#quote=has+thirty"


def citation(**facts: Any) -> dict[str, Any]:
    """A verified citation that quotes "has thirty"."""
    usual = {"number": 1, "verified": True, "reason": "", "quote": "has thirty", "start": 112, "end": 122}
    return {"at": 0, "length": 3, **usual, **facts}


DOUBTFUL = citation(verified=False, reason="not in the source", quote="x" * 300, start=0, end=0)


def card(cited: dict[str, Any], *sources: ShownSource) -> list[str]:
    """The texts of a citation's card that are not empty."""
    at, number, *texts = astuple(cards_of([cited], sources)[0])
    assert (at, number) == (cited["at"], cited["number"])
    return [text for text in texts if text]


def test_a_card_shows_the_passage_around_what_is_quoted_and_leads_there() -> None:
    expected = ["Source 1", "rules.md", "page 3 · Holidays", "😀 Everybody ", "has thirty", " days.", QUOTED]
    assert card(citation(), SOURCE) == expected
    # The address says what the text says, and not what the answer made of it.
    assert card(citation(quote="HAS ... thirty"), SOURCE)[-1] == QUOTED
    assert card(citation(quote="", start=0, end=0), SOURCE)[-1] == WHOLE


def test_an_excerpt_of_a_long_passage_is_cut_in_whole_characters() -> None:
    assert _excerpt(SOURCE, citation(), 16) == ("…dy ", "has thirty", " da…")
    assert _excerpt(SOURCE, citation(quote=""), 12) == ("", "", "😀 Everybody …")
    assert _excerpt(SOURCE, citation(start=0, end=5), 12) == ("", "", "😀 Everybody …")
    assert _excerpt(SOURCE, citation(start=900, end=950), 12) == ("…thirty days.", "", "")


def test_a_card_says_why_its_source_is_not_shown() -> None:
    assert card(citation()) == ["Source 1", "This source no longer exists."]
    denied = replace(SOURCE, is_allowed=False, name="", heading="", page=0, start=0, end=0, text="")
    assert card(citation(), denied) == ["Source 1", "You no longer have access to this document."]
    deleted = card(citation(), replace(SOURCE, is_there=False))
    assert deleted[1] == "This document was deleted. This is its text at the time."
    assert "has thirty" in deleted and QUOTED not in deleted


def test_a_card_says_why_a_citation_is_not_verified() -> None:
    assert card(citation(number=7, verified=False, reason="no such source")) == [
        "Source 7",
        "Not verified: the source does not exist.",
    ]
    said = card(DOUBTFUL, SOURCE)
    assert said[1:3] == ["Not verified: the source does not contain these words.", f"“{'x' * 200}…”"]
    assert said[-1] == WHOLE
    assert card(citation(verified=False, reason="new"), SOURCE)[1] == "Not verified: it could not be checked."


def test_the_list_of_sources_leads_to_what_is_quoted_first() -> None:
    other = replace(SOURCE, number=2, is_cited=False, page=0)
    gone = replace(SOURCE, number=3, is_there=False)
    denied = replace(SOURCE, number=4, is_allowed=False, is_there=False, name="", heading="", page=0)
    quoting = [DOUBTFUL, citation(), citation(start=100, end=111)]
    assert [astuple(line) for line in source_lines(quoting, [SOURCE, other, gone, denied])] == [
        (1, "rules.md", "page 3 · Holidays", QUOTED, True),
        (2, "rules.md", "Holidays", WHOLE.replace("&page=3", ""), False),
        (3, "rules.md", "page 3 · Holidays · deleted", "", True),
        (4, "A document that you no longer have access to", "", "", True),
    ]

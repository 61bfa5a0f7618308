"""What a page says about the citations of an answer: a card for each, and the list of sources under the answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rxchat.domain.retrieval import ShownSource
from rxchat.domain.viewer_address import viewer_address

_LONGEST_CLAIM = 200
_EXCERPT = 600
_NO_SOURCE = "no such source"
_NOT_THERE = "not in the source"
_REASONS = {_NO_SOURCE: "the source does not exist", _NOT_THERE: "the source does not contain these words"}


@dataclass(frozen=True, slots=True)
class CitationCard:
    """What is shown beside a citation's number; texts that do not apply are empty."""

    at: int
    """Where its mark begins, by which the page knows that the answer is still the same."""
    number: int
    label: str
    reason: str
    """Why the citation is not verified."""
    claim: str = ""
    """What the answer quotes, if its source does not contain it."""
    note: str = ""
    """Why the source is not shown, or what has become of it."""
    name: str = ""
    place: str = ""
    before: str = ""
    quoted: str = ""
    after: str = ""
    to: str = ""
    """The address of the passage; "" if its document cannot be opened."""


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A source of an answer in the list under it."""

    number: int
    name: str
    place: str
    to: str
    is_cited: bool


def reason_of(citation: Mapping[str, Any]) -> str:
    """Return why a citation is not verified, as a sentence; "" if it is."""
    if citation["verified"]:
        return ""
    return f"Not verified: {_REASONS.get(citation['reason'], 'it could not be checked')}."


def is_without_source(citation: Mapping[str, Any]) -> bool:
    """Whether a citation names a source that its model was not shown."""
    return citation["reason"] == _NO_SOURCE


def cards_of(citations: Iterable[Mapping[str, Any]], sources: Sequence[ShownSource]) -> list[CitationCard]:
    """Return the card of each citation."""
    shown = {source.number: source for source in sources}
    return [_card(citation, shown.get(citation["number"])) for citation in citations]


def source_lines(citations: Sequence[Mapping[str, Any]], sources: Iterable[ShownSource]) -> list[SourceLine]:
    """Return the list of sources, each leading to what is quoted of it first."""
    verified = {item["number"]: item for item in reversed(citations) if item["verified"]}
    return [
        SourceLine(
            source.number,
            source.name if source.is_allowed else "A document that you no longer have access to",
            " · ".join(filter(None, [_place(source), "" if source.is_there or not source.is_allowed else "deleted"])),
            _address(source, verified.get(source.number)),
            source.is_cited,
        )
        for source in sources
    ]


def _card(citation: Mapping[str, Any], source: ShownSource | None) -> CitationCard:
    head = (citation["at"], citation["number"], f"Source {citation['number']}", reason_of(citation))
    claim = citation["quote"] if citation["reason"] == _NOT_THERE else ""
    claim = claim and f"“{claim[:_LONGEST_CLAIM]}{'…' if len(claim) > _LONGEST_CLAIM else ''}”"
    if is_without_source(citation):
        return CitationCard(*head)
    if source is None:
        return CitationCard(*head, claim, note="This source no longer exists.")
    if not source.is_allowed:
        return CitationCard(*head, claim, note="You no longer have access to this document.")
    note = "" if source.is_there else "This document was deleted. This is its text at the time."
    before, quoted, after = _excerpt(source, citation)
    place, to = _place(source), _address(source, citation)
    return CitationCard(*head, claim, note, source.name, place, before, quoted, after, to)


def _is_quoting(citation: Mapping[str, Any] | None) -> bool:
    return citation is not None and bool(citation["verified"] and citation["quote"])


def _place(source: ShownSource) -> str:
    return " · ".join(filter(None, [f"page {source.page}" if source.page > 0 else "", source.heading]))


def _excerpt(source: ShownSource, citation: Mapping[str, Any], most: int = _EXCERPT) -> tuple[str, str, str]:
    """Return the part of a passage around what is quoted: before it, the quotation, and after it."""
    text, is_quoting = source.text, _is_quoting(citation)
    first = min(len(text), max(0, citation["start"] - source.start)) if is_quoting else 0
    last = min(len(text), max(first, citation["end"] - source.start)) if is_quoting else 0
    room = max(0, most - (last - first))
    lead = min(first, max(room // 2, room - (len(text) - last)))
    tail = min(len(text) - last, room - lead)
    before = ("…" if first > lead else "") + text[first - lead : first]
    return before, text[first:last], text[last : last + tail] + ("…" if last + tail < len(text) else "")


def _address(source: ShownSource, citation: Mapping[str, Any] | None) -> str:
    if not (source.is_there and source.is_allowed):
        return ""
    if citation is None or not _is_quoting(citation):
        return viewer_address(source.document_id, source.start, source.end, source.page, source.text)
    start, end = citation["start"], citation["end"]
    # What the text says, and not what the answer made of it.
    quote = source.text[max(0, start - source.start) : max(0, end - source.start)]
    return viewer_address(source.document_id, start, end, source.page, quote)

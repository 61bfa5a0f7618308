"""Citations: marks in an answer, checked against what its model was shown.

A model writes [2] or [1, 3] after what it says. A mark holds when there was a source of that number and, where the
answer quotes something right before it, the quoted words stand in that source. Anything else is shown as unverified.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from rxchat.domain.retrieval import Passage, Source
from rxchat.domain.text import utf16_length

_MARK = re.compile(
    r"\[(?:source\s{0,3})?(\d{1,3}(?:\s{0,3}[,;]\s{0,3}\d{1,3}){0,20})\](?!\(|\[(?!(?:source\s{0,3})?\d))"
    r"|【(\d{1,3})(?:†[^】]{0,100})?】",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d+")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})", re.MULTILINE)
_TICKS = re.compile(r"`+")
_MARKS_BEFORE = re.compile(r"(?:\s{0,3}(?:\[[^\[\]]{1,40}\]|【[^】]{1,100}】)){1,20}$")
_BEFORE_CHARACTERS = 3_000
_QUOTE = re.compile(r"[\"“„«]([^\"“”„«»]{4,2000})[\"”“»]([^\"“”„«»\[\]]{0,40})\Z")
_SENTENCE_END = re.compile(r"[.!?]\s+\w")
_SHORTEST_QUOTE_WORDS = 2
_MOST = 200
_MOST_LOOKED_AT = 2_000
"""A model that goes round in circles writes more; nobody reads them."""
_LETTERS = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Citation:
    """One number of one mark in an answer."""

    at: int
    """Where its mark begins, in UTF-16 code units, as the page counts."""
    length: int
    """Of the whole mark; marks of several numbers are several citations at one place."""
    number: int
    is_verified: bool
    quote: str = ""
    """What the answer says that the source says; "" when it does not quote."""
    start: int = 0
    """Where the quote stands in the document's text, in code points; with `end` the whole passage when nothing is quoted."""
    end: int = 0
    reason: str = ""
    """Why it does not hold: "no such source" or "not in the source"."""


def citations_of(answer: str, sources: Sequence[Source]) -> tuple[Citation, ...]:
    """Return the citations of an answer, each checked against the sources that its model was shown."""
    shown = {source.number: source.passage for source in sources}
    hidden = _code_spans(answer)
    begins = [start for start, _ in hidden]
    found: list[Citation] = []
    for mark in islice(_MARK.finditer(answer), _MOST_LOOKED_AT):
        place = bisect_right(begins, mark.start()) - 1
        is_code = place >= 0 and mark.start() < hidden[place][1]
        is_definition = answer[mark.end() : mark.end() + 1] == ":" and answer[mark.start() - 1 : mark.start()] in {
            "",
            "\n",
        }
        if is_code or is_definition:
            continue
        quote = _quoted_before(answer[max(0, mark.start() - _BEFORE_CHARACTERS) : mark.start()])
        at, length = utf16_length(answer[: mark.start()]), utf16_length(mark.group())
        numbers = dict.fromkeys(int(number) for number in _NUMBER.findall(mark.group(1) or mark.group(2)))
        found += [_checked(at, length, number, shown.get(number), quote) for number in numbers]
        if len(found) >= _MOST:
            break
    return tuple(found[:_MOST])


def _code_spans(text: str) -> list[tuple[int, int]]:
    """Return where code is in markdown: between fences, and between runs of equally many backticks of one paragraph."""
    fences: list[tuple[int, int]] = []
    opened: tuple[int, str] | None = None
    for fence in _FENCE.finditer(text):
        if opened is None:
            opened = fence.start(), fence.group(1)
        elif fence.group(1)[0] == opened[1][0] and len(fence.group(1)) >= len(opened[1]):
            fences.append((opened[0], fence.end()))
            opened = None
    if opened is not None:
        fences.append((opened[0], len(text)))
    spans, at = [], 0
    for start, end in [*fences, (len(text), len(text))]:
        spans += _inline_code(text, at, start)
        spans.append((start, end))
        at = end
    return spans


def _inline_code(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Return where inline code is in a part of a text, paragraph by paragraph."""
    spans: list[tuple[int, int]] = []
    while start < end:
        stop = text.find("\n\n", start, end)
        stop = end if stop < 0 else stop
        runs = [run.span() for run in _TICKS.finditer(text, start, stop)]
        last = {high - low: number for number, (low, high) in enumerate(runs)}
        number = 0
        while number < len(runs):
            low, high = runs[number]
            # One that no later run closes is only a backtick.
            closing = number if last[high - low] <= number else number + 1
            while closing > number and runs[closing][1] - runs[closing][0] != high - low:
                closing += 1
            if closing > number:
                spans.append((low, runs[closing][1]))
            number = closing + 1
        start = stop + 2
    return spans


def _checked(at: int, length: int, number: int, passage: Passage | None, quote: str) -> Citation:
    if passage is None:
        return Citation(at, length, number, is_verified=False, quote=quote, reason="no such source")
    if not quote:
        return Citation(at, length, number, is_verified=True, start=passage.start, end=passage.end)
    span = span_of(quote, passage.text)
    if span is None:
        return Citation(at, length, number, is_verified=False, quote=quote, reason="not in the source")
    start, end = passage.start + span[0], passage.start + span[1]
    return Citation(at, length, number, is_verified=True, quote=quote, start=start, end=end)


def _quoted_before(text: str) -> str:
    """Return the words in quotation marks that a mark stands behind, in the same sentence; "" when there are none."""
    text = _MARKS_BEFORE.sub("", text.rstrip())
    match = _QUOTE.search(text.rstrip().rstrip(".,;:"))
    if match is None or _SENTENCE_END.search(match.group(2)):
        return ""
    quote = match.group(1).strip()
    return quote if len(_LETTERS.findall(quote)) >= _SHORTEST_QUOTE_WORDS else ""


def span_of(quote: str, text: str) -> tuple[int, int] | None:
    """Return where quoted words stand in a text: the same words in the same order, whatever stands between them.

    Case, accents of quotation marks, line breaks and hyphens at line ends are no difference; another word is one.
    "..." in a quote leaves words out.
    """
    places = [(match.group().casefold(), match.start(), match.end()) for match in _LETTERS.finditer(text)]
    words = [place[0] for place in places]
    begin: int | None = None
    at = end = 0
    for part in re.split(r"\.\.\.|…", quote):
        wanted = [match.group().casefold() for match in _LETTERS.finditer(part)]
        if not wanted:
            continue
        found = next((i for i in range(at, len(words) - len(wanted) + 1) if words[i : i + len(wanted)] == wanted), None)
        if found is None:
            return None
        begin = found if begin is None else begin
        at = found + len(wanted)
        end = at - 1
    return None if begin is None else (places[begin][1], places[end][2])


def as_data(citations: Iterable[Citation]) -> list[dict[str, Any]]:
    """Return citations as JSON values, for events and rows."""
    return [
        {
            "at": item.at,
            "length": item.length,
            "number": item.number,
            "verified": item.is_verified,
            "quote": item.quote,
            "start": item.start,
            "end": item.end,
            "reason": item.reason,
        }
        for item in citations
    ]


def verified_numbers(citations: Iterable[Mapping[str, Any]]) -> list[int]:
    """Return which sources an answer really uses."""
    return sorted({item["number"] for item in citations if item["verified"]})

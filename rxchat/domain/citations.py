"""Citations: marks in an answer, checked against the sources that its model was shown.

A model writes [2] or [1, 3] after a statement. A mark is verified if a source has that number, and every quotation
that belongs to the mark occurs in a source that it names. All other marks are shown as unverified.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice
from typing import Any
from unicodedata import normalize

from rxchat.domain.quotations import UNSPACED, quotations_of
from rxchat.domain.retrieval import Passage, Source
from rxchat.domain.text import utf16_length

_Span = tuple[int, int]

_MARK = re.compile(
    r"\[(?:source\s{0,3})?(\d{1,3}(?:\s{0,3}[,;]\s{0,3}\d{1,3}){0,20})\](?!\(|\[(?!(?:source\s{0,3})?\d))"
    r"|【(\d{1,3})(?:†[^】]{0,100})?】",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d+")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})", re.MULTILINE)
_TICKS = re.compile(r"`+")
_MOST = 200
_LONGEST_TITLE = 300
_MOST_LOOKED_AT = 2_000
"""A model in an endless loop writes more marks."""
_LONGEST_QUOTE = 2_000
"""Quotations are stored up to this length; their whole text is checked."""
_PART = rf"[^\W_{UNSPACED}](?:[^\W_{UNSPACED}]|[\u0300-\u036f\u00ad])*"
_LINE_END = r"(?:[^\S\n]{0,3}\n[^\S\n]{0,20})?"
_SIGN = r"[$€£¥₹%‰<>=≤≥]|(?<!\w)[-\u2212](?=\d)"
"""Signs that change the meaning of a number: 900 euros is not a quotation of 900 dollars."""
_WORD = re.compile(rf"{_SIGN}|(?=[^\W_])[{UNSPACED}]|{_PART}")
_UNDIVIDED = re.compile(
    rf"{_SIGN}|(?=[^\W_])[{UNSPACED}]|{_PART}(?:(?<=[^\W\d_])[-\u2010\u2011]{_LINE_END}(?=[^\W\d_]){_PART})*"
)
_INSIDE_WORDS = re.compile(r"[\s\u00ad\u2010\u2011-]")
_GAP = "\n"
_ELLIPSIS = re.compile(r"\.\.\.|…|\. \. \.")
_MOST_LEFT_OUT = 300
"""An ellipsis may replace at most this many characters, about a paragraph."""
_MOST_PARTS = 20


@dataclass(frozen=True, slots=True)
class Citation:
    """One number of one mark in an answer."""

    at: int
    """Where its mark begins, in UTF-16 code units, as JavaScript counts."""
    length: int
    """The length of the whole mark; a mark with several numbers is several citations at one position."""
    number: int
    is_verified: bool
    quote: str = ""
    """The quotation in the answer; "" if it has none."""
    start: int = 0
    """Where the quotation begins in the document's text, in code points; with `end` the whole passage if nothing is
    quoted."""
    end: int = 0
    reason: str = ""
    """Why it is not verified: "no such source" or "not in the source"."""


def citations_of(answer: str, sources: Sequence[Source]) -> tuple[Citation, ...]:
    """Return the citations of an answer, each checked against the sources that its model was shown."""
    shown = {source.number: source.passage for source in sources}
    code = _code_spans(answer)
    marks = _marks(answer, code)
    wordings: dict[int, Wording] = {}
    found: list[Citation] = []
    for group in quotations_of(answer, [mark.span() for mark in marks], code):
        together = marks[group.marks.start : group.marks.stop]
        named = {number for mark in together for number in _numbers(mark)} & shown.keys()
        quotes = [quote for quote in group.quotes if not _is_title(quote, [shown[number] for number in named])]
        if quotes:
            wordings |= {number: Wording.of(shown[number].text) for number in named - wordings.keys()}
        looked = _looked_for(quotes, {number: wordings[number] for number in named & wordings.keys()})
        for mark in together:
            at, length = utf16_length(answer[: mark.start()]), utf16_length(mark.group())
            found += [_checked(at, length, number, shown.get(number), looked) for number in _numbers(mark)]
        if len(found) >= _MOST:
            break
    return tuple(found[:_MOST])


def _is_title(quote: str, passages: Iterable[Passage]) -> bool:
    """Whether a quotation is the name of a source: models put names into quotation marks, too."""
    titles = "\n".join(f"{passage.name}\n{passage.heading}" for passage in passages)
    return len(quote) <= _LONGEST_TITLE and Wording.of(titles).span_of(quote) is not None


def _marks(answer: str, code: Sequence[tuple[int, int]]) -> list[re.Match[str]]:
    """Return the marks of an answer, except those in code and in link definitions."""
    begins = [start for start, _ in code]
    found: list[re.Match[str]] = []
    for mark in islice(_MARK.finditer(answer), _MOST_LOOKED_AT):
        place = bisect_right(begins, mark.start()) - 1
        is_code = place >= 0 and mark.start() < code[place][1]
        is_first = answer[mark.start() - 1 : mark.start()] in {"", "\n"}
        if not is_code and not (is_first and answer[mark.end() : mark.end() + 1] == ":"):
            found.append(mark)
    return found


def _numbers(mark: re.Match[str]) -> Iterable[int]:
    return dict.fromkeys(int(number) for number in _NUMBER.findall(mark.group(1) or mark.group(2)))


def _code_spans(text: str) -> list[tuple[int, int]]:
    """Return the positions of code in markdown: fenced blocks, and inline code within a paragraph."""
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
    """Return the positions of inline code in a part of a text, paragraph by paragraph."""
    spans: list[tuple[int, int]] = []
    while start < end:
        stop = text.find("\n\n", start, end)
        stop = end if stop < 0 else stop
        runs = [run.span() for run in _TICKS.finditer(text, start, stop)]
        last = {high - low: number for number, (low, high) in enumerate(runs)}
        number = 0
        while number < len(runs):
            low, high = runs[number]
            # Backticks without a closing run are plain text.
            closing = number if last[high - low] <= number else number + 1
            while closing > number and runs[closing][1] - runs[closing][0] != high - low:
                closing += 1
            if closing > number:
                spans.append((low, runs[closing][1]))
            number = closing + 1
        start = stop + 2
    return spans


@dataclass(frozen=True, slots=True)
class _Looked:
    """The result of searching the quotations of adjacent marks."""

    first: str
    """The first quotation; "" if there is none."""
    missing: str
    """The first quotation that no source contains; "" if each occurs in one."""
    longest: Mapping[int, tuple[str, _Span]]
    """By source number: the longest quotation that the source contains, and its position."""


def _looked_for(quotes: Iterable[str], wordings: Mapping[int, Wording]) -> _Looked:
    unique = list(dict.fromkeys(quotes))
    longest: dict[int, tuple[str, _Span]] = {}
    for quote in unique:
        spans = {number: span for number, wording in wordings.items() if (span := wording.span_of(quote)) is not None}
        if not spans:
            return _Looked(unique[0], quote, {})
        for number, span in spans.items():
            if number not in longest or len(longest[number][0]) < len(quote):
                longest[number] = quote, span
    return _Looked(next(iter(unique), ""), "", longest)


def _checked(at: int, length: int, number: int, passage: Passage | None, looked: _Looked) -> Citation:
    if passage is None:
        quote = looked.first[:_LONGEST_QUOTE]
        return Citation(at, length, number, is_verified=False, quote=quote, reason="no such source")
    if looked.missing:
        quote = looked.missing[:_LONGEST_QUOTE]
        return Citation(at, length, number, is_verified=False, quote=quote, reason="not in the source")
    quote, (start, end) = looked.longest.get(number, ("", (0, len(passage.text))))
    if not quote:
        return Citation(at, length, number, is_verified=True, start=passage.start, end=passage.end)
    start, end = passage.start + start, passage.start + end
    return Citation(at, length, number, is_verified=True, quote=quote[:_LONGEST_QUOTE], start=start, end=end)


@dataclass(frozen=True, slots=True)
class _Words:
    """The words of a text in one string, for fast substring search, with the position of each."""

    joined: str
    begins: list[int]
    """The start of each word in `joined`."""
    places: list[_Span]
    """The span of each word in the text."""

    @classmethod
    def of(cls, text: str, pattern: re.Pattern[str]) -> _Words:
        """Split a text into the words that match a pattern."""
        found = list(pattern.finditer(text))
        said = [_word(match.group()) for match in found]
        begins = [0, *accumulate(len(word) + 1 for word in said)]
        return cls("".join(f"{_GAP}{word}" for word in said) + _GAP, begins, [match.span() for match in found])

    def runs(self, wanted: Sequence[str]) -> list[_Span]:
        """Return the first and last word of each place where these words occur in sequence."""
        needle = f"{_GAP}{_GAP.join(wanted)}{_GAP}"
        found, at = [], self.joined.find(needle)
        while at >= 0:
            first = bisect_right(self.begins, at) - 1
            found.append((first, first + len(wanted) - 1))
            at = self.joined.find(needle, at + 1)
        return found

    def span_of(self, parts: Sequence[Sequence[str]]) -> _Span | None:
        """Return the first place that has all parts in order, each close enough to the previous one."""
        reached = self.runs(parts[0])
        for part in parts[1:]:
            further: list[_Span] = []
            before = 0
            for first, last in self.runs(part):
                while before + 1 < len(reached) and reached[before + 1][1] < first:
                    before += 1
                begin, end = reached[before] if reached else (0, first)
                if end < first and self.places[first][0] - self.places[end][1] <= _MOST_LEFT_OUT:
                    further.append((begin, last))
            reached = further
        return (self.places[reached[0][0]][0], self.places[reached[0][1]][1]) if reached else None


@dataclass(frozen=True, slots=True)
class Wording:
    """The text of a source, prepared for searching quotations in it.

    A quotation occurs in it if the same words occur in the same order, with any punctuation between them. Case, the
    kind of quotation marks, line breaks and hyphens at line ends are ignored; another word is a difference. "..." in
    a quotation skips at most about a paragraph. Scripts without spaces are compared by character.
    """

    words: _Words
    undivided: _Words
    """The same with hyphenated words joined: at a line's end or in a compound, so that both sides agree."""

    @classmethod
    def of(cls, text: str) -> Wording:
        """Prepare a source's text."""
        return cls(_Words.of(text, _WORD), _Words.of(text, _UNDIVIDED))

    def span_of(self, quote: str) -> _Span | None:
        """Return where a quotation stands; None when it does not."""
        for words, pattern in ((self.words, _WORD), (self.undivided, _UNDIVIDED)):
            said = ([_word(found) for found in pattern.findall(part)] for part in _ELLIPSIS.split(quote))
            # NFKC makes three characters of a fraction, and only two of them are digits.
            parts = [part for part in said if any(character.isalnum() for word in part for character in word)]
            if not 0 < len(parts) <= _MOST_PARTS:
                return None
            if (span := words.span_of(parts)) is not None:
                return span
        return None


def _word(found: str) -> str:
    if len(found) == 1 and not found.isalnum():
        return "-" if found == "\u2212" else found
    return normalize("NFKC", _INSIDE_WORDS.sub("", found)).casefold()


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
    """Return the numbers of the sources with at least one verified citation."""
    return sorted({item["number"] for item in citations if item["verified"]})

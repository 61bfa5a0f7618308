"""Quotations in an answer, and the citation marks that each belongs to.

A quotation is text between quotation marks of any kind, a blockquote, or sentences that are formatted as code. It
belongs to the next marks after it in its sentence, otherwise to the nearest ones before it; a blockquote belongs to
the marks that end it or follow it. A quotation of several words in a sentence without marks belongs to the nearest
marks before it. In doubt, text counts as a quotation: a mark that is wrongly shown as unverified costs a look, while
unchecked words cost trust.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from rxchat.domain import quotation_forms

UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
    "\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
"""For character classes: scripts without spaces, and Hangul, which attaches its particles to words."""

_Span = tuple[int, int]

_UNSPACED = re.compile(f"[{UNSPACED}]")
_FAMILIES = {
    **dict.fromkeys('"＂“”„‟', "double"),
    **dict.fromkeys("'‘’‚", "single"),
    **dict.fromkeys("«»", "angles"),
    **dict.fromkeys("‹›", "small angles"),
    **dict.fromkeys("「」", "corners"),
    **dict.fromkeys("『』", "white corners"),
    **dict.fromkeys("〝〞〟", "primes"),
}
_QUOTE_MARK = re.compile(f"[{''.join(_FAMILIES)}]")
_ONLY_OPEN = frozenset("„「『〝")
_ONLY_CLOSE = frozenset("」』〞〟")
_ELISION = re.compile(r"(?:\d\ds?|tis|twas|em|til|cause|n)\b", re.IGNORECASE)
_BREAK = re.compile(r"[.!?…][\"'”’“»)*_]{0,6}(?=\s)|[。！？।؟۔][」』”’“）*_]{0,6}|\n")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\"“‘])(?:[^\W\d_]|e\.g|i\.e|z\.B|d\.h|cf|vs|ca|Mr|Mrs|Ms|Dr|Prof|St|No|Nos|Nr|Art|Sec|Fig|Vol|pp|Abs|bzw|vgl|Inc|Ltd|Jr|Sr)\.\Z"
)
_BETWEEN_MARKS = re.compile(r"[^\S\n]{0,3}[,;]?[^\S\n]{0,3}")
_BLOCKQUOTE = re.compile(r"(?:(?:[-*+]|\d{1,9}[.)])[ \t]{1,4})?>")
_ALERT = re.compile(r">[ \t]{0,3}\[!")
_BLANK_LINES = re.compile(r"\n[ \t>]*(?=\n)")
_NEAR = 40
"""The maximum white space between a quotation and its marks."""
_NEW_BLOCK = re.compile(r"[-*+][ \t]|\d{1,9}[.)][ \t]|#{1,6}[ \t]|\|")
_RULE = re.compile(r"[-*_=]{3,}\s*\Z")
_BEFORE_MARKS = re.compile(r"[\s\-*–—―(]{0,8}(?:sources?:?\s{0,3})?", re.IGNORECASE)
_BESIDE_MARKS = re.compile(r"[\s.,;:()\-–—]*")
_QUOTED_LINE = re.compile(r"^[ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]{1,4})?>[ \t>]*", re.MULTILINE)
_ATTRIBUTION = re.compile(
    r"(?m:^)[ \t]*(?:—|–|―|--)[^\n]*|(?<=[\"”»’」』*])[ \t]{1,3}(?:—|–|―|--?)[^\n]{0,80}\Z|\([^()\n]{0,60}\Z"
)


@dataclass(frozen=True, slots=True)
class Quoting:
    """Adjacent marks, and their quotations."""

    marks: range
    """The indexes of the marks."""
    start: int
    end: int
    quotes: list[str] = field(default_factory=list[str])


@dataclass(frozen=True, slots=True)
class _Block:
    """A paragraph, list item, table row or blockquote with its sentences."""

    start: int
    end: int
    is_blockquote: bool
    sentences: list[_Span]
    quotations: list[_Span]


def quotations_of(answer: str, marks: Sequence[_Span], code: Sequence[_Span]) -> list[Quoting]:
    """Return the groups of adjacent marks with their quotations; code counts if it consists of words."""
    answer, code, marks = quotation_forms.with_quotation_marks(answer, code, marks)
    text, quoted = _without_code(answer, code)
    groups = list(_groups(text, marks))
    if not groups:
        return []
    begins = [group.start for group in groups]
    blocks = [
        _block(text, start, end, is_blockquote, _within(groups, begins, start, end), quoted)
        for start, end, is_blockquote in _lines_together(text, quoted)
    ]
    for place, block in enumerate(blocks):
        for start, end in block.sentences:
            inside = _within(groups, begins, start, end)
            for quotation in _parts(text, block, start, end, inside):
                quote = _quoted(answer, quotation, is_blockquote=block.is_blockquote)
                owner = _owner(quotation, inside) or _neighbour(text, blocks, place, (start, end), groups, begins)
                if owner is None and quotation_forms.has_words(quote):
                    owner = _nearest(blocks, place, quotation, groups, begins)
                if owner is not None and any(map(str.isalnum, quote)):
                    owner.quotes.append(quote)
    return groups


def _without_code(text: str, code: Sequence[_Span]) -> tuple[str, list[_Span]]:
    """Return a text of the same length with code neutralized, and the positions of code that consists of sentences.

    Fenced code that is no text becomes blank.
    """
    parts, at = [], 0
    quoted: list[_Span] = []
    for start, end in code:
        is_fenced = text[start:end].lstrip(" ")[:3] in {"```", "~~~"} and text[start - 1 : start] in {"", "\n"}
        parts.append(text[at:start])
        lines = quotation_forms.fenced_text(text[start:end]) if is_fenced else (0, end - start)
        first, last = (start + place for place in lines or (0, end - start))
        if quotation_forms.is_prose(text[first:last]):
            quoted.append((first, last))
            parts += [" " * (first - start), re.sub(r"[^\w\n.,!?-]", " ", text[first:last]), " " * (end - last)]
        else:
            parts.append(re.sub(r"[^\n]" if is_fenced else r"[^\w\n]", " ", text[start:end]))
        at = max(at, end)
    return "".join([*parts, text[at:]]), quoted


def _groups(text: str, marks: Sequence[_Span]) -> Iterator[Quoting]:
    """Yield the groups of adjacent marks, in order."""
    first = 0
    for place in range(1, len(marks) + 1):
        is_next = place < len(marks) and _BETWEEN_MARKS.fullmatch(text, marks[place - 1][1], marks[place][0])
        if place <= len(marks) and marks and not is_next:
            yield Quoting(range(first, place), marks[first][0], marks[place - 1][1])
            first = place


def _within(groups: Sequence[Quoting], begins: Sequence[int], start: int, end: int) -> Sequence[Quoting]:
    return groups[bisect_left(begins, start) : bisect_left(begins, end)]


def _lines_together(text: str, quoted: Sequence[_Span]) -> Iterator[tuple[int, int, bool]]:
    """Yield where blocks begin and end, and whether each is a blockquote or a text in a code block."""
    start = at = place = 0
    kind: bool | None = None
    is_alert = is_item = False
    for line in text.splitlines(keepends=True):
        said = line.strip()
        while place < len(quoted) and quoted[place][1] <= at:
            place += 1
        is_fenced = place < len(quoted) and quoted[place][0] <= at and "\n" in text[quoted[place][0] : quoted[place][1]]
        # An indented line below a list item is text.
        is_item = is_item if line[:1].isspace() else _NEW_BLOCK.match(said) is not None
        is_indented = (
            not is_item
            and line.startswith(("    ", "\t"))
            and (kind or (kind is None and quotation_forms.is_prose(said)))
        )
        # "> [!NOTE]" begins a box with the answer's own words.
        is_alert = said.startswith(">") and (is_alert or _ALERT.match(said) is not None)
        is_quoted = is_fenced or bool(is_indented) or (not is_alert and _BLOCKQUOTE.match(said) is not None)
        is_over = not is_fenced and (not said or _RULE.match(said) is not None)
        is_new = is_quoted != kind or (not is_quoted and _NEW_BLOCK.match(said) is not None)
        if kind is not None and (is_over or is_new):
            yield start, at, kind
            kind = None
        if kind is None and not is_over:
            start, kind = at, is_quoted
        at += len(line)
        if kind is False and said.startswith("#"):
            yield start, at, kind
            kind = None
    if kind is not None:
        yield start, at, kind


def _block(
    text: str, start: int, end: int, is_blockquote: bool, inside: Sequence[Quoting], quoted: Sequence[_Span]
) -> _Block:
    if is_blockquote:
        return _Block(start, end, is_blockquote, [(start, end)], [])
    in_code = quoted[bisect_left(quoted, (start, 0)) : bisect_left(quoted, (end, 0))]
    quotations = _outermost([*_between_quote_marks(text, start, end, inside), *in_code])
    return _Block(start, end, is_blockquote, list(_sentences(text, start, end, inside, quotations)), quotations)


def _sentences(
    text: str, start: int, end: int, inside: Sequence[Quoting], quotations: Sequence[_Span]
) -> Iterator[_Span]:
    """Yield where the sentences of a block begin and end; marks right after a full stop belong to the sentence before it."""
    ends = [quotation[1] for quotation in quotations]
    begins, closes = [group.start for group in inside], {group.end for group in inside}
    at = start
    for found in _BREAK.finditer(text, start, end):
        here = found.end()
        place = bisect_left(ends, found.start() + 1)
        is_quoted = place < len(ends) and quotations[place][0] <= found.start()
        here = max(here, ends[place]) if is_quoted else here
        following = bisect_left(begins, here)
        is_marked = (
            following < len(begins) and begins[following] - here < _NEAR and not text[here : begins[following]].strip()
        )
        if here <= at or (is_quoted and not is_marked):
            continue
        if found.group() == "\n" and not is_marked and not closes.intersection((found.start(), found.start() - 1)):
            continue
        here = inside[following].end if is_marked and found.group() != "\n" else here
        after = text[here : here + _NEAR].lstrip()
        if after[:1].islower() or (found.group() == "." and _ABBREVIATION.search(text, max(at, here - 12), here)):
            continue
        if found.group() != "\n" or not is_marked:
            yield at, here
            at = here
    if at < end:
        yield at, end


@dataclass(slots=True)
class _Opened:
    """The open quotation marks at one position of a text."""

    stack: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    counts: dict[str, int] = field(default_factory=dict[str, int])

    def begin(self, family: str, at: int) -> None:
        """Open a quotation mark."""
        self.stack.append((family, at))
        self.counts[family] = self.counts.get(family, 0) + 1

    def finish(self, family: str) -> int:
        """Close the innermost mark of a family with all marks inside it; return where it began."""
        while True:
            found, at = self.stack.pop()
            self.counts[found] -= 1
            if found == family:
                return at


def _between_quote_marks(text: str, start: int, end: int, inside: Sequence[Quoting]) -> list[_Span]:
    """Return the positions of text between outermost quotation marks in a block, cut at citation marks."""
    opened = _Opened()
    closed: list[_Span] = []
    found = [match.start() for match in _QUOTE_MARK.finditer(text, start, end)]
    for at, following in pairwise([*found, end]):
        family = _FAMILIES[text[at]]
        is_open = opened.counts.get(family, 0) > 0
        if _begins(text, at, start, end, is_open=is_open):
            opened.begin(family, at)
        elif is_open and _finishes(text, at, following, end):
            closed.append((opened.finish(family) + 1, at))
        elif not opened.stack and _is_only_end(text, at, start, end):
            closed.append((closed[-1][1] + 1 if closed else start, at))
    outer = _outermost(closed)
    # An unclosed quotation ends with its sentence, or at the next citation mark.
    for family, at in opened.stack:
        if family != "single":
            stop = _BREAK.search(text, at, end)
            stops = [begin for begin, _ in closed if begin > at] + [group.start for group in inside if group.start > at]
            outer.append((at + 1, min([stop.start() if stop else end, *stops])))
            break
    return _outermost(outer)


def _outermost(spans: Sequence[_Span]) -> list[_Span]:
    kept: list[_Span] = []
    for span in sorted(spans, key=lambda item: (item[0], -item[1])):
        if not kept or span[0] >= kept[-1][1]:
            kept.append(span)
    return kept


def _is_letter(character: str) -> bool:
    """Whether a character makes an adjacent quotation mark an apostrophe; not in scripts without spaces."""
    return character.isalnum() and _UNSPACED.match(character) is None


def _beside(text: str, at: int, start: int, end: int) -> tuple[str, str]:
    return (text[at - 1] if at > start else " "), (text[at + 1] if at + 1 < end else " ")


def _begins(text: str, at: int, start: int, end: int, *, is_open: bool) -> bool:
    """Whether this quotation mark begins a quotation."""
    mark = text[at]
    before, after = _beside(text, at, start, end)
    if mark in _ONLY_OPEN or mark in _ONLY_CLOSE:
        return mark in _ONLY_OPEN
    if _FAMILIES[mark] == "single":
        is_first = not _is_letter(before) and not after.isspace() and (before.isspace() or not is_open)
        return mark != "’" and is_first and before != "." and _ELISION.match(text, at + 1, end) is None
    if is_open:
        # Inside of another quotation of its kind, it must look like a beginning.
        return (
            not after.isspace() and after not in ",.;:!?)]}" and (before.isspace() or before in "([{") and mark != "”"
        )
    is_inch = mark == '"' and before.isdigit()
    is_stray = (_is_letter(before) or before in ".,;:!?…)。，！？") and not after.isalnum()
    return not is_inch and not is_stray and not (mark in "”»›" and after.isspace())


def _finishes(text: str, at: int, following: int, end: int) -> bool:
    """Whether this quotation mark ends an open quotation; `following` is the position of the next one."""
    mark = text[at]
    before, after = _beside(text, at, 0, end)
    if _FAMILIES[mark] == "single":
        if before.isspace() or _is_letter(after):
            return False
        is_doubtful = before in "sS" and after.isspace()
    else:
        is_doubtful = mark == '"' and before.isdigit() and after.isspace()
    if not is_doubtful or following >= end or _FAMILIES[text[following]] != _FAMILIES[mark]:
        return True
    # "the employees' rights" and "5" pipes": if the next mark ends a quotation, this one did not.
    last, then = _beside(text, following, 0, end)
    return last.isspace() or _is_letter(then)


def _is_only_end(text: str, at: int, start: int, end: int) -> bool:
    """Whether this mark ends a quotation that began in an earlier paragraph."""
    before, after = _beside(text, at, start, end)
    is_closing = text[at] in _ONLY_CLOSE or text[at] in "”»" or (text[at] == '"' and not before.isdigit())
    return is_closing and not before.isspace() and not after.isalnum()


def _parts(text: str, block: _Block, start: int, end: int, inside: Sequence[Quoting]) -> Iterator[_Span]:
    """Yield the quotations of a sentence, cut at citation marks."""
    if block.is_blockquote:
        # Its paragraphs may be from several sources.
        cuts = [start, *(found.start() for found in _BLANK_LINES.finditer(text, start, end)), end]
        whole = list(pairwise(cuts))
    else:
        first = bisect_left(block.quotations, (start, 0))
        whole = block.quotations[first : bisect_left(block.quotations, (end, 0))]
    begins = [group.start for group in inside]
    for low, high in whole:
        at = low
        for group in _within(inside, begins, low, high):
            yield at, group.start
            at = group.end
        yield at, high


def _owner(quotation: _Span, inside: Sequence[Quoting]) -> Quoting | None:
    """Return the marks in a sentence that a quotation in it belongs to; None if it has none."""
    if not inside:
        return None
    place = bisect_left(inside, quotation[1], key=lambda group: group.start)
    return inside[min(place, len(inside) - 1)]


def _neighbour(
    text: str, blocks: Sequence[_Block], place: int, sentence: _Span, groups: Sequence[Quoting], begins: Sequence[int]
) -> Quoting | None:
    """Return the marks before or after a block that its quotation belongs to if its sentence has none."""
    block = blocks[place]
    following = blocks[place + 1] if place + 1 < len(blocks) and sentence[1] == block.end else None
    after = _within(groups, begins, *following.sentences[0]) if following and following.sentences else ()
    if following and after:
        lead = _BEFORE_MARKS.match(text, following.start, following.end)
        is_first = lead is not None and lead.end() >= after[0].start
        is_alone = _BESIDE_MARKS.fullmatch(text, after[-1].end, following.end) is not None
        if is_first and (block.is_blockquote or is_alone):
            return after[0]
    if place and sentence[0] == block.start and blocks[place - 1].sentences:
        start, end = blocks[place - 1].sentences[-1]
        before = _within(groups, begins, start, end)
        if before and text[start:end].rstrip("* \t\r\n").endswith((":", "：")):
            return before[-1]
    return after[0] if after and block.is_blockquote and following and not following.is_blockquote else None


def _nearest(
    blocks: Sequence[_Block], place: int, quotation: _Span, groups: Sequence[Quoting], begins: Sequence[int]
) -> Quoting | None:
    """Return the last marks before a quotation, in its block or in the previous one."""
    last = bisect_left(begins, quotation[0])
    first = blocks[max(0, place - 1)].start
    return groups[last - 1] if last and groups[last - 1].start >= first else None


def _quoted(answer: str, quotation: _Span, *, is_blockquote: bool) -> str:
    """Return the text of a quotation, without the formatting of a blockquote."""
    said = answer[quotation[0] : quotation[1]]
    if is_blockquote:
        said = _ATTRIBUTION.sub("", _QUOTED_LINE.sub("", said).rstrip())
    return " ".join(said.split())

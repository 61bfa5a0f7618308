"""Quotation marks and quotations that answers write as entities, tags, TeX or code."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

Span = tuple[int, int]

_WRITTEN = re.compile(
    r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"
    r"|<(?P<close>/?)(?:q|blockquote)\b[^<>\n]{0,200}>"
    r"|(?P<tex>(?<!`)``?(?!`)|'')",
    re.IGNORECASE,
)
_CODE_SIGN = re.compile(r"[{}()\[\]=;<>|\\$_/@#*+&^~]")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_FENCE_LINE = re.compile(r"\A[ ]{0,3}(?:`{3,}|~{3,})[^\n]*|\n[ ]{0,3}(?:`{3,}|~{3,})[ \t]*\Z")
_FEWEST_WORDS = 4
_FEWEST_LETTERS = 8
"""For text in scripts without spaces, which counts as one word."""
_SIGNS_OF_CODE = 25
"""Text with one sign in this many characters counts as code."""


def with_quotation_marks(text: str, code: Sequence[Span], marks: Sequence[Span]) -> tuple[str, list[Span], list[Span]]:
    """Return a text with its quotation marks as readers see them, and the positions of its code and marks.

    The page decodes `&quot;`, and readers understand `<q>` and TeX's quotation marks.
    """
    pieces: list[str] = []
    moves: list[tuple[int, int]] = [(0, 0)]
    spans = iter(code)
    inside = next(spans, None)
    at = moved = 0
    for found in _WRITTEN.finditer(text):
        while inside is not None and inside[1] <= found.start():
            inside = next(spans, None)
        if inside is not None and inside[0] < found.end():
            continue
        shown = _shown(found)
        pieces += [text[at : found.start()], shown]
        at = found.end()
        moved += len(shown) - len(found.group())
        moves.append((at, moved))
    pieces.append(text[at:])
    return "".join(pieces), _moved(code, moves), _moved(marks, moves)


def _shown(found: re.Match[str]) -> str:
    written = found.group()
    if written.startswith("&"):
        shown = html.unescape(written)
        return shown if shown.isprintable() else " "
    if found.group("tex"):
        return {"``": "“", "''": "”"}.get(written, "‘")
    return "”" if found.group("close") else "“"


def _moved(spans: Sequence[Span], moves: Sequence[tuple[int, int]]) -> list[Span]:
    """Return spans, in order, shifted by the changes of length before them."""
    found: list[Span] = []
    place = 0
    for start, end in spans:
        while place + 1 < len(moves) and moves[place + 1][0] <= start:
            place += 1
        found.append((start + moves[place][1], end + moves[place][1]))
    return found


def has_words(text: str) -> bool:
    """Whether a text is long enough to be a statement, not only a term or a name."""
    words = _WORD.findall(text)
    return len(words) >= _FEWEST_WORDS or (not text.isascii() and sum(map(len, words)) >= _FEWEST_LETTERS * 3)


def is_prose(code: str) -> bool:
    """Whether code consists of sentences, so that it may be a quotation."""
    return has_words(code) and len(_CODE_SIGN.findall(code)) * _SIGNS_OF_CODE <= len(code)


def fenced_text(code: str) -> Span | None:
    """Return the span of the lines between the fences of a code block; None if it has no fences."""
    fences = list(_FENCE_LINE.finditer(code))
    if not fences or fences[0].start():
        return None
    return fences[0].end(), fences[1].start() if len(fences) > 1 else len(code)

"""Removes terminal control sequences: colors, overwritten progress bars, overstruck letters."""

from __future__ import annotations

import re

# ECMA-48: control sequences, strings for the operating system (titles, links), and the other escapes.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|\x1b[\]PX^_][^\x07\x1b\x9c\n]{0,4096}(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]"
)
_CURSOR = re.compile(r"(?:\x1b\[|\x9b)(\d{0,5})(?:;(\d{0,5}))?([A-Hadef`])|\x1b([DE])")
_FARTHEST = 500
"""The most columns that a cursor movement becomes; tables need no more."""
_OVERSTRUCK = re.compile(r"[^\n\x08]*\x08[^\n]*")
# A percentage, a count, a bar, or a size: parts of a progress state that the next one overwrites.
_PROGRESS = re.compile(r"\d\s?%|\d/\d|[#=█▓░.]{3}|\d\s?[kKMG]i?B")
_NOT_LETTERS = re.compile(r"[\W\d_]+")


def plain(text: str) -> str:
    """Remove control sequences from a text; progress bars keep their last state."""
    if "\x1b" in text or "\x9b" in text:
        text = _ESCAPES.sub("", _with_moves(text))
    if "\x08" in text:
        text = _OVERSTRUCK.sub(lambda line: _overwritten(line.group()), text)
    # Without any newline, carriage returns end lines (old Macs).
    if "\r" in text and "\n" in text:
        text = "\n".join(_last_states(line) if "\r" in line[:-1] else line for line in text.split("\n"))
    return text


def _overwritten(line: str) -> str:
    """Return the displayed text of a line with backspaces; an underlined letter stays the letter."""
    shown: list[str] = []
    at = 0
    for character in line:
        if character == "\x08":
            at = max(0, at - 1)
        elif at == len(shown):
            shown.append(character)
            at += 1
        else:
            shown[at] = shown[at] if character == "_" else character
            at += 1
    return "".join(shown)


def _with_moves(text: str) -> str:
    """Replace cursor movements by spaces and line ends: Windows' terminal writes tables with movements."""
    pieces: list[str] = []
    at, line = 0, 0
    left = 10_000 + len(text)
    row = ""
    for found in _CURSOR.finditer(text):
        before = text[at : found.start()]
        pieces.append(before)
        visible = _ESCAPES.sub("", before)
        _, newline, after = visible.rpartition("\n")
        line, row = (len(after), "") if newline else (line + len(after), row)
        first, second, kind, single = found.groups()
        shown = "\n"
        if kind in {"C", "a"}:
            shown = " " * min(int(first or 1) or 1, _FARTHEST)
        elif kind == "D":
            shown = "\b" * min(int(first or 1) or 1, _FARTHEST, line)
        elif kind in {"G", "`"} or (kind in {"H", "f"} and row and first == row):
            column = int((first if kind in {"G", "`"} else second) or 1) - 1
            shown = " " * min(column - line, _FARTHEST) if column > line or not line else "\r" if column <= 0 else " "
        elif not line:
            # A movement at the beginning of a line ends no line.
            shown = ""
        # The inserted characters are limited by the size of the text.
        shown = shown if len(shown) <= left else shown[:1]
        left -= len(shown)
        row = first if kind in {"H", "f"} else "" if single or kind in {"A", "B", "E", "F", "d", "e"} else row
        line = 0 if shown in {"\n", "\r"} else max(0, line - len(shown) if kind == "D" else line + len(shown))
        pieces.append(shown)
        at = found.end()
    return "".join([*pieces, text[at:]])


def _last_states(line: str) -> str:
    """Return the states of an overwritten line that differ by more than numbers and bars, one a line."""
    end = "\r" if line.endswith("\r") else ""
    states = [state for state in line.split("\r") if state.strip()]
    kept = [
        state
        for state, following in zip(states, [*states[1:], ""], strict=True)
        if not (following and _PROGRESS.search(state)) or _letters(state) != _letters(following)
    ]
    return "\n".join(kept) + end


def _letters(state: str) -> str:
    return _NOT_LETTERS.sub("", state)

"""What terminals obey and readers do not want to see: colors, overwritten progress bars, overstruck letters."""

from __future__ import annotations

import re

# ECMA-48: control sequences, strings for the operating system (titles, links), and the other escapes.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|\x1b[\]PX^_][^\x07\x1b\x9c\n]{0,4096}(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]"
)
_OVERSTRUCK = re.compile(r"[^\n\x08]\x08")
# A share, a count of several, a bar, or a size: what a state says that the next one overwrites.
_PROGRESS = re.compile(r"\d\s?%|\d/\d|[#=█▓░.]{3}|\d\s?[kKMG]i?B")
_NOT_LETTERS = re.compile(r"[\W\d_]+")


def plain(text: str) -> str:
    """Return a text without what a terminal would obey; of a progress bar its last state."""
    if "\x1b" in text or "\x9b" in text:
        text = _ESCAPES.sub("", text)
    if "\x08" in text:
        text = _OVERSTRUCK.sub("", text)
    # Without any newline, carriage returns are what ends lines (old Macs).
    if "\r" in text and "\n" in text:
        text = "\n".join(_last_states(line) if "\r" in line[:-1] else line for line in text.split("\n"))
    return text


def _last_states(line: str) -> str:
    """Return the states of a line that was overwritten: those that differ by more than numbers and bars, a line each."""
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

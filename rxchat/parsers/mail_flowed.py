"""Joins the lines of paragraphs in plain texts of mails with format=flowed (RFC 3676)."""

from __future__ import annotations

from email.message import Message

_SIGNATURE = "-- "


def is_flowed(part: Message) -> bool:
    """Whether lines of a part that end in a space are continued in the next one."""
    return _parameter(part, "format") == "flowed"


def unflowed(part: Message, text: str) -> str:
    """Join each paragraph to one line; lines with another quotation depth are other paragraphs."""
    deletes_space = _parameter(part, "delsp") == "yes"
    lines: list[str] = []
    open_depth: int | None = None
    for line in text.replace("\r\n", "\n").split("\n"):
        bare = line.lstrip(">")
        depth = len(line) - len(bare)
        bare = bare.removeprefix(" ")
        is_open = bare.endswith(" ") and bare != _SIGNATURE
        shown = bare[:-1] if is_open and deletes_space else bare
        if open_depth == depth and bare != _SIGNATURE:
            lines[-1] += shown
        else:
            lines.append(f"{'>' * depth} {shown}" if depth else shown)
        open_depth = depth if is_open else None
    return "\n".join(lines)


def _parameter(part: Message, name: str) -> str:
    return str(part.get_param(name) or "").lower()

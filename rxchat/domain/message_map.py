"""The tree of a conversation as a map: one line for each message, with the lane that it is drawn in, as in a graph of commits."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from uuid import UUID

from rxchat.domain.conversations import History
from rxchat.domain.messages import ThreadMessage

LANES = 8
"""How many lanes are drawn side by side; deeper branches share the last one."""
_EXCERPT = 120
_COLLAPSED_FROM = 7
"""How many messages without other versions have to follow each other for the middle ones to become one line."""
_KEPT = 2
"""How many of them stay at each end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MapLine:
    """One line of the map."""

    message: ThreadMessage | None
    """None for the start of the conversation."""
    excerpt: str = ""
    lane: int
    parent_lane: int
    """The lane from which a line leads to this message."""
    passing: tuple[int, ...]
    """The lanes that pass by, on the way to messages further down."""
    passes_shown: bool = False
    """Whether the first of them leads to a message that is shown."""
    is_shown: bool
    """Whether it is on the branch that the conversation shows."""
    has_next: bool
    """Whether a message follows it."""
    next_is_shown: bool
    is_plain: bool
    """Whether it has no other version, and at most one message that follows."""
    collapsed: int = 0
    """The number of messages that this line stands for, if it stands for several."""


def map_of(history: History, conversation_id: UUID) -> list[MapLine]:
    """Return the lines of the map: each message below the one before it.

    Other versions come first, each in a lane further to the right with all that follows it; the shown version, or the newest
    one, continues in the lane of its parent.
    """
    children: dict[UUID, list[ThreadMessage]] = defaultdict(list)
    for message in history.messages.values():
        children[message.parent_id or conversation_id].append(message)
    shown = {message.id for message in history.branch}
    lines: list[MapLine] = []
    # Messages that are still to be drawn, each with its lane, its parent's lane, and the lanes that pass by.
    waiting: list[tuple[ThreadMessage | None, int, int, tuple[int, ...], bool]] = [(None, 0, 0, (), False)]
    while waiting:
        message, lane, parent_lane, passing, passes_shown = waiting.pop()
        following = sorted(children[message.id if message else conversation_id], key=lambda item: item.seq)
        siblings = children[message.parent_id or conversation_id] if message else []
        lines.append(
            MapLine(
                message=message,
                excerpt=_excerpt(message) if message else "",
                lane=lane,
                parent_lane=parent_lane,
                passing=passing,
                passes_shown=passes_shown,
                is_shown=message is None or message.id in shown,
                has_next=bool(following),
                next_is_shown=any(item.id in shown for item in following),
                is_plain=message is not None and len(siblings) == 1 and len(following) <= 1,
            )
        )
        if following:
            main = next((item for item in following if item.id in shown), following[-1])
            waiting.append((main, lane, lane, passing, passes_shown))
            others = [item for item in following if item is not main]
            beside, leads_to_shown = tuple(dict.fromkeys((*passing, lane))), passes_shown or main.id in shown
            waiting += [(item, min(lane + 1, LANES - 1), lane, beside, leads_to_shown) for item in reversed(others)]
    return lines


def collapsed(lines: list[MapLine]) -> list[MapLine]:
    """Return the lines, of which long runs of messages without other versions are one."""
    found: list[MapLine] = []
    run: list[MapLine] = []
    for line in lines:
        if run and not (line.is_plain and line.lane == run[-1].lane and _follows(line, run[-1])):
            found += _shortened(run)
            run = []
        if line.is_plain:
            run.append(line)
        else:
            found.append(line)
    return found + _shortened(run)


def _follows(line: MapLine, before: MapLine) -> bool:
    return line.message is not None and before.message is not None and line.message.parent_id == before.message.id


def _shortened(run: list[MapLine]) -> list[MapLine]:
    if len(run) < _COLLAPSED_FROM:
        return run
    first = run[_KEPT]
    middle = MapLine(
        message=first.message,
        lane=first.lane,
        parent_lane=first.parent_lane,
        passing=first.passing,
        passes_shown=first.passes_shown,
        is_shown=first.is_shown,
        has_next=True,
        next_is_shown=run[-_KEPT].is_shown,
        is_plain=True,
        collapsed=len(run) - 2 * _KEPT,
    )
    return [*run[:_KEPT], middle, *run[-_KEPT:]]


def _excerpt(message: ThreadMessage) -> str:
    words = " ".join(message.text[: 4 * _EXCERPT].split())
    return words if len(words) <= _EXCERPT else f"{words[:_EXCERPT].rstrip()}…"

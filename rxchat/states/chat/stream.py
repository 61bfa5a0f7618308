"""The few bytes that change many times a second: a window on the end of an answer that is being written."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import reflex as rx
from reflex_base.event.context import EventContext

from rxchat.domain.runs import ChunkKind
from rxchat.domain.text import utf16_length
from rxchat.services.chat.answer_stream import AnswerStream
from rxchat.states.platform.tab_registry import tabs

PACKETS_A_SECOND = 28
"""Faster than a person reads and slow enough for a phone."""
_AT_FULL_RATE = 20
_LEAST_PACKETS_A_SECOND = 8
PACKET_CHARACTERS = 10_000
"""Code points: at most 64 kB as JSON in UTF-8, whatever they are."""
_BACKLOG = 24
"""Packets that may wait for a slow line; more are left out, since the next one brings what they would have."""


@contextmanager
def streaming() -> Iterator[None]:
    """Count one tab more for as long as the context is open."""
    tabs.streaming += 1
    try:
        yield
    finally:
        tabs.streaming -= 1


def pause_seconds() -> float:
    """How long to wait between two packets to a tab: the more tabs share this process, the longer."""
    share = _AT_FULL_RATE / max(1, tabs.streaming)
    return 1 / max(_LEAST_PACKETS_A_SECOND, min(PACKETS_A_SECOND, PACKETS_A_SECOND * share))


def may_push(client_token: str) -> bool:
    """Whether a tab's line takes what it is sent."""
    return tabs.backlog(client_token) < _BACKLOG


_OVERLAP = 2
"""How many packets back a window begins, so that a browser that skipped some heals itself."""

_MARKER = "_rx_state_"


class StreamState(rx.State):
    """What the thread's renderer listens to: {g: message, k: "t" or "r", o: offset in UTF-16 units, t: text}."""

    w: dict[str, Any] = {}


async def push(packet: dict[str, Any]) -> None:
    """Send a packet to this tab beside Reflex's own bookkeeping: no lock, no diff, no copy in the state.

    `emit_delta` is undocumented (reflex_base.event.context); this is the only place that knows it, and a test
    watches over it.
    """
    await EventContext.get().emit_delta({StreamState.get_full_name(): {f"w{_MARKER}": packet}})


class Window:
    """Cuts packets from a text that grows."""

    def __init__(self, message_id: str, kind: ChunkKind) -> None:
        """Begin before the first character."""
        self._message_id = message_id
        self._kind = kind
        self._source: tuple[AnswerStream | None, int] = (None, 0)
        self.sent = 0
        self._sent_utf16 = 0
        self._starts: deque[tuple[int, int]] = deque(maxlen=_OVERLAP)

    def packet(self, answer: AnswerStream) -> dict[str, Any] | None:
        """Return what is new since the last packet (and a little before it), at most 64 kB of it, or None."""
        source = answer, answer.rewrites
        if source != self._source:
            # Another engine writes it now: what the one before said last may never have been stored.
            self._source = source
            self.sent, self._sent_utf16 = 0, 0
            self._starts.clear()
        whole = answer.whole(self._kind)
        if len(whole) == self.sent:
            return None
        end = min(len(whole), self.sent + PACKET_CHARACTERS)
        start, start_utf16 = self._starts[0] if self._starts else (0, 0)
        if end - start > PACKET_CHARACTERS:
            start, start_utf16 = self.sent, self._sent_utf16
        packet = {"g": self._message_id, "k": self._kind.value[0], "o": start_utf16, "t": whole[start:end]}
        self._starts.append((self.sent, self._sent_utf16))
        self._sent_utf16 += utf16_length(whole[self.sent : end])
        self.sent = end
        return packet

    def showed(self, whole: str) -> bool:
        """Whether exactly this was sent: what a dead engine said last may be as long as what is stored, and another."""
        answer, rewrites = self._source
        if answer is None:
            return not whole
        is_current = answer.rewrites == rewrites and self.sent == len(whole)
        return is_current and answer.whole(self._kind)[: self.sent] == whole

    def has_all_of(self, answer: AnswerStream) -> bool:
        """Whether nothing is left to send of what there is now."""
        return self._source == (answer, answer.rewrites) and self.sent == len(answer.whole(self._kind))

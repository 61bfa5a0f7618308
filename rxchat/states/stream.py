"""The few bytes that change many times a second: a window on the end of an answer that is being written."""

from __future__ import annotations

from collections import deque
from typing import Any

import reflex as rx
from reflex_base.event.context import EventContext

from rxchat.domain.runs import ChunkKind
from rxchat.domain.text import utf16_length
from rxchat.services.live import LiveAnswer

PACKETS_A_SECOND = 28
"""Faster than a person reads and slow enough for a phone."""

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
        self.sent = 0
        self._sent_utf16 = 0
        self._starts: deque[tuple[int, int]] = deque(maxlen=_OVERLAP)

    def packet(self, answer: LiveAnswer) -> dict[str, Any] | None:
        """Return what is new since the last packet (and a little before it), or None."""
        whole = answer.text if self._kind is ChunkKind.TEXT else answer.reasoning
        if len(whole) == self.sent:
            return None
        start, start_utf16 = self._starts[0] if self._starts else (0, 0)
        packet = {"g": self._message_id, "k": self._kind.value[0], "o": start_utf16, "t": whole[start:]}
        self._starts.append((self.sent, self._sent_utf16))
        self._sent_utf16 += utf16_length(whole[self.sent :])
        self.sent = len(whole)
        return packet

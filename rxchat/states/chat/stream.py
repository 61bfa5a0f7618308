"""Streams a growing answer: windows on the end of its text."""

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
"""Faster than users read, and slow enough for a phone."""
_AT_FULL_RATE = 20
_LEAST_PACKETS_A_SECOND = 8
PACKET_CHARACTERS = 10_000
"""In code points: at most 64 kB as JSON in UTF-8, whatever they are."""
_BACKLOG = 24
"""How many packets may wait for a slow connection; further ones are skipped, since the next one contains their text."""


@contextmanager
def streaming() -> Iterator[None]:
    """Count a streaming tab while the context is open."""
    tabs.streaming += 1
    try:
        yield
    finally:
        tabs.streaming -= 1


def pause_seconds() -> float:
    """Return the pause between two packets: longer the more tabs share this process."""
    share = _AT_FULL_RATE / max(1, tabs.streaming)
    return 1 / max(_LEAST_PACKETS_A_SECOND, min(PACKETS_A_SECOND, PACKETS_A_SECOND * share))


def may_push(client_token: str) -> bool:
    """Whether a tab's connection keeps up."""
    return tabs.backlog(client_token) < _BACKLOG


_OVERLAP = 2
"""How many packets back a window begins, so that a browser that skipped one still has the whole text."""

_MARKER = "_rx_state_"


class StreamState(rx.State):
    """The var that the page reads: `message_id`, `kind` (text or reasoning), `offset` in UTF-16 units, and `text`."""

    window: dict[str, Any] = {}


async def push(packet: dict[str, Any]) -> None:
    """Send a packet to this tab outside of Reflex's state: no lock, no diff, no copy.

    `emit_delta` is undocumented (reflex_base.event.context). It is used only here, and a test checks it.
    """
    await EventContext.get().emit_delta({StreamState.get_full_name(): {f"window{_MARKER}": packet}})


class Window:
    """Yields packets of a growing text."""

    def __init__(self, message_id: str, kind: ChunkKind) -> None:
        self._message_id = message_id
        self._kind = kind
        self._source: tuple[AnswerStream | None, int] = (None, 0)
        self.sent = 0
        self._sent_utf16 = 0
        self._is_void = False
        """Whether the page shows text that does not hold any more."""
        self._starts: deque[tuple[int, int]] = deque(maxlen=_OVERLAP)

    def packet(self, answer: AnswerStream) -> dict[str, Any] | None:
        """Return the text since the last packet, with an overlap, at most 64 kB; None if there is none."""
        source = answer, answer.rewrites
        if source != self._source:
            # Another engine writes it now, of which text may never have been stored, or the text was the model's reasoning.
            self._source = source
            self._is_void = self.sent > 0
            self.sent, self._sent_utf16 = 0, 0
            self._starts.clear()
        whole = answer.whole(self._kind)
        if len(whole) == self.sent and not self._is_void:
            return None
        self._is_void = False
        end = min(len(whole), self.sent + PACKET_CHARACTERS)
        start, start_utf16 = self._starts[0] if self._starts else (0, 0)
        if end - start > PACKET_CHARACTERS:
            start, start_utf16 = self.sent, self._sent_utf16
        packet = {
            "message_id": self._message_id,
            "kind": self._kind.value,
            "offset": start_utf16,
            "text": whole[start:end],
        }
        self._starts.append((self.sent, self._sent_utf16))
        self._sent_utf16 += utf16_length(whole[self.sent : end])
        self.sent = end
        return packet

    def showed(self, whole: str) -> bool:
        """Whether exactly this text was sent; text of a failed engine may have the same length."""
        answer, rewrites = self._source
        if answer is None:
            return not whole
        is_current = answer.rewrites == rewrites and self.sent == len(whole)
        return is_current and answer.whole(self._kind)[: self.sent] == whole

    def has_all_of(self, answer: AnswerStream) -> bool:
        """Whether all current text was sent."""
        return (
            self._source == (answer, answer.rewrites)
            and not self._is_void
            and self.sent == len(answer.whole(self._kind))
        )

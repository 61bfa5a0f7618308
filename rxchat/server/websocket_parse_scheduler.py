"""Schedules parsing of websocket frames: some bytes can be much work, which must not delay other clients."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Generator

from websockets.streams import StreamReader

STEP_SECONDS = 0.005
"""The time for parsing the data of one websocket before other websockets get their turn."""
_AT_ONCE_SECONDS = 0.01
_SHARE = 0.5
"""The share of the process's time for parsing, once the time above is used up."""

Step = Callable[[], bool]
"""Does a part of the work, and returns whether more is left."""


class ParseScheduler:
    """Divides the time for parsing among all websockets of a process: new work first, then round-robin."""

    def __init__(self) -> None:
        self._left, self._filled_at = _AT_ONCE_SECONDS, time.perf_counter()
        self._asking: deque[Step] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def ask(self, step: Step, *, is_last: bool = False) -> None:
        """Run a step at once if time is left, otherwise queue it: as the next one, or after all others."""
        if not self._asking and self._seconds_left() > 0:
            self._do(step)
        elif is_last:
            self._asking.append(step)
        else:
            self._asking.appendleft(step)
        self._schedule()

    def _do(self, step: Step) -> None:
        began = time.perf_counter()
        if step():
            self._asking.append(step)
        self._left -= time.perf_counter() - began

    def _seconds_left(self) -> float:
        now = time.perf_counter()
        self._left = min(_AT_ONCE_SECONDS, self._left + (now - self._filled_at) * _SHARE)
        self._filled_at = now
        return self._left

    def _schedule(self) -> None:
        if self._asking and self._timer is None:
            pause = max(0.0, -self._seconds_left() / _SHARE)
            self._timer = asyncio.get_running_loop().call_later(pause, self._go_on)

    def _go_on(self) -> None:
        self._timer = None
        if self._seconds_left() > 0:
            self._do(self._asking.popleft())
        self._schedule()


class FrameReader(StreamReader):
    """The buffer of a websocket, from which the protocol core reads one frame at a time instead of all."""

    def __init__(self) -> None:
        super().__init__()
        self._is_between_frames = False
        self._may_begin = False

    @property
    def has_more(self) -> bool:
        """Whether the core stopped before a frame whose beginning is in the buffer."""
        return self._is_between_frames and bool(self.buffer)

    @property
    def unfinished_bytes(self) -> int:
        """The number of bytes of an incomplete frame."""
        return 0 if self._is_between_frames else len(self.buffer)

    def begin(self) -> None:
        """Let the core start a frame, if it is between two."""
        self._may_begin = self._is_between_frames

    def at_eof(self) -> Generator[None, None, bool]:
        """Wait until `begin` permits the next frame."""
        self._is_between_frames = True
        while not (self._may_begin and self.buffer):
            if self.eof and not self.buffer:
                return True
            yield
        self._is_between_frames = self._may_begin = False
        return False

"""Who parses next: a few bytes from a client can be much work, and that of one client must not keep the others waiting."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Generator

from websockets.streams import StreamReader

STEP_SECONDS = 0.005
"""What comes over one websocket is parsed for so long, and then it is the others' turn."""
_AT_ONCE_SECONDS = 0.01
_SHARE = 0.5
"""Of the process's time, once the above is used up."""

Step = Callable[[], bool]
"""Does a part of one's work, and returns whether more of it is left."""


class ParseScheduler:
    """Divides the time for parsing among all websockets of a process: those who had little until now first, then one after another."""

    def __init__(self) -> None:
        self._left, self._filled_at = _AT_ONCE_SECONDS, time.perf_counter()
        self._asking: deque[Step] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def ask(self, step: Step, *, is_last: bool = False) -> None:
        """Do the work at once where there is little of it, or when its turn comes: next, or after all others."""
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
    """What came over a websocket, which the protocol core takes one frame of at a time instead of all that there are."""

    def __init__(self) -> None:
        super().__init__()
        self._is_between_frames = False
        self._may_begin = False

    @property
    def has_more(self) -> bool:
        """Whether the core stopped before a frame, of which something is there."""
        return self._is_between_frames and bool(self.buffer)

    @property
    def unfinished_bytes(self) -> int:
        """What there is of a frame that is not whole."""
        return 0 if self._is_between_frames else len(self.buffer)

    def begin(self) -> None:
        """Let the core begin a frame, if it is not within one."""
        self._may_begin = self._is_between_frames

    def at_eof(self) -> Generator[None, None, bool]:
        """Wait for leave to begin the next frame."""
        self._is_between_frames = True
        while not (self._may_begin and self.buffer):
            if self.eof and not self.buffer:
                return True
            yield
        self._is_between_frames = self._may_begin = False
        return False

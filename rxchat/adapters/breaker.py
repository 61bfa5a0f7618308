"""A circuit breaker: what does not respond is left alone for a while, and then tried by one caller."""

from __future__ import annotations

import time
from collections.abc import Callable


class Breaker:
    """Closed while all is well; open after a failure; after a rest one trial decides.

    Source: M. Nygard, Release It!, "Circuit Breaker".
    """

    def __init__(self, rest_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Rest for so long after each failure."""
        self._rest_seconds = rest_seconds
        self._clock = clock
        self._try_at: float | None = None

    @property
    def is_closed(self) -> bool:
        """Whether all is well, as far as anybody knows."""
        return self._try_at is None

    def admits(self) -> bool:
        """Whether this call may try; while open, the first one after the rest, and nobody else until the next."""
        if self._try_at is None:
            return True
        if self._clock() < self._try_at:
            return False
        self._try_at = self._clock() + self._rest_seconds
        return True

    def succeeded(self) -> bool:
        """Note that it answered; True when it had not before."""
        was_open, self._try_at = self._try_at is not None, None
        return was_open

    def failed(self) -> bool:
        """Note that it did not; True when it had answered before."""
        was_closed = self._try_at is None
        self._try_at = self._clock() + self._rest_seconds
        return was_closed

"""A circuit breaker: after a failure, no caller waits for a server until one trial call succeeds."""

from __future__ import annotations

import time
from collections.abc import Callable


class Breaker:
    """Closed while calls succeed; open after a failure; after a rest one trial call decides.

    Source: M. Nygard, Release It!, "Circuit Breaker".
    """

    def __init__(self, rest_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Stay open for `rest_seconds` after each failure."""
        self._rest_seconds = rest_seconds
        self._clock = clock
        self._try_at: float | None = None

    @property
    def is_closed(self) -> bool:
        """Whether the last call succeeded."""
        return self._try_at is None

    def admits(self) -> bool:
        """Whether this call may be made; while open, only one call after each rest may."""
        if self._try_at is None:
            return True
        if self._clock() < self._try_at:
            return False
        self._try_at = self._clock() + self._rest_seconds
        return True

    def succeeded(self) -> bool:
        """Record a success; True if the breaker was open before."""
        was_open, self._try_at = self._try_at is not None, None
        return was_open

    def failed(self) -> bool:
        """Record a failure; True if the breaker was closed before."""
        was_closed = self._try_at is None
        self._try_at = self._clock() + self._rest_seconds
        return was_closed

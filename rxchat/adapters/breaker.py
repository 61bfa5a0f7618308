"""A circuit breaker: after failures, no caller waits for a server until one trial call succeeds."""

from __future__ import annotations

import time
from collections.abc import Callable

from rxchat.domain.model_hosts import BreakerState


class Breaker:
    """Closed while calls succeed; open after failures; after a rest one trial call decides (half-open).

    Source: M. Nygard, Release It!, "Circuit Breaker".
    """

    def __init__(
        self,
        rest_seconds: float,
        clock: Callable[[], float] = time.monotonic,
        *,
        failures: int = 1,
        longest_rest: float | None = None,
    ) -> None:
        """Open after `failures` in succession; each failed trial doubles the rest, up to `longest_rest` (None: never)."""
        self._rest_seconds = rest_seconds
        self._clock = clock
        self._most_failures = failures
        self._longest_rest = longest_rest or rest_seconds
        self._failures = 0
        self._try_at: float | None = None
        self._is_trying = False

    @property
    def is_closed(self) -> bool:
        """Whether calls are made."""
        return self._try_at is None

    @property
    def state(self) -> BreakerState:
        """Its state now."""
        if self._try_at is None:
            return BreakerState.CLOSED
        return BreakerState.HALF_OPEN if self._is_trying or self._clock() >= self._try_at else BreakerState.OPEN

    @property
    def failures(self) -> int:
        """How many calls have failed since the last success."""
        return self._failures

    @property
    def retry_seconds(self) -> float:
        """The time until the next trial."""
        return 0.0 if self._try_at is None else max(0.0, self._try_at - self._clock())

    @property
    def would_admit(self) -> bool:
        """Whether `admits` would return True."""
        return self._try_at is None or self._clock() >= self._try_at

    def admits(self) -> bool:
        """Whether this call may be made; while open, only one call after each rest may."""
        if self._try_at is None:
            return True
        if self._clock() < self._try_at:
            return False
        self._is_trying = True
        self._try_at = self._clock() + self._rest_seconds
        return True

    def succeeded(self) -> bool:
        """Record a success; True if the breaker was open before."""
        was_open, self._try_at = self._try_at is not None, None
        self._failures, self._is_trying = 0, False
        return was_open

    def failed(self, *, at_once: bool = False) -> bool:
        """Record a failure, which opens it `at_once` or after some; True if the breaker was closed before, and is open."""
        was_closed = self._try_at is None
        self._failures += 1
        if was_closed and not at_once and self._failures < self._most_failures:
            return False
        doublings = min(10, max(0, self._failures - self._most_failures))
        self._try_at = self._clock() + min(self._longest_rest, self._rest_seconds * 2**doublings)
        self._is_trying = False
        return was_closed

    def retry_now(self) -> None:
        """Let the next call be a trial: the last one ended without a verdict, or the server has changed."""
        if self._try_at is not None:
            self._try_at, self._is_trying = self._clock(), False

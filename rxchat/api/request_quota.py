"""How many requests a user's programs may make in a minute, and the headers that say so (draft-ietf-httpapi-ratelimit-headers)."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from uuid import UUID

from fastapi import Request

from rxchat.api.requests import SignedIn, settings_of
from rxchat.domain.errors import TooManyAttempts

WINDOW_SECONDS = 60
_MOST_USERS = 10_000


@dataclass(slots=True)
class _Window:
    began_at: float
    used: int = 0


class RequestQuota:
    """Counts the requests of each user in windows of a minute. Each process counts those that it serves."""

    def __init__(self) -> None:
        self._windows: dict[UUID, _Window] = {}

    def use(self, user_id: UUID, most: int) -> tuple[int, int]:
        """Count a request; return how many are left (below zero: it is refused), and the seconds until there are more."""
        now = time.monotonic()
        window = self._windows.get(user_id)
        if window is None or now - window.began_at >= WINDOW_SECONDS:
            if len(self._windows) >= _MOST_USERS:
                self._forget(now)
            window = self._windows[user_id] = _Window(now)
        window.used += 1
        return most - window.used, math.ceil(window.began_at + WINDOW_SECONDS - now)

    def _forget(self, now: float) -> None:
        self._windows = {
            user_id: window for user_id, window in self._windows.items() if now - window.began_at < WINDOW_SECONDS
        }


QUOTA = RequestQuota()


async def count_request(request: Request, current_user: SignedIn) -> None:
    """Count a request of a user once, and note what its response says of the limit.

    Raises:
        TooManyAttempts: when the user has made too many in this minute.
    """
    if hasattr(request.state, "rate_limit"):
        # It was counted before its large body was read.
        return
    most = settings_of(request).api_requests_per_minute
    left, seconds = QUOTA.use(current_user.user_id, most)
    request.state.rate_limit = {
        "RateLimit-Policy": f'"default";q={most};w={WINDOW_SECONDS}',
        "RateLimit": f'"default";r={max(0, left)};t={seconds}',
    }
    if left < 0:
        raise TooManyAttempts(
            f"You have made {most:,} requests in this minute. Wait until the next one.", retry_after_seconds=seconds
        )

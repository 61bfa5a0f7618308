"""Slots for searches: how many run at once in a process, and which user's is next."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID

from rxchat.domain.errors import TooManyAttempts

AT_ONCE = 4
"""A search computes a vector and scans an index: more at once would share the same processors."""
AT_ONCE_OF_ONE_USER = 2
WAITING_OF_ONE_USER = 16
"""For searches of pages and programs. Those of answers are few (an answer searches once at a time), and always wait."""


class SearchSlots:
    """Grants slots in turn to the users who wait, so that many searches of one do not delay those of another."""

    def __init__(
        self,
        at_once: int = AT_ONCE,
        at_once_of_one_user: int = AT_ONCE_OF_ONE_USER,
        waiting_of_one_user: int = WAITING_OF_ONE_USER,
    ) -> None:
        self._at_once = at_once
        self._at_once_of_one_user = at_once_of_one_user
        self._waiting_of_one_user = waiting_of_one_user
        self._running: Counter[UUID] = Counter()
        # In the order in which users are served; a user whose search starts or ends moves to the end.
        self._waiting: dict[UUID, deque[asyncio.Future[None]]] = {}

    @asynccontextmanager
    async def slot(self, user_id: UUID, *, is_answer: bool = False) -> AsyncGenerator[None]:
        """Hold a slot while the context is open.

        Raises:
            TooManyAttempts: when the user has too many searches waiting, and this one is not an answer's.
        """
        waiting = self._waiting.get(user_id, ())
        if not is_answer and len(waiting) >= self._waiting_of_one_user:
            raise TooManyAttempts("You have too many searches at once. Try again.", retry_after_seconds=2)
        granted = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(user_id, deque()).append(granted)
        self._grant()
        try:
            await granted
            yield
        finally:
            self._leave(user_id, granted)

    def _grant(self) -> None:
        """Give free slots to waiting users, first to those with the fewest, within the limit of each."""
        while self._running.total() < self._at_once:
            user_id = min(self._waiting, key=lambda user: self._running[user], default=None)
            if user_id is None or self._running[user_id] >= self._at_once_of_one_user:
                return
            waiting = self._waiting.pop(user_id)
            waiting.popleft().set_result(None)
            if waiting:
                self._waiting[user_id] = waiting
            self._running[user_id] += 1

    def _leave(self, user_id: UUID, granted: asyncio.Future[None]) -> None:
        """Release the slot, or the position in the queue."""
        if granted.done() and not granted.cancelled():
            self._running[user_id] -= 1
            if not self._running[user_id]:
                del self._running[user_id]
            if (others := self._waiting.pop(user_id, None)) is not None:
                # Behind the users who are already waiting.
                self._waiting[user_id] = others
            self._grant()
            return
        waiting = self._waiting[user_id]
        waiting.remove(granted)
        if not waiting:
            del self._waiting[user_id]

"""Notifies tabs and caches of this process about changes by other transactions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from rxchat.domain.ids import parse_id
from rxchat.services.platform.access_invalidator import AccessInvalidator
from rxchat.services.platform.pg_listener import PgListener


class ChangeSubscription:
    """A tab's subscription to changes of its user's conversations; several changes count as one."""

    def __init__(self) -> None:
        self._happened = asyncio.Event()
        self._nudge: Callable[[], None] | None = None

    def notify(self) -> None:
        """Signal a change."""
        self._happened.set()
        if self._nudge is not None:
            self._nudge()

    @contextmanager
    def nudging(self, nudge: Callable[[], None]) -> Iterator[None]:
        """Call `nudge` at each change, too, while the context is open: its tab waits for something else."""
        self._nudge = nudge
        try:
            yield
        finally:
            self._nudge = None

    @property
    def poked(self) -> bool:
        """Whether a change happened since the last `wait`."""
        return self._happened.is_set()

    async def wait(self, timeout_seconds: float) -> bool:
        """Wait for a change; False after the timeout."""
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._happened.wait()
        except TimeoutError:
            return False
        self._happened.clear()
        return True


class ChangeFeed:
    """Notifies tabs about changes of their user's conversations (or documents), made by any process."""

    def __init__(
        self, pg_listener: PgListener, access_invalidator: AccessInvalidator, kind: str = "conversation"
    ) -> None:
        """Subscribe to changes of a kind of resource, and of permissions to read them."""
        # By user, and by the opened conversation or collection, which may be shared by another user.
        self._watches: dict[UUID, set[ChangeSubscription]] = {}
        pg_listener.subscribe(kind, self._hear)
        access_invalidator.on_change(self._poke)

    @contextmanager
    def watching(self, user_id: UUID, opened: UUID | None) -> Iterator[ChangeSubscription]:
        """Watch a user's resources and the opened one while the context is open."""
        watch = ChangeSubscription()
        keys = [key for key in (user_id, opened) if key is not None]
        for key in keys:
            self._watches.setdefault(key, set()).add(watch)
        try:
            yield watch
        finally:
            for key in keys:
                self._watches[key].discard(watch)
                if not self._watches[key]:
                    del self._watches[key]

    def _hear(self, rest: str) -> None:
        if rest == "":
            self._poke(None)
        for name in rest.split():
            if (key := parse_id(name)) is not None:
                self._poke(key)

    def _poke(self, key: UUID | None) -> None:
        """Signal a change to the tabs of a user or resource; to all tabs for None."""
        affected = self._watches.values() if key is None else [self._watches.get(key, set())]
        for watches in affected:
            for watch in watches:
                watch.notify()

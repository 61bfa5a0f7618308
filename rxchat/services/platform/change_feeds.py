"""Tells open tabs and caches of this process what other transactions have changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from rxchat.domain.ids import parse_id
from rxchat.services.platform.pg_listener import PgListener


class ChangeSubscription:
    """One tab's view of what happens to its person's conversations; many happenings count as one."""

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self._happened = asyncio.Event()
        self._nudge: Callable[[], None] | None = None

    def notify(self) -> None:
        """Say that something happened."""
        self._happened.set()
        if self._nudge is not None:
            self._nudge()

    @contextmanager
    def nudging(self, nudge: Callable[[], None]) -> Iterator[None]:
        """Have each poke call this, too, for as long as the context is open: its tab waits for something else."""
        self._nudge = nudge
        try:
            yield
        finally:
            self._nudge = None

    @property
    def poked(self) -> bool:
        """Whether something happened since the last `wait`."""
        return self._happened.is_set()

    async def wait(self, timeout_seconds: float) -> bool:
        """Wait until something happens; False when nothing did for so long."""
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._happened.wait()
        except TimeoutError:
            return False
        self._happened.clear()
        return True


class AccessInvalidator:
    """Tells this process that what somebody may do has changed, in whatever process or tool it was changed."""

    def __init__(self, pg_listener: PgListener) -> None:
        """Hear of every change of an account, a sign-in, a role or a rule (triggers in Postgres tell of them)."""
        self._pg_listener = pg_listener
        self._hearers: list[Callable[[UUID | None], None]] = []
        pg_listener.subscribe("access", self._hear)

    @property
    def is_up_to_date(self) -> bool:
        """Whether changes are heard of just now; else nothing that is remembered may be trusted."""
        return self._pg_listener.listening.is_set()

    def on_change(self, hear: Callable[[UUID | None], None]) -> None:
        """Call `hear` with whose access has changed; with None when it may be anybody's."""
        self._hearers.append(hear)

    def changed(self, user_id: UUID | None) -> None:
        """Tell it to this process at once, before Postgres does."""
        for hear in self._hearers:
            hear(user_id)

    def _hear(self, rest: str) -> None:
        self.changed(parse_id(rest))


class ChangeFeed:
    """Tells tabs that something happened to their person's conversations (or documents), in whatever process it was done."""

    def __init__(
        self, pg_listener: PgListener, access_invalidator: AccessInvalidator, kind: str = "conversation"
    ) -> None:
        """Hear of everything that happens to things of a kind, and of what changes who may see them."""
        # By person, and by the conversation or collection that is open: it may be somebody else's, and shared.
        self._watches: dict[UUID, set[ChangeSubscription]] = {}
        pg_listener.subscribe(kind, self._hear)
        access_invalidator.on_change(self._poke)

    @contextmanager
    def watching(self, user_id: UUID, opened: UUID | None) -> Iterator[ChangeSubscription]:
        """Watch a person's things, and the one that is open, for as long as the context is."""
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
        """Have the tabs of this person, or on this conversation, look again; all of them, for None."""
        affected = self._watches.values() if key is None else [self._watches.get(key, set())]
        for watches in affected:
            for watch in watches:
                watch.notify()

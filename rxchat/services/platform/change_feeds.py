"""What other transactions have done, as Postgres tells it: one connection that listens for the whole process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager, suppress
from uuid import UUID

import structlog

from rxchat.domain.errors import DatabaseUnavailable
from rxchat.domain.ids import parse_id

log = structlog.get_logger(__name__)

_RECONNECT_SECONDS = 1.0


class PgListener:
    """Hands each notice to whoever asked for its kind, and says when some may have been missed."""

    def __init__(self, listen: Callable[[], AsyncGenerator[str]]) -> None:
        """Know how to listen; nothing is connected yet."""
        self._listen = listen
        self._hearers: dict[str, Callable[[str], None]] = {}
        self._task: asyncio.Task[None] | None = None
        self.listening = asyncio.Event()

    def subscribe(self, kind: str, hear: Callable[[str], None]) -> None:
        """Call `hear` with the rest of each notice of this kind; with "" when notices may have been missed.

        Raises:
            RuntimeError: when something hears notices of this kind already: it would be deaf from then on.
        """
        if kind in self._hearers:
            raise RuntimeError(f"notices of the kind {kind!r} are heard already")
        self._hearers[kind] = hear

    async def start(self) -> None:
        """Begin to listen."""
        self._task = asyncio.create_task(self._listen_forever(), name="notices")

    async def stop(self) -> None:
        """Listen no more."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _listen_forever(self) -> None:
        while True:
            try:
                async for payload in self._listen():
                    self._dispatch(payload)
                    self.listening.set()
            except DatabaseUnavailable:
                log.warning("postgres tells nothing just now: the connection that listens is lost")
            except Exception:
                # The edge of the listener: whatever keeps it from listening, it says that it is deaf, and tries again.
                log.exception("postgres cannot be listened to")
            finally:
                self.listening.clear()
            await asyncio.sleep(_RECONNECT_SECONDS)

    def _dispatch(self, payload: str) -> None:
        kind, _, rest = payload.partition(" ")
        hearers = self._hearers.values() if payload == "" else [self._hearers[kind]] if kind in self._hearers else []
        for hear in hearers:
            try:
                hear(rest)
            except Exception:
                # The edge of the listener: one that fails to hear must not make the whole process deaf.
                log.exception("a notice was not understood", kind=kind)


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

    def __init__(self, notices: PgListener) -> None:
        """Hear of every change of an account, a sign-in, a role or a rule (triggers in Postgres tell of them)."""
        self._notices = notices
        self._hearers: list[Callable[[UUID | None], None]] = []
        notices.subscribe("access", self._hear)

    @property
    def is_up_to_date(self) -> bool:
        """Whether changes are heard of just now; else nothing that is remembered may be trusted."""
        return self._notices.listening.is_set()

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

    def __init__(self, notices: PgListener, access: AccessInvalidator, kind: str = "conversation") -> None:
        """Hear of everything that happens to things of a kind, and of what changes who may see them."""
        # By person, and by the conversation or collection that is open: it may be somebody else's, and shared.
        self._watches: dict[UUID, set[ChangeSubscription]] = {}
        notices.subscribe(kind, self._hear)
        access.on_change(self._poke)

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

"""Notifies caches and open tabs of this process that what a user may do has changed."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from rxchat.domain.ids import parse_id
from rxchat.services.platform.pg_listener import PgListener


class AccessInvalidator:
    """Notifies this process about changes of a user's permissions, made by any process or tool."""

    def __init__(self, pg_listener: PgListener) -> None:
        """Subscribe to changes of accounts, sessions, roles and settings (triggers in Postgres notify)."""
        self._pg_listener = pg_listener
        self._hearers: list[Callable[[UUID | None], None]] = []
        pg_listener.subscribe("access", self._hear)

    @property
    def is_up_to_date(self) -> bool:
        """Whether notifications arrive; otherwise caches must not be used."""
        return self._pg_listener.listening.is_set()

    def on_change(self, hear: Callable[[UUID | None], None]) -> None:
        """Call `hear` with the user whose access changed, or None if it may be any user's."""
        self._hearers.append(hear)

    def changed(self, user_id: UUID | None) -> None:
        """Notify this process immediately, before Postgres does."""
        for hear in self._hearers:
            hear(user_id)

    def _hear(self, rest: str) -> None:
        self.changed(parse_id(rest))

"""Leases on exports: a user's data is downloaded once at a time, in all processes.

The process that sends it renews the lease. If it dies, the lease expires.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import structlog

from rxchat.db.app import exports as rows
from rxchat.db.platform.database import Database
from rxchat.domain.errors import Conflict, DatabaseUnavailable
from rxchat.domain.ids import new_id

log = structlog.get_logger(__name__)

_LEASE = timedelta(seconds=30)
_RENEW_SECONDS = 10.0


class ExportLeases:
    """Takes, renews and releases leases."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._releasing: set[asyncio.Task[None]] = set()

    async def take(self, session: rows.AsyncSession, user_id: UUID) -> UUID:
        """Return the id of a new lease, taken with the current transaction.

        Raises:
            Conflict: when another download of the user's data is running.
        """
        export_id = new_id()
        if not await rows.lease(session, user_id, export_id, _LEASE):
            raise Conflict("A download of your data is already running. Wait until it has finished.")
        return export_id

    @asynccontextmanager
    async def held(self, user_id: UUID, export_id: UUID) -> AsyncGenerator[None]:
        """Renew a lease while the context is open, then release it."""
        renewing = asyncio.create_task(self._renew(user_id, export_id), name="export lease")
        try:
            yield
        finally:
            renewing.cancel()
            # In a separate task: a disconnected client cancels everything that is awaited here.
            releasing = asyncio.create_task(self._release(user_id, export_id), name="export lease")
            self._releasing.add(releasing)
            releasing.add_done_callback(self._releasing.discard)
            await asyncio.shield(releasing)

    async def _renew(self, user_id: UUID, export_id: UUID) -> None:
        is_ours = True
        while is_ours:
            await asyncio.sleep(_RENEW_SECONDS)
            try:
                async with self._database.begin(user_id) as session:
                    is_ours = await rows.renew(session, user_id, export_id, _LEASE)
            except DatabaseUnavailable:
                log.debug("an export's lease could not be renewed, the database does not respond")

    async def _release(self, user_id: UUID, export_id: UUID) -> None:
        try:
            async with self._database.begin(user_id) as session:
                await rows.release(session, user_id, export_id)
        except DatabaseUnavailable:
            log.debug("an export's lease could not be released, the database does not respond")

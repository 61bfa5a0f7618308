"""Leases on exports: a user's data is downloaded once at a time, whichever process sends it.

The process that sends it renews the lease. One that has died renews nothing, and its lease expires.
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
        """Return the id of a new lease, which counts when the transaction commits.

        Raises:
            Conflict: when the user's data is on its way already.
        """
        export_id = new_id()
        if not await rows.lease(session, user_id, export_id, _LEASE):
            raise Conflict("Your data is being downloaded already. Wait until that has ended.")
        return export_id

    @asynccontextmanager
    async def held(self, user_id: UUID, export_id: UUID) -> AsyncGenerator[None]:
        """Renew a lease while the context is open, and release it then."""
        renewing = asyncio.create_task(self._renew(user_id, export_id), name="export lease")
        try:
            yield
        finally:
            renewing.cancel()
            # In a task of its own: a browser that has gone away cancels all that is awaited here.
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
                log.debug("an export's lease could not be renewed, the database is away")

    async def _release(self, user_id: UUID, export_id: UUID) -> None:
        try:
            async with self._database.begin(user_id) as session:
                await rows.release(session, user_id, export_id)
        except DatabaseUnavailable:
            log.debug("an export's lease expires by itself, the database is away")

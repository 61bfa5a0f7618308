"""Sweeping the file store: nothing is kept that no document needs, whatever died between storing and remembering."""

from __future__ import annotations

from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import structlog

from rxchat.db import files as rows
from rxchat.db.database import Database
from rxchat.db.retrieval import count_common_words
from rxchat.domain.errors import StoreError
from rxchat.domain.ports import ObjectStore

log = structlog.get_logger(__name__)

_UNFINISHED = timedelta(hours=24)
"""How long an upload may rest before it is given up."""
_YOUNG = timedelta(hours=1)
"""An object that is younger may be remembered in a moment."""
_AT_A_TIME = 500


class Sweeping:
    """Does it when asked; what another process sweeps at the same time does no harm."""

    def __init__(self, database: Database, store: ObjectStore) -> None:
        """Know what is remembered, and what is kept."""
        self._database = database
        self._store = store

    async def once(self, *, unfinished: timedelta = _UNFINISHED, young: timedelta = _YOUNG) -> int:
        """Forget uploads that nobody goes on with, delete what belongs to no file; return how many objects went.

        Raises:
            StoreError: when the store does not answer; the next sweep begins anew.
        """
        async with self._database.begin(None) as session:
            forgotten = await rows.forget_uploads(session, unfinished)
        await self._store.delete(forgotten)
        swept = len(forgotten)
        before, batch = datetime.now(UTC) - young, []
        async with aclosing(self._store.objects()) as objects:
            async for item in objects:
                if item.modified_at < before:
                    batch.append(item.key)
                if len(batch) >= _AT_A_TIME:
                    swept += await self._delete_unknown(batch)
                    batch = []
        swept += await self._delete_unknown(batch)
        if swept:
            log.info("the file store was swept", objects=swept)
        return swept

    async def count_words(self) -> None:
        """Count anew which words are too common to search very large scopes by."""
        async with self._database.begin(None) as session:
            await count_common_words(session)

    async def _delete_unknown(self, keys: list[str]) -> int:
        if not keys:
            return 0
        async with self._database.begin(None) as session:
            unknown = await rows.unknown_objects(session, keys)
        await self._store.delete(unknown)
        return len(unknown)


async def swept(sweeping: Sweeping) -> None:
    """Sweep; a store that does not answer is swept another time."""
    try:
        await sweeping.once()
    except StoreError as error:
        log.warning("the file store could not be swept", reason=error.message)

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
_SURPRISING = 100
"""So many objects that nobody knows are no surprise; more than that, and more than are known, are."""


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
        swept, unknown, known = len(forgotten), [], 0
        before, batch = datetime.now(UTC) - young, []
        async with aclosing(self._store.objects()) as objects:
            async for item in objects:
                if item.modified_at < before:
                    batch.append(item.key)
                if len(batch) >= _AT_A_TIME:
                    found = await self._unknown(batch)
                    unknown += found
                    known += len(batch) - len(found)
                    batch = []
        found = await self._unknown(batch)
        unknown += found
        known += len(batch) - len(found)
        if len(unknown) > max(_SURPRISING, known):
            # Rather another installation's store, or a database that was restored from before: nobody wants that deleted.
            log.error("the file store holds more than the database knows of: nothing was deleted", unknown=len(unknown))
            return swept
        for at in range(0, len(unknown), _AT_A_TIME):
            await self._store.delete(unknown[at : at + _AT_A_TIME])
        swept += len(unknown)
        if swept:
            log.info("the file store was swept", objects=swept)
        return swept

    async def count_words(self) -> None:
        """Count anew which words are too common to search very large scopes by."""
        async with self._database.begin(None) as session:
            await count_common_words(session)

    async def _unknown(self, keys: list[str]) -> list[str]:
        if not keys:
            return []
        async with self._database.begin(None) as session:
            return await rows.unknown_objects(session, keys)


async def swept(sweeping: Sweeping) -> None:
    """Sweep; a store that does not answer is swept another time."""
    try:
        await sweeping.once()
    except StoreError as error:
        log.warning("the file store could not be swept", reason=error.message)

"""Sweeping the file store: nothing is kept that no document needs, whatever died between storing and remembering."""

from __future__ import annotations

from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import structlog

from rxchat.db.documents import files as rows
from rxchat.db.documents import trash as trash_rows
from rxchat.db.documents.search_index import update_frequent_lexemes
from rxchat.db.platform.database import Database
from rxchat.domain.errors import StorageError
from rxchat.domain.ports import ObjectStore
from rxchat.services.documents.storage_ownership import StorageOwnership
from rxchat.services.documents.trash import KEPT

log = structlog.get_logger(__name__)

_UNFINISHED = timedelta(hours=24)
"""How long an upload may rest before it is given up."""
_YOUNG = timedelta(hours=1)
"""An object that is younger may be remembered in a moment."""
_AT_A_TIME = 500
_SURPRISING = 100
"""So many objects that nobody has ever known are no surprise, as processes die; more than that are."""


class StorageGarbageCollector:
    """Does it when asked; what another process sweeps at the same time does no harm."""

    def __init__(self, database: Database, store: ObjectStore) -> None:
        """Know what is remembered, and what is kept."""
        self._database = database
        self._store = store
        self._storage_ownership = StorageOwnership(database, store)

    async def once(self, *, unfinished: timedelta = _UNFINISHED, young: timedelta = _YOUNG) -> int:
        """Forget uploads that nobody goes on with, delete what belongs to no file; return how many objects went.

        Raises:
            StorageError: when the store does not answer, or is not ours: nothing is deleted then, or not everything.
        """
        count = await self.known(unfinished=unfinished)
        unknown = await self.unknown(young=young)
        if len(unknown) > _SURPRISING:
            # Perhaps a database that was restored from before: nobody wants that deleted without having been asked.
            log.error(
                "the file store holds more than the database knows of, and it was not deleted:"
                " look at python -m rxchat sweep-files",
                unknown=len(unknown),
            )
        else:
            await self.delete(unknown)
            count += len(unknown)
        if count:
            log.info("the file store was swept", objects=count)
        return count

    async def known(self, *, unfinished: timedelta = _UNFINISHED) -> int:
        """Forget uploads that nobody goes on with, delete what files had that are gone; return how many objects went.

        Raises:
            StorageError: when the store does not answer, or is not ours.
        """
        if not await self._storage_ownership.is_claimed():
            return 0
        async with self._database.begin(None) as session:
            await rows.purge_uploads(session, unfinished)
        return await self._delete_doomed()

    async def unknown(self, *, young: timedelta = _YOUNG) -> list[str]:
        """Return the objects in the store that no file has ever had: what was left behind between storing and remembering.

        Raises:
            StorageError: when the store does not answer, or is not ours.
        """
        if not await self._storage_ownership.is_claimed():
            return []
        before, batch, unknown = datetime.now(UTC) - young, [], []
        async with aclosing(self._store.objects()) as objects:
            async for item in objects:
                if item.modified_at < before:
                    batch.append(item.key)
                if len(batch) >= _AT_A_TIME:
                    unknown += await self._unknown(batch)
                    batch = []
        return unknown + await self._unknown(batch)

    async def delete(self, keys: list[str]) -> None:
        """Delete objects, some at a time.

        Raises:
            StorageError: when some of them may be left.
        """
        for at in range(0, len(keys), _AT_A_TIME):
            await self._storage_ownership.delete(keys[at : at + _AT_A_TIME])

    async def purge_trash(self) -> None:
        """Delete for good what has been in the trash for long."""
        async with self._database.begin(None) as session:
            purged = await trash_rows.purge(session, KEPT)
        if purged:
            log.info("deleted documents were purged", count=purged)

    async def count_words(self) -> None:
        """Count anew which words are too common to search very large scopes by."""
        async with self._database.begin(None) as session:
            await update_frequent_lexemes(session)

    async def _delete_doomed(self) -> int:
        """Delete what files had that are gone, however many there were."""
        count = 0
        while True:
            async with self._database.begin(None) as session:
                keys = await rows.pending_object_deletions(session, _AT_A_TIME)
            if not keys:
                return count
            await self._storage_ownership.delete(keys)
            count += len(keys)

    async def _unknown(self, keys: list[str]) -> list[str]:
        if not keys:
            return []
        async with self._database.begin(None) as session:
            return await rows.orphaned_objects(session, keys)


async def swept(storage_gc: StorageGarbageCollector) -> None:
    """Sweep; a store that does not answer, or is not ours, is swept another time."""
    reason = ""
    try:
        await storage_gc.once()
    except StorageError as error:
        reason = error.message
    if reason:
        log.error("the file store was not swept", reason=reason)

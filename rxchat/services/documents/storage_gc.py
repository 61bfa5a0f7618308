"""Garbage collection of the object store: deletes objects that no file refers to."""

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
"""How long an upload may be idle before it is deleted."""
_YOUNG = timedelta(hours=1)
"""A younger object may be about to get its row."""
_AT_A_TIME = 500
_SURPRISING = 100
"""A few unknown objects are normal, since processes die; more are suspicious."""


class StorageGarbageCollector:
    """Runs garbage collection; several processes may run it at the same time."""

    def __init__(self, database: Database, store: ObjectStore) -> None:
        self._database = database
        self._store = store
        self._storage_ownership = StorageOwnership(database, store)

    async def once(self, *, unfinished: timedelta = _UNFINISHED, young: timedelta = _YOUNG) -> int:
        """Delete idle uploads and all orphaned objects. Returns the number of deleted objects.

        Raises:
            StorageError: when the store does not respond, or belongs to another installation: then nothing or only
                some are deleted.
        """
        count = await self.known(unfinished=unfinished)
        unknown = await self.unknown(young=young)
        if len(unknown) > _SURPRISING:
            # The database may have been restored from a backup: do not delete its newer objects without confirmation.
            log.error(
                "the file store has objects that the database does not know; they were not deleted: run python -m rxchat sweep-files",
                unknown=len(unknown),
            )
        else:
            await self.delete(unknown)
            count += len(unknown)
        if count:
            log.info("the file store was garbage-collected", objects=count)
        return count

    async def known(self, *, unfinished: timedelta = _UNFINISHED) -> int:
        """Delete idle uploads, and objects of deleted files. Returns the number of deleted objects.

        Raises:
            StorageError: when the store does not respond, or belongs to another installation.
        """
        if not await self._storage_ownership.is_claimed():
            return 0
        async with self._database.begin(None) as session:
            await rows.purge_uploads(session, unfinished)
        return await self._delete_doomed()

    async def unknown(self, *, young: timedelta = _YOUNG) -> list[str]:
        """Return the objects that belonged to no file: those that a process left without a row.

        Raises:
            StorageError: when the store does not respond, or belongs to another installation.
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
        """Delete objects in batches.

        Raises:
            StorageError: when some of them may be left.
        """
        for at in range(0, len(keys), _AT_A_TIME):
            await self._storage_ownership.delete(keys[at : at + _AT_A_TIME])

    async def purge_trash(self) -> None:
        """Purge documents whose time in the trash is over."""
        async with self._database.begin(None) as session:
            purged = await trash_rows.purge(session, KEPT)
        if purged:
            log.info("deleted documents were purged", count=purged)

    async def count_words(self) -> None:
        """Recount which words are too frequent for searches in very large scopes."""
        async with self._database.begin(None) as session:
            await update_frequent_lexemes(session)

    async def _delete_doomed(self) -> int:
        """Delete all objects of deleted files."""
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
    """Run garbage collection; if the store does not respond or belongs to another installation, try again later."""
    reason = ""
    try:
        await storage_gc.once()
    except StorageError as error:
        reason = error.message
    if reason:
        log.error("the garbage collection of the file store failed", reason=reason)

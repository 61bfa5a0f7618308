"""Ownership of the object store: RxChat does not use a store that belongs to another installation."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress

import structlog

from rxchat.db.documents import files as rows
from rxchat.db.platform.database import Database
from rxchat.domain.errors import DatabaseUnavailable, StorageError, StorageUnavailable
from rxchat.domain.ports import ObjectStore

log = structlog.get_logger(__name__)

_ELSEWHERE = "This is not the file store of this installation. An administrator has to check that its disk is mounted, and S3_BUCKET. If you moved the files here, run: python -m rxchat claim-files"
_OTHERS = "The file store belongs to another installation of RxChat. An administrator has to set another folder or bucket (RXCHAT_DATA or S3_BUCKET)."
_ASKED_EVERY_SECONDS = 10.0
_PATIENCE_SECONDS = 2.0


class StorageOwnership:
    """Checks the owner of the store, and deletes objects in it."""

    def __init__(self, database: Database, store: ObjectStore) -> None:
        self._database = database
        self._store = store
        self._is_ours = False
        self._asking = asyncio.Lock()
        self._asked_at = float("-inf")
        self._problem = ""
        self._look: asyncio.Future[str | None] | None = None

    async def ensure(self) -> None:
        """Require that the store belongs to this installation; claims a store without an owner.

        Raises:
            StorageUnavailable: when it does not respond, or is not the one with the files.
            StorageError: when it belongs to another installation.
        """
        if self._is_ours:
            return
        if not await self.is_claimed():
            await self.claim()
            # Another installation may have claimed it at the same time: the later one wins.
            if not await self.is_claimed():
                raise StorageUnavailable(_ELSEWHERE)
        self._is_ours = True

    async def is_claimed(self) -> bool:
        """Whether the store belongs to this installation; False if it has no owner and is empty.

        Raises:
            StorageUnavailable: when it does not respond, or is not the one with the files.
            StorageError: when it belongs to another installation.
        """
        return await self._is_ours_by(await self._store.owner())

    async def _is_ours_by(self, owner: str | None) -> bool:
        """The same, given the owner in the store's marker."""
        async with self._database.begin(None) as session:
            here = await rows.instance_info(session)
        if owner is None and here.has_files:
            raise StorageUnavailable(_ELSEWHERE)
        if owner not in {None, here.name}:
            raise StorageError(_OTHERS)
        return owner is not None

    async def claim(self) -> None:
        """Claim the store for this installation, whatever its owner.

        Raises:
            StorageError: when the marker cannot be written.
        """
        async with self._database.begin(None) as session:
            here = await rows.instance_info(session)
        await self._store.claim(here.name)
        log.info("the file store was claimed for this installation", installation=here.name)

    async def discard(self, keys: Sequence[str]) -> None:
        """Delete objects that no file refers to; those that cannot be deleted now are left to garbage collection."""
        if keys:
            with suppress(StorageError, DatabaseUnavailable):
                if self._is_ours or await self.is_claimed():
                    await self.delete(keys)

    async def delete(self, keys: Sequence[str]) -> None:
        """Delete objects from the store and from the list of pending deletions.

        Raises:
            StorageError: when some of them may be left.
        """
        await self._store.delete(keys)
        async with self._database.begin(None) as session:
            await rows.ack_object_deletions(session, keys)

    async def problem(self) -> str:
        """Return the store's problem ("" if it has none), cached for some seconds."""
        async with self._asking:
            if time.monotonic() - self._asked_at >= _ASKED_EVERY_SECONDS:
                self._problem = await self._found_problem()
                self._asked_at = time.monotonic()
        return self._problem

    async def _found_problem(self) -> str:
        if self._look is None or self._look.done():
            self._look = asyncio.ensure_future(self._store.owner())
        # A check of a disk that hangs blocks its thread, so there is never more than one.
        await asyncio.wait({self._look}, timeout=_PATIENCE_SECONDS)
        if not self._look.done():
            return StorageUnavailable().message
        try:
            await self._is_ours_by(self._look.result())
        except StorageError as error:
            return f"{error.message} {error.detail}".strip()
        except DatabaseUnavailable:
            # The database's component reports this.
            return ""
        return ""

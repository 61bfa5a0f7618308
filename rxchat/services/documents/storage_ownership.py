"""The file store as this installation's own: nothing is kept, read or deleted in one that is not."""

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

_ELSEWHERE = (
    "This is not the file store that RxChat has kept its files in: an administrator has to look whether its disk is"
    " mounted, and at S3_BUCKET. Should the files have been brought here: python -m rxchat claim-files"
)
_OTHERS = (
    "The file store belongs to another installation of RxChat: an administrator has to give this one a folder or bucket of"
    " its own (RXCHAT_DATA or S3_BUCKET)."
)
_ASKED_EVERY_SECONDS = 10.0
_PATIENCE_SECONDS = 2.0


class StorageOwnership:
    """Knows whose the store is, and lets pieces in it go."""

    def __init__(self, database: Database, store: ObjectStore) -> None:
        """Know where the store is, and where it is written by which name it knows us."""
        self._database = database
        self._store = store
        self._is_ours = False
        self._asking = asyncio.Lock()
        self._asked_at = float("-inf")
        self._problem = ""
        self._look: asyncio.Future[str | None] | None = None

    async def ensure(self) -> None:
        """Return when the store is this installation's, which claims one that is nobody's.

        Raises:
            StorageUnavailable: when it does not answer, or is not the one that files are in.
            StorageError: when it is another installation's.
        """
        if self._is_ours:
            return
        if not await self.is_claimed():
            await self.claim()
            # Another installation may have done the same at the same time: the later one has it.
            if not await self.is_claimed():
                raise StorageUnavailable(_ELSEWHERE)
        self._is_ours = True

    async def is_claimed(self) -> bool:
        """Whether the store is this installation's; False when it is nobody's, and nothing has been kept yet.

        Raises:
            StorageUnavailable: when it does not answer, or is not the one that files are in.
            StorageError: when it is another installation's.
        """
        return await self._is_ours_by(await self._store.owner())

    async def _is_ours_by(self, owner: str | None) -> bool:
        """The same, of whom the store says that it is."""
        async with self._database.begin(None) as session:
            here = await rows.instance_info(session)
        if owner is None and here.has_files:
            raise StorageUnavailable(_ELSEWHERE)
        if owner not in {None, here.name}:
            raise StorageError(_OTHERS)
        return owner is not None

    async def claim(self) -> None:
        """Make the store this installation's, whoever's it was.

        Raises:
            StorageError: when that cannot be written into it.
        """
        async with self._database.begin(None) as session:
            here = await rows.instance_info(session)
        await self._store.claim(here.name)
        log.info("the file store is this installation's now", installation=here.name)

    async def discard(self, keys: Sequence[str]) -> None:
        """Delete pieces that nothing refers to any more; what cannot be deleted now, the sweep deletes later."""
        if keys:
            with suppress(StorageError, DatabaseUnavailable):
                if self._is_ours or await self.is_claimed():
                    await self.delete(keys)

    async def delete(self, keys: Sequence[str]) -> None:
        """Delete pieces from the store, and forget that they have to be.

        Raises:
            StorageError: when some of them may be left.
        """
        await self._store.delete(keys)
        async with self._database.begin(None) as session:
            await rows.ack_object_deletions(session, keys)

    async def problem(self) -> str:
        """Return what is the matter with the store ("" when nothing is), as of some seconds ago, and soon in any case."""
        async with self._asking:
            if time.monotonic() - self._asked_at >= _ASKED_EVERY_SECONDS:
                self._problem = await self._found_problem()
                self._asked_at = time.monotonic()
        return self._problem

    async def _found_problem(self) -> str:
        if self._look is None or self._look.done():
            self._look = asyncio.ensure_future(self._store.owner())
        # A look at a disk that hangs keeps its thread for as long as that: there is never more than this one.
        await asyncio.wait({self._look}, timeout=_PATIENCE_SECONDS)
        if not self._look.done():
            return StorageUnavailable().message
        try:
            await self._is_ours_by(self._look.result())
        except StorageError as error:
            return f"{error.message} {error.detail}".strip()
        except DatabaseUnavailable:
            # That is said of the database.
            return ""
        return ""

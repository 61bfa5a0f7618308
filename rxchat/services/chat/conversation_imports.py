"""Use cases for imports: receive a file, read it in the background, report.

The process that received the file reads it. If it ends before, the import's lease expires, and the report says so: the user
imports the file again, and what was imported already is skipped.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterable
from contextlib import ExitStack, aclosing
from datetime import timedelta
from typing import BinaryIO, cast
from uuid import UUID

import structlog

from rxchat.db.chat import imports as rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.authorization import require, require_scope
from rxchat.domain.errors import (
    Conflict,
    DocumentUnreadable,
    NotFound,
    RequestTooLarge,
    RequestTooSlow,
    RxChatError,
    StorageError,
    TooManyAttempts,
)
from rxchat.domain.ids import new_id
from rxchat.domain.imports import limits
from rxchat.domain.imports.conversation import ImportedConversation
from rxchat.domain.imports.report import FoundConversations, ImportedItem, ImportReport, ImportState, SkippedItem
from rxchat.domain.permissions import Permission, Scope
from rxchat.domain.ports import ImportReader
from rxchat.domain.text import short_line
from rxchat.services.accounts.rate_limits import RateLimits
from rxchat.services.chat.imported_conversations import ImportedConversations

log = structlog.get_logger(__name__)

_LEASE = timedelta(seconds=60)
_RENEW_SECONDS = 15.0
_AT_ONCE = 2
"""How many files a process reads at once; others wait."""
_FILES = 6
"""How many files a process receives, keeps until their turn and reads; each needs up to 200 MB of the disk."""
_CHUNK_SECONDS = 60.0
_FILE_SECONDS = 1_800.0
"""How long a whole file may take to arrive: a place that is held keeps others from importing."""
_BUSY = "An import is already running. Wait until it has finished."
_TOO_LARGE = (
    f"The file has {limits.FILE_BYTES // 1_000_000} MB or more, which is the limit. Unpack it and import only the file"
    " conversations.json, or split that."
)
_FAILED = "The import stopped because of an internal error, which was logged. Import the file again: nothing is imported twice."


class ConversationImports:
    """Imports files of conversations, one of a user at a time."""

    def __init__(
        self, database: Database, rate_limits: RateLimits, reader: ImportReader, conversations: ImportedConversations
    ) -> None:
        self._database = database
        self._rate_limits = rate_limits
        self._reader = reader
        self._conversations = conversations
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._receiving: set[UUID] = set()
        self._running: set[asyncio.Task[None]] = set()

    async def start(
        self, current_user: CurrentUser, file_name: str, body: AsyncIterable[bytes], client_info: ClientInfo
    ) -> UUID:
        """Receive a file, begin to import it in the background, and return the ID of the import.

        Raises:
            RequestTooLarge: when it has 200 MB or more.
            RequestTooSlow: when it does not arrive.
            Conflict: when another import of the user is running.
            TooManyAttempts: after too many imports.
            NotAllowed: when the user may not create conversations.
        """
        require_scope(current_user, Scope.CHAT)
        require(current_user, Permission.CONVERSATIONS_CREATE)
        owner_id = current_user.user_id
        # Its place is taken before anything is waited for.
        if owner_id in self._receiving:
            raise Conflict(_BUSY)
        if len(self._receiving) + len(self._running) >= _FILES:
            raise TooManyAttempts("Too many files are being imported. Try again in a moment.", retry_after_seconds=10)
        self._receiving.add(owner_id)
        try:
            with ExitStack() as unfinished:
                # Deleted when it is closed: no name in the file system, and nothing to clean up after a crash.
                file = cast("BinaryIO", unfinished.enter_context(tempfile.TemporaryFile()))
                if any(item.state is ImportState.RUNNING for item in await self.latest(current_user)):
                    raise Conflict(_BUSY)
                await self._rate_limits.attempt_to_import(owner_id, client_info)
                async with asyncio.timeout(_FILE_SECONDS):
                    await _receive(body, file)
                import_id = new_id()
                async with self._database.begin(owner_id) as session:
                    name = short_line(file_name, 200) or "file"
                    if not await rows.begin(session, owner_id, import_id, name, _LEASE):
                        raise Conflict(_BUSY)
                # The import closes it from here on.
                unfinished.pop_all()
        except TimeoutError as error:
            raise RequestTooSlow from error
        finally:
            self._receiving.discard(owner_id)
        task = asyncio.create_task(self._import(current_user, import_id, file), name="import of conversations")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return import_id

    async def latest(self, current_user: CurrentUser) -> list[ImportReport]:
        """Return the user's last imports, the newest first."""
        require_scope(current_user, Scope.READ)
        async with self._database.begin(current_user.user_id) as session:
            return await rows.latest(session, current_user.user_id)

    async def get(self, current_user: CurrentUser, import_id: UUID) -> ImportReport:
        """Return one of the user's imports.

        Raises:
            NotFound: when it does not exist or is another user's.
        """
        require_scope(current_user, Scope.READ)
        async with self._database.begin(current_user.user_id) as session:
            found = await rows.get(session, current_user.user_id, import_id)
        if found is None:
            raise NotFound
        return found

    async def stop(self) -> None:
        """End the imports of this process; their reports say that they were interrupted."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _import(self, current_user: CurrentUser, import_id: UUID, file: BinaryIO) -> None:
        owner_id = current_user.user_id
        renewing = asyncio.create_task(self._renew(owner_id, import_id), name="import lease")
        state, error = ImportState.INTERRUPTED, ""
        try:
            async with self._places:
                await asyncio.to_thread(file.seek, 0)
                await self._read(current_user, import_id, file)
            state = ImportState.DONE
        except DocumentUnreadable as unreadable:
            state, error = ImportState.FAILED, unreadable.message
        except RxChatError as failure:
            log.warning("import failed", import_id=str(import_id), reason=failure.message)
            state, error = ImportState.FAILED, failure.message
        except Exception:
            log.exception("import failed", import_id=str(import_id))
            state, error = ImportState.FAILED, _FAILED
        finally:
            renewing.cancel()
            file.close()
            # Shielded: a process that stops cancels this task.
            await asyncio.shield(self._end(owner_id, import_id, state, error))

    async def _read(self, current_user: CurrentUser, import_id: UUID, file: BinaryIO) -> None:
        async with aclosing(self._reader.read(file)) as items:
            async for item in items:
                match item:
                    case FoundConversations(count=count):
                        await self._advance(current_user.user_id, import_id, found=count)
                    case SkippedItem():
                        await self._advance(current_user.user_id, import_id, skipped=item)
                    case ImportedConversation():
                        await self._store(current_user, import_id, item)

    async def _store(self, current_user: CurrentUser, import_id: UUID, item: ImportedConversation) -> None:
        """Store a conversation and its line of the report in one transaction; a failure is about this conversation alone."""
        owner_id = current_user.user_id
        try:
            async with self._database.begin(owner_id) as session:
                result = await self._conversations.store(session, owner_id, item)
                imported = [result] if isinstance(result, ImportedItem) else []
                skipped = [result] if isinstance(result, SkippedItem) else []
                if not await rows.advance(session, owner_id, import_id, _LEASE, imported=imported, skipped=skipped):
                    raise Conflict(_FAILED)
        except Conflict as conflict:
            if conflict.message == _FAILED:
                raise
            await self._advance(owner_id, import_id, skipped=SkippedItem(item.title, "It was imported meanwhile."))

    async def _advance(
        self, owner_id: UUID, import_id: UUID, *, found: int = 0, skipped: SkippedItem | None = None
    ) -> None:
        async with self._database.begin(owner_id) as session:
            lines = [skipped] if skipped else []
            await rows.advance(session, owner_id, import_id, _LEASE, found=found, skipped=lines)

    async def _renew(self, owner_id: UUID, import_id: UUID) -> None:
        """Renew the lease: a large file is read for a while before anything of it can be stored."""
        while True:
            await asyncio.sleep(_RENEW_SECONDS)
            try:
                await self._advance(owner_id, import_id)
            except RxChatError as failure:
                log.warning("lease of an import not renewed", import_id=str(import_id), reason=failure.message)

    async def _end(self, owner_id: UUID, import_id: UUID, state: ImportState, error: str) -> None:
        try:
            async with self._database.begin(owner_id) as session:
                await rows.end(session, owner_id, import_id, state, error)
        except RxChatError as failure:
            # Its lease ends, which has the same result.
            log.warning("end of an import not stored", import_id=str(import_id), reason=failure.message)


async def _receive(body: AsyncIterable[bytes], file: BinaryIO) -> None:
    """Write a body to a file.

    Raises:
        RequestTooLarge: as soon as it exceeds the limit.
        RequestTooSlow: when nothing arrives for a minute.
        StorageError: when the disk is full.
    """
    size = 0
    pieces = aiter(body)
    try:
        while True:
            async with asyncio.timeout(_CHUNK_SECONDS):
                piece = await anext(pieces, None)
            if piece is None:
                return
            size += len(piece)
            if size >= limits.FILE_BYTES:
                raise RequestTooLarge(_TOO_LARGE)
            await asyncio.to_thread(file.write, piece)
    except TimeoutError as error:
        raise RequestTooSlow from error
    except OSError as error:
        raise StorageError(
            "The server has no room for this file now. Try again later, or import a smaller one."
        ) from error

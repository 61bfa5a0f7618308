"""Files: received in pieces, sealed, kept in the object store, and read again by whoever may.

An upload is a document that is not stored yet. Its pieces are objects of their own, so that it can go on after the line
broke, in any process, and no process holds more than a piece of it in memory.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from uuid import UUID

import structlog

from rxchat.db import documents as rows
from rxchat.db import files as file_rows
from rxchat.db import jobs
from rxchat.db.database import Database
from rxchat.domain.accounts import Viewer
from rxchat.domain.documents import DocumentState
from rxchat.domain.errors import (
    Conflict,
    DocumentUnreadable,
    InvalidInput,
    NotFound,
    ObjectMissing,
    StoreError,
    TooManyAttempts,
)
from rxchat.domain.files import PART_BYTES, Document, FileLimits, Part, SealedFile, Upload, clean_file_name, spoken_size
from rxchat.domain.ids import new_id
from rxchat.domain.permissions import Scope, require_scope
from rxchat.domain.ports import ObjectStore
from rxchat.parsers.formats import format_of
from rxchat.services.envelopes import Broken, MasterKeys, Wrapped, new_file_key, open_part, seal_part
from rxchat.services.vault import Vault
from rxchat.tables import DocumentRow, StoredFile

log = structlog.get_logger(__name__)

_HEAD_BYTES = 4096
_UPLOADS_AT_ONCE = 32
"""How many uploads a process listens to, each with a piece in its memory; others wait for their turn."""
_OF_ONE_PERSON = 8
_MOST_BREAKS = 500
"""So often the line may break in the middle of one file."""
_SILENT_SECONDS = 30.0
"""How long a line may say nothing before its upload counts as broken off, and somebody else has the turn."""
_ALTERED = "This file was altered where it is kept, and cannot be read any more: please upload it again."
_TOO_MANY = "You keep {count:,} files, and {most:,} is the most. Delete some that you do not need any more."
_NO_ROOM = "You keep {size}, and {most} is the most. Delete files that you do not need any more."


@dataclass(frozen=True, slots=True)
class Content:
    """A stored file as it is sent to somebody."""

    name: str
    media_type: str
    size_bytes: int
    pieces: AsyncGenerator[bytes]


class Files:
    """The use cases around files."""

    def __init__(
        self, database: Database, store: ObjectStore, keys: MasterKeys, vault: Vault, limits: FileLimits | None = None
    ) -> None:
        """Know where files are kept, and by which keys they are sealed."""
        self._database = database
        self._store = store
        self._keys = keys
        self._digest_key = vault.key("file digests")
        self.limits = limits or FileLimits()
        self._turns = asyncio.Semaphore(_UPLOADS_AT_ONCE)
        self._listening: Counter[UUID] = Counter()

    async def begin(
        self,
        viewer: Viewer,
        *,
        name: str,
        size_bytes: int,
        collection_id: UUID | None = None,
        draft_key: UUID | None = None,
    ) -> Upload:
        """Begin an upload into a collection of the person's own, or to what is attached to a message (its draft's key).

        Raises:
            InvalidInput: when the name, the size or the kind cannot be used, or there is no room left.
            NotFound: when there is no such collection of theirs.
        """
        require_scope(viewer, Scope.FILES)
        name = clean_file_name(name)
        if not 0 < size_bytes <= self.limits.file_bytes:
            most = spoken_size(self.limits.file_bytes)
            raise InvalidInput(
                f"“{name}” is empty."
                if size_bytes <= 0
                else f"“{name}” is larger than {most}, the most that can be uploaded."
            )
        async with self._database.begin(viewer.user_id) as session:
            count, kept = await file_rows.kept(session, viewer.user_id)
            if count >= self.limits.person_files:
                raise InvalidInput(_TOO_MANY.format(count=count, most=self.limits.person_files))
            if kept + size_bytes > self.limits.person_bytes:
                raise InvalidInput(_NO_ROOM.format(size=spoken_size(kept), most=spoken_size(self.limits.person_bytes)))
            if draft_key is not None:
                collection_id = await rows.attachments(session, viewer.user_id, new_id(), draft_key)
            elif collection_id is None or await rows.owned_collection(session, viewer.user_id, collection_id) is None:
                raise NotFound("This collection is not there (any more), or it is somebody else's.")
            file_id, document_id = new_id(), new_id()
            wrapped = self._keys.wrap(new_file_key(), str(viewer.user_id), str(file_id))
            stored = StoredFile(
                owner_id=viewer.user_id,
                id=file_id,
                size_bytes=size_bytes,
                key_id=wrapped.key_id,
                wrapped_key=wrapped.sealed,
            )
            await file_rows.add(session, stored)
            document = DocumentRow(
                owner_id=viewer.user_id, id=document_id, collection_id=collection_id, file_id=file_id, name=name,
                media_type="", size_bytes=size_bytes, state=DocumentState.UPLOADING.value,
            )  # fmt: skip
            await rows.add_document(session, document)
        return Upload(document_id, collection_id, file_id, name, size_bytes, 0)

    async def upload(self, viewer: Viewer, document_id: UUID) -> Upload:
        """Return how far an upload has come.

        Raises:
            NotFound: when it is unknown, was given up, or is someone else's.
        """
        require_scope(viewer, Scope.FILES)
        found = await self._found(viewer.user_id, document_id)
        if found.received_bytes == found.size_bytes and not found.is_stored:
            # Its last byte has arrived, and whoever took it could not finish: nobody is told that it is over before it is.
            return await self.finish(viewer.user_id, document_id)
        return found

    async def _found(self, owner_id: UUID, document_id: UUID) -> Upload:
        async with self._database.begin(owner_id) as session:
            found = await file_rows.upload(session, owner_id, document_id)
        if found is None:
            raise NotFound("This upload is not there any more: please choose the file again.")
        return found

    async def receive(self, viewer: Viewer, document_id: UUID, start: int, body: AsyncIterable[bytes]) -> Upload:
        """Keep what comes next of a file, from `start` on; with its last byte it is stored, and on its way to being found.

        What has been received when the body breaks off is kept, too.

        Raises:
            NotFound: when the upload is unknown, was given up, or is someone else's.
            Conflict: when it has come to another place than `start`.
            InvalidInput: when more comes than was announced, or it is not what its name says.
            StoreError: when it cannot be kept just now; the same can be sent again.
        """
        require_scope(viewer, Scope.FILES)
        upload = await self._found(viewer.user_id, document_id)
        if start != upload.received_bytes:
            raise Conflict(f"This upload has come to byte {upload.received_bytes}.")
        async with self._database.begin(viewer.user_id) as session:
            sealed = await file_rows.sealed(session, upload.file_id, viewer.user_id)
        if sealed is None:
            raise NotFound
        key = self._file_key(sealed)
        if len(sealed.parts) > upload.size_bytes // PART_BYTES + _MOST_BREAKS:
            raise InvalidInput("This upload comes in too many small pieces: please choose the file again.")
        async with self._turn_of(viewer.user_id):
            async for piece in _pieces(body):
                if start + len(piece) > upload.size_bytes:
                    raise InvalidInput("More was sent than was announced: please choose the file again.")
                await self._keep(viewer, upload, key, start, piece)
                start += len(piece)
        if start == upload.size_bytes and not upload.is_stored:
            return await self.finish(viewer.user_id, document_id)
        return await self._found(viewer.user_id, document_id)

    @asynccontextmanager
    async def _turn_of(self, user_id: UUID) -> AsyncGenerator[None]:
        """Listen to an upload; nobody takes all the turns there are."""
        if self._listening[user_id] >= _OF_ONE_PERSON:
            raise TooManyAttempts(
                "You are uploading many files at once: these go on in a moment.", retry_after_seconds=2
            )
        self._listening[user_id] += 1
        try:
            async with self._turns:
                yield
        finally:
            self._listening[user_id] -= 1
            if not self._listening[user_id]:
                del self._listening[user_id]

    async def _keep(self, viewer: Viewer, upload: Upload, key: bytes, start: int, piece: bytes) -> None:
        object_key = _object_key()
        sealed = await asyncio.to_thread(seal_part, key, str(upload.file_id), start, len(piece), piece)
        await self._store.put(object_key, sealed)
        async with self._database.begin(viewer.user_id) as session:
            is_next = await file_rows.add_part(
                session, viewer.user_id, upload.file_id, Part(start, len(piece), object_key)
            )
        if not is_next:
            await self._discard([object_key])
            raise Conflict("The same was sent twice at once; please ask where the upload has come to.")

    async def finish(self, owner_id: UUID, document_id: UUID) -> Upload:
        """Look at the whole file once more, as it is stored, and take it in; twice is the same as once.

        Raises:
            DocumentUnreadable: when it is not what its name says; nothing of it is kept then.
            NotFound: when it was given up or deleted meanwhile.
            StoreError: when it cannot be read just now.
        """
        upload = await self._found(owner_id, document_id)
        async with self._database.begin(owner_id) as session:
            sealed = await file_rows.sealed(session, upload.file_id, owner_id)
        if sealed is None or upload.is_stored:
            return upload
        digest, head = hmac.new(self._digest_key, owner_id.bytes, hashlib.sha256), b""
        async for piece in self._read(sealed, 0, sealed.size_bytes):
            head = (head + piece)[:_HEAD_BYTES] if len(head) < _HEAD_BYTES else head
            await asyncio.to_thread(digest.update, piece)
        try:
            kind = format_of(upload.name, head)
        except DocumentUnreadable:
            # Nothing is kept of what cannot be used; the reason goes to its person.
            await self._remove(owner_id, [document_id])
            raise
        return await self._take_in(owner_id, upload, digest.digest(), kind.media_type)

    async def _take_in(self, owner_id: UUID, upload: Upload, digest: bytes, media_type: str) -> Upload:
        """Make a stored document of an upload, unless somebody else has; the same file is kept once."""
        document_id = upload.document_id
        async with self._database.begin(owner_id) as session:
            await file_rows.take_turns(session, owner_id)
            document = await rows.owned_document(session, owner_id, document_id, lock=True)
            if document is None:
                raise NotFound("This document was deleted while it was being uploaded.")
            if document.state is not DocumentState.UPLOADING or document.file_id != upload.file_id:
                return replace(upload, file_id=document.file_id, received_bytes=upload.size_bytes, is_stored=True)
            file_id = await file_rows.finish(session, owner_id, upload.file_id, digest)
            same = await rows.same_file(session, owner_id, upload.collection_id, file_id, but=document_id)
            if same is None:
                await rows.change_document(
                    session, owner_id, document_id,
                    file_id=file_id, media_type=media_type, state=DocumentState.STORED.value, progress=0.0,
                )  # fmt: skip
                await jobs.queue_ingestion(session, owner_id, document_id)
            else:
                await rows.remove_documents(session, owner_id, [document_id])
            unused = await file_rows.remove_unused(session, owner_id, [upload.file_id])
        await self._discard(unused)
        return Upload(
            same.id if same else document_id, upload.collection_id, file_id, same.name if same else upload.name,
            upload.size_bytes, upload.size_bytes, is_stored=True,
        )  # fmt: skip

    async def content(self, viewer: Viewer, document_id: UUID, start: int = 0, end: int | None = None) -> Content:
        """Return a document's file, from one byte to before another, for whoever may read the document.

        Raises:
            NotFound: when it is unknown, not stored yet, or may not be read.
        """
        require_scope(viewer, Scope.FILES)
        async with self._database.begin(viewer.user_id) as session:
            document = await rows.document(session, document_id)
            if document is None or document.state is DocumentState.UPLOADING:
                raise NotFound
            sealed = await file_rows.sealed(session, document.file_id, document.owner_id)
        if sealed is None:
            raise NotFound
        end = document.size_bytes if end is None else min(end, document.size_bytes)
        return Content(document.name, document.media_type, document.size_bytes, self._read(sealed, start, end))

    async def whole(self, owner_id: UUID, document: Document) -> AsyncGenerator[bytes]:
        """Return the pieces of a document's file, for the job that reads it.

        Raises:
            NotFound: when it is gone.
        """
        async with self._database.begin(owner_id) as session:
            sealed = await file_rows.sealed(session, document.file_id, owner_id)
        if sealed is None:
            raise NotFound
        return self._read(sealed, 0, sealed.size_bytes)

    async def _read(self, sealed: SealedFile, start: int, end: int) -> AsyncGenerator[bytes]:
        key = self._file_key(sealed)
        for part in sealed.parts:
            if part.start + part.size_bytes <= start or part.start >= end:
                continue
            data = await self._store.get(part.object_key)
            try:
                plain = await asyncio.to_thread(open_part, key, str(sealed.id), part.start, part.size_bytes, data)
            except Broken as error:
                raise ObjectMissing(_ALTERED) from error
            yield plain[max(0, start - part.start) : end - part.start]

    def _file_key(self, sealed: SealedFile) -> bytes:
        try:
            return self._keys.unwrap(Wrapped(sealed.key_id, sealed.wrapped_key), str(sealed.owner_id), str(sealed.id))
        except Broken as error:
            raise StoreError(
                "This file is sealed with a key that RxChat does not have (RXCHAT_FILES_KEY_PREVIOUS)."
            ) from error

    async def remove(self, viewer: Viewer, document_ids: list[UUID]) -> None:
        """Delete documents of the person's own: chunks, vectors, texts and, unless another one needs it, the file.

        Raises:
            NotFound: when one of them is unknown or someone else's.
        """
        require_scope(viewer, Scope.FILES)
        await self._remove(viewer.user_id, document_ids)

    async def _remove(self, owner_id: UUID, document_ids: list[UUID]) -> None:
        async with self._database.begin(owner_id) as session:
            await file_rows.take_turns(session, owner_id)
            for document_id in document_ids:
                if await rows.owned_document(session, owner_id, document_id) is None:
                    raise NotFound
            files = await rows.remove_documents(session, owner_id, document_ids)
            unused = await file_rows.remove_unused(session, owner_id, files)
        await self._discard(unused)

    async def remove_collection(self, viewer: Viewer, collection_id: UUID) -> None:
        """Delete a collection of the person's own with everything in it.

        Raises:
            NotFound: when it is unknown or someone else's.
        """
        require_scope(viewer, Scope.FILES)
        async with self._database.begin(viewer.user_id) as session:
            await file_rows.take_turns(session, viewer.user_id)
            if await rows.owned_collection(session, viewer.user_id, collection_id) is None:
                raise NotFound
            held = [item.id for item in await rows.documents(session, collection_id)]
            files = await rows.remove_documents(session, viewer.user_id, held)
            await rows.remove_collection(session, viewer.user_id, collection_id)
            unused = await file_rows.remove_unused(session, viewer.user_id, files)
        await self._discard(unused)

    async def _discard(self, keys: list[str]) -> None:
        """Delete pieces that nothing refers to any more; what cannot be reached now, the sweep deletes later."""
        if keys:
            with suppress(StoreError):
                await self._store.delete(keys)


def _object_key() -> str:
    name = new_id().hex[::-1]
    return f"{name[:2]}/{name}"


async def _pieces(body: AsyncIterable[bytes]) -> AsyncGenerator[bytes]:
    """Yield a body in pieces of the size that they are kept in; what came before it broke off is the last one."""
    held = bytearray()
    arriving = aiter(body)
    while True:
        try:
            async with asyncio.timeout(_SILENT_SECONDS):
                held += await anext(arriving)
        except StopAsyncIteration:
            break
        except (ConnectionError, TimeoutError):
            log.info("an upload broke off", kept_bytes=len(held))
            break
        while len(held) >= PART_BYTES:
            yield bytes(held[:PART_BYTES])
            del held[:PART_BYTES]
    if held:
        yield bytes(held)

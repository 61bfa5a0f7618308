"""Files: upload in parts, encryption, storage and download.

An upload is a document that is not stored yet. Its parts are separate objects, so that it can be resumed in any
process, and no process holds more than one part in memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable
from uuid import UUID

from rxchat.db.documents import documents as rows
from rxchat.db.documents import files as file_rows
from rxchat.db.documents import trash as trash_rows
from rxchat.db.documents import versions as version_rows
from rxchat.db.documents.trash import DeletedCopy
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.authorization import require_scope
from rxchat.domain.documents import DocumentState
from rxchat.domain.errors import (
    AlreadyExists,
    Conflict,
    DocumentUnreadable,
    InvalidInput,
    NotFound,
    ObjectMissing,
    StorageError,
)
from rxchat.domain.files import (
    PART_BYTES,
    Document,
    EncryptedFile,
    FileLimits,
    Part,
    Upload,
    clean_file_name,
    format_size,
)
from rxchat.domain.ids import new_id
from rxchat.domain.permissions import Scope
from rxchat.domain.ports import ObjectStore
from rxchat.domain.versions import IfExists
from rxchat.parsers.formats import BY_SUFFIX, format_of
from rxchat.services.documents import quotas
from rxchat.services.documents.downloads import Content, Downloads, begun
from rxchat.services.documents.file_encryption import (
    DecryptionFailed,
    KeyRing,
    WrappedKey,
    new_file_key,
    open_part,
    seal_part,
)
from rxchat.services.documents.storage_ownership import StorageOwnership
from rxchat.services.documents.upload_finalizer import HEAD_BYTES, StoredContent, UploadFinalizer
from rxchat.services.documents.upload_limits import UploadLimiter, pieces
from rxchat.services.platform.encryption import SecretBox
from rxchat.tables import DocumentRow, StoredFile

_MOST_BREAKS = 500
"""How often an upload may be interrupted within a part."""
_ALTERED = "The stored file was altered and cannot be decrypted. Upload it again."
_UNKNOWN_KEY = "This file is encrypted with a key that RxChat does not have. An administrator has to add it to RXCHAT_FILES_KEY_PREVIOUS."
_KNOWN_ENDINGS = tuple(BY_SUFFIX)


class Files:
    """Use cases for files."""

    def __init__(
        self,
        database: Database,
        store: ObjectStore,
        keys: KeyRing,
        secret_box: SecretBox,
        limits: FileLimits | None = None,
    ) -> None:
        self._database = database
        self._store = store
        self._keys = keys
        self._storage_ownership = StorageOwnership(database, store)
        self._upload_finalizer = UploadFinalizer(
            database, self._storage_ownership, secret_box.key("file digests"), self._all_of
        )
        self.limits = limits or FileLimits()
        self._upload_limiter = UploadLimiter()
        self.downloads = Downloads()

    async def begin(
        self,
        current_user: CurrentUser,
        *,
        name: str,
        size_bytes: int,
        collection_id: UUID | None = None,
        draft_key: UUID | None = None,
        if_exists: IfExists = IfExists.KEEP,
    ) -> Upload:
        """Start an upload into one of the user's collections, or as an attachment of a message (by its draft's key).

        Raises:
            AlreadyExists: when the collection has a document of this name, and the upload is to be refused then.
            InvalidInput: when the name or the size cannot be used, or there is no room left.
            DocumentUnreadable: when files with such a name cannot be read.
            NotFound: when there is no such collection of theirs.
            StorageError: when the file store is away, or not this installation's.
        """
        require_scope(current_user, Scope.FILES)
        name = clean_file_name(name)
        if not 0 < size_bytes <= self.limits.file_bytes:
            most = format_size(self.limits.file_bytes)
            raise InvalidInput(
                f"“{name}” is empty." if size_bytes <= 0 else f"“{name}” is too large: at most {most} can be uploaded."
            )
        if not name.lower().rstrip(" .").endswith(_KNOWN_ENDINGS):
            # Refuse unsupported files before they are sent.
            format_of(name, b"")
        await self._storage_ownership.ensure()
        async with self._database.begin(current_user.user_id) as session:
            await quotas.check_file(session, current_user.user_id, size_bytes, self.limits)
            if draft_key is not None:
                if await rows.find_attachments(session, current_user.user_id, draft_key) is None:
                    await quotas.check_attachments(session, current_user.user_id)
                collection_id = await rows.get_or_create_attachments(session, current_user.user_id, new_id(), draft_key)
            elif (
                collection_id is None
                or await rows.owned_collection(session, current_user.user_id, collection_id) is None
            ):
                raise NotFound("This collection does not exist, or it is not yours.")
            elif if_exists is IfExists.REFUSE and await version_rows.find_by_name(
                session, current_user.user_id, collection_id, name
            ):
                # Checked before the upload, and again when it is complete.
                raise AlreadyExists(f"A document “{name}” already exists in this collection.")
            document_id, stored = new_id(), self._new_file(current_user.user_id, size_bytes)
            await file_rows.add(session, stored)
            document = DocumentRow(
                owner_id=current_user.user_id, id=document_id, collection_id=collection_id, file_id=stored.id, name=name,
                media_type="", size_bytes=size_bytes, state=DocumentState.UPLOADING,
                # Attachments of messages never replace each other.
                if_exists=IfExists.KEEP if draft_key is not None else if_exists,
            )  # fmt: skip
            await rows.add_document(session, document)
        return Upload(document_id, collection_id, stored.id, name, size_bytes, 0)

    def _new_file(self, owner_id: UUID, size_bytes: int) -> StoredFile:
        file_id = new_id()
        wrapped = self._keys.wrap(new_file_key(), str(owner_id), str(file_id))
        return StoredFile(
            owner_id=owner_id, id=file_id, size_bytes=size_bytes, key_id=wrapped.key_id, wrapped_key=wrapped.sealed
        )

    async def upload(self, current_user: CurrentUser, document_id: UUID) -> Upload:
        """Return the progress of an upload.

        Raises:
            NotFound: when it does not exist, was canceled, or is another user's.
        """
        require_scope(current_user, Scope.FILES)
        found = await self._upload_finalizer.found(current_user.user_id, document_id)
        if found.received_bytes == found.size_bytes and not found.is_stored:
            # All bytes have arrived, but the process could not finalize it: do not report it as complete.
            return await self._finish(current_user.user_id, document_id)
        return found

    async def receive(
        self, current_user: CurrentUser, document_id: UUID, start: int, body: AsyncIterable[bytes]
    ) -> Upload:
        """Receive the next bytes of an upload from `start`; the last byte stores the file and queues its ingestion.

        What has been received when the body breaks off is kept, too.

        Raises:
            NotFound: when the upload is unknown, was given up, or is another user's.
            Conflict: when it has come to another place than `start`.
            InvalidInput: when more comes than was announced.
            DocumentUnreadable: when it is not what its name says; nothing of it is kept then.
            StorageError: when it cannot be kept just now; the same can be sent again.
        """
        require_scope(current_user, Scope.FILES)
        upload = await self._upload_finalizer.found(current_user.user_id, document_id)
        if start != upload.received_bytes:
            raise Conflict(f"Wrong offset: the upload has {upload.received_bytes} bytes.")
        async with self._database.begin(current_user.user_id) as session:
            sealed = await file_rows.encrypted_file(session, upload.file_id, current_user.user_id)
        if sealed is None:
            raise NotFound
        key = self._file_key(sealed)
        if len(sealed.parts) > upload.size_bytes // PART_BYTES + _MOST_BREAKS:
            raise InvalidInput("This upload was sent in too many small parts. Choose the file again.")
        await self._storage_ownership.ensure()
        async with self._upload_limiter.of(current_user.user_id) as gives_way:
            async for piece in pieces(body, gives_way):
                if start + len(piece) > upload.size_bytes:
                    raise InvalidInput("The upload is larger than announced. Choose the file again.")
                if start == 0:
                    await self._check_head(current_user, upload, piece)
                await self._keep(current_user, upload, key, start, piece)
                start += len(piece)
        if start == upload.size_bytes and not upload.is_stored:
            return await self._finish(current_user.user_id, document_id)
        return await self._upload_finalizer.found(current_user.user_id, document_id)

    async def _check_head(self, current_user: CurrentUser, upload: Upload, piece: bytes) -> None:
        """Refuse a file by its first bytes; a shorter one is checked when it is complete."""
        if len(piece) < min(HEAD_BYTES, upload.size_bytes):
            return
        try:
            format_of(upload.name, piece[:HEAD_BYTES])
        except DocumentUnreadable:
            await self._remove(current_user.user_id, [upload.document_id])
            raise

    async def _keep(self, current_user: CurrentUser, upload: Upload, key: bytes, start: int, piece: bytes) -> None:
        object_key = _object_key()
        sealed = await asyncio.to_thread(seal_part, key, str(upload.file_id), start, len(piece), piece)
        await self._store.put(object_key, sealed)
        async with self._database.begin(current_user.user_id) as session:
            is_next = await file_rows.add_part(
                session, current_user.user_id, upload.file_id, Part(start, len(piece), object_key)
            )
        if not is_next:
            await self._storage_ownership.discard([object_key])
            raise Conflict(
                "Two requests sent the same part. Request the offset of the upload, and continue from there."
            )

    async def store(self, owner_id: UUID, data: bytes) -> StoredContent:
        """Encrypt and store a file from within another one; the caller inserts its rows or discards its objects.

        Raises:
            StorageError: when the store fails.
        """
        await self._storage_ownership.ensure()
        row, parts = self._new_file(owner_id, len(data)), list[Part]()
        key = self._keys.unwrap(WrappedKey(row.key_id, row.wrapped_key), str(owner_id), str(row.id))
        for start in range(0, len(data), PART_BYTES):
            piece = data[start : start + PART_BYTES]
            parts.append(Part(start, len(piece), _object_key()))
            sealed = await asyncio.to_thread(seal_part, key, str(row.id), start, len(piece), piece)
            await self._store.put(parts[-1].object_key, sealed)
        return StoredContent(
            row, tuple(parts), await asyncio.to_thread(self._upload_finalizer.digest_of, owner_id, data)
        )

    async def discard(self, object_keys: list[str]) -> None:
        """Delete objects that no file refers to."""
        await self._storage_ownership.discard(object_keys)

    async def finish(self, owner_id: UUID, document_id: UUID) -> None:
        """Finalize a complete upload whose user may be gone, unless another process does.

        An invalid file becomes a failed document with the reason.

        Raises:
            NotFound: when it was canceled or deleted.
            StorageError: when it cannot be read.
        """
        await self._upload_finalizer.finalize_in_background(owner_id, document_id)

    async def _finish(self, owner_id: UUID, document_id: UUID) -> Upload:
        try:
            return await self._upload_finalizer.finalize(owner_id, document_id)
        except (AlreadyExists, DocumentUnreadable):
            # Delete the invalid upload; its user gets the reason.
            await self._remove(owner_id, [document_id])
            raise

    async def content(
        self, current_user: CurrentUser, document_id: UUID, start: int = 0, end: int | None = None
    ) -> Content:
        """Return a range of a document's file, for a user who may read it; a negative start counts from the end.

        Raises:
            NotFound: when it does not exist, is not stored yet, or the user may not read it.
            StorageError: when it cannot be read.
        """
        require_scope(current_user, Scope.FILES)
        document, sealed = await self._readable(current_user.user_id, document_id)
        size = document.size_bytes
        start, end = max(0, size + start) if start < 0 else start, size if end is None else min(end, size)
        read = await begun(self._read(sealed, start, end))
        return Content(document.name, document.media_type, size, start, end, read)

    async def readable(self, user_id: UUID, document_id: UUID) -> tuple[Document, AsyncGenerator[bytes]]:
        """Return a document that a user may read, and its file; see `content`."""
        document, sealed = await self._readable(user_id, document_id)
        return document, self._all_of(sealed)

    async def _readable(self, user_id: UUID, document_id: UUID) -> tuple[Document, EncryptedFile]:
        async with self._database.begin(user_id) as session:
            document = await rows.document(session, document_id)
            if document is None or document.state is DocumentState.UPLOADING:
                raise NotFound
            if (sealed := await file_rows.encrypted_file(session, document.file_id, document.owner_id)) is None:
                raise NotFound
        return document, sealed

    async def whole(
        self, owner_id: UUID, document: Document | DeletedCopy, *, with_trash: bool = False
    ) -> AsyncGenerator[bytes]:
        """Return the content of a document's file, for ingestion or for its owner's export.

        Raises:
            NotFound: when it does not exist, or is in the trash (unless `with_trash`).
        """
        async with self._database.begin(owner_id) as session:
            is_there = with_trash or await rows.owned_document(session, owner_id, document.id) is not None
            sealed = await file_rows.encrypted_file(session, document.file_id, owner_id) if is_there else None
        if sealed is None:
            raise NotFound
        return self._all_of(sealed)

    def _all_of(self, sealed: EncryptedFile) -> AsyncGenerator[bytes]:
        return self._read(sealed, 0, sealed.size_bytes)

    async def _read(self, sealed: EncryptedFile, start: int, end: int) -> AsyncGenerator[bytes]:
        key = self._file_key(sealed)
        # A missing object is lost only if the store is this installation's.
        await self._storage_ownership.ensure()
        for part in sealed.parts:
            if part.start + part.size_bytes <= start or part.start >= end:
                continue
            data = await self._store.get(part.object_key)
            try:
                plain = await asyncio.to_thread(open_part, key, str(sealed.id), part.start, part.size_bytes, data)
            except DecryptionFailed as error:
                raise ObjectMissing(_ALTERED) from error
            yield plain[max(0, start - part.start) : end - part.start]

    def _file_key(self, sealed: EncryptedFile) -> bytes:
        wrapped = WrappedKey(sealed.key_id, sealed.wrapped_key)
        try:
            return self._keys.unwrap(wrapped, str(sealed.owner_id), str(sealed.id))
        except DecryptionFailed as error:
            raise StorageError(_UNKNOWN_KEY) from error

    async def remove(self, current_user: CurrentUser, document_ids: list[UUID]) -> list[UUID]:
        """Delete some of the user's documents. Returns those that can be restored (`Trash`): those of collections.

        With a current version all others go, too; a mail goes with the files that are attached to it. A single version
        that is not the current one, and what is attached to a message, are deleted permanently.

        Raises:
            NotFound: when one of them is unknown or another user's.
        """
        require_scope(current_user, Scope.FILES)
        owner_id, most = current_user.user_id, self.limits
        async with self._database.begin(owner_id) as session:
            await file_rows.lock_user_files(session, owner_id)
            if await rows.count_owned(session, owner_id, document_ids) != len(set(document_ids)):
                raise NotFound
            restorable = await trash_rows.restorable(session, owner_id, document_ids)
            kept = set(await version_rows.with_dependents(session, owner_id, restorable))
            given_up = await trash_rows.trash(
                session, list(kept), most_bytes=most.user_bytes, most_documents=most.user_files
            )
            unused = await self.removed(session, owner_id, [item for item in document_ids if item not in kept])
            unused += await file_rows.remove_unused(session, owner_id, given_up)
        await self._storage_ownership.discard(unused)
        return restorable

    async def _remove(self, owner_id: UUID, document_ids: list[UUID]) -> None:
        async with self._database.begin(owner_id) as session:
            await file_rows.lock_user_files(session, owner_id)
            if await rows.count_owned(session, owner_id, document_ids) != len(set(document_ids)):
                raise NotFound
            unused = await self.removed(session, owner_id, document_ids)
        await self._storage_ownership.discard(unused)

    async def removed(self, session: rows.AsyncSession, owner_id: UUID, document_ids: list[UUID]) -> list[str]:
        """Delete documents permanently, and return the objects to delete."""
        whole = await version_rows.with_dependents(session, owner_id, document_ids)
        files = await rows.remove_documents(session, owner_id, whole)
        return await file_rows.remove_unused(session, owner_id, files)

    async def remove_collection(self, current_user: CurrentUser, collection_id: UUID) -> None:
        """Delete one of the user's collections with all its documents.

        Raises:
            NotFound: when it does not exist or is another user's.
        """
        require_scope(current_user, Scope.FILES)
        async with self._database.begin(current_user.user_id) as session:
            await file_rows.lock_user_files(session, current_user.user_id)
            if await rows.owned_collection(session, current_user.user_id, collection_id) is None:
                raise NotFound
            held = await rows.ids_in(session, current_user.user_id, collection_id)
            files = await trash_rows.trashed_files(session, collection_id)
            files += await rows.remove_documents(session, current_user.user_id, held)
            await rows.remove_collection(session, current_user.user_id, collection_id)
            unused = await file_rows.remove_unused(session, current_user.user_id, files)
        await self._storage_ownership.discard(unused)


def _object_key() -> str:
    name = new_id().hex[::-1]
    return f"{name[:2]}/{name}"

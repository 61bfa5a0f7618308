"""Finalizes complete uploads: verifies the stored file and creates the document; in one process at a time."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import structlog

from rxchat.db.documents import documents as rows
from rxchat.db.documents import files as file_rows
from rxchat.db.documents import versions as version_rows
from rxchat.db.platform import jobs
from rxchat.db.platform.database import Database
from rxchat.domain.documents import DocumentState
from rxchat.domain.errors import (
    AlreadyExists,
    DatabaseUnavailable,
    DocumentUnreadable,
    NotFound,
    ObjectMissing,
    StorageError,
    StorageUnavailable,
)
from rxchat.domain.files import Document, EncryptedFile, Part, Upload
from rxchat.domain.text import sanitize
from rxchat.domain.versions import IfExists, VersionState
from rxchat.parsers.formats import format_of
from rxchat.services.documents.storage_ownership import StorageOwnership
from rxchat.tables import StoredFile

log = structlog.get_logger(__name__)

HEAD_BYTES = 4096
"""How many bytes are enough to detect the format."""
_RENEWED_EVERY_SECONDS = 2.0
"""Leases last four times as long, which limits the wait after a process was killed."""
_LOOK_AGAIN_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class StoredContent:
    """A verified file without rows yet."""

    row: StoredFile
    parts: tuple[Part, ...]
    digest: bytes


class UploadFinalizer:
    """Creates documents from complete uploads."""

    def __init__(
        self,
        database: Database,
        storage_ownership: StorageOwnership,
        digest_key: bytes,
        read: Callable[[EncryptedFile], AsyncGenerator[bytes]],
    ) -> None:
        self._database = database
        self._storage_ownership = storage_ownership
        self._digest_key = digest_key
        self._read = read

    def digest_of(self, owner_id: UUID, data: bytes) -> bytes:
        """Return the digest by which equal files of one owner are stored once."""
        return hmac.new(self._digest_key, owner_id.bytes + data, hashlib.sha256).digest()

    async def found(self, owner_id: UUID, document_id: UUID) -> Upload:
        """Return the progress of an upload.

        Raises:
            NotFound: when it does not exist, was canceled, or is another user's.
        """
        async with self._database.begin(owner_id) as session:
            found = await file_rows.upload(session, owner_id, document_id)
        if found is None:
            raise NotFound("This upload no longer exists. Choose the file again.")
        return found

    async def finalize(self, owner_id: UUID, document_id: UUID) -> Upload:
        """Finalize an upload while its user waits; if another process does, wait for it.

        Raises:
            DocumentUnreadable: when it is not what its name says.
            AlreadyExists: when its name is taken, and it is to be refused then.
            NotFound: when it was given up or deleted meanwhile.
            StorageError: when it cannot be read just now.
        """
        while not (upload := await self.found(owner_id, document_id)).is_stored:
            async with self._lease(owner_id, upload.file_id) as is_mine:
                if is_mine:
                    return await self._verify(owner_id, upload)
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        return upload

    async def finalize_in_background(self, owner_id: UUID, document_id: UUID) -> None:
        """Finalize an upload whose user may be gone; an invalid file becomes a failed document with the reason.

        Raises:
            NotFound: when it was canceled or deleted.
            StorageError: when it cannot be read.
        """
        upload = await self.found(owner_id, document_id)
        if upload.is_stored:
            return
        async with self._lease(owner_id, upload.file_id) as is_mine:
            if not is_mine:
                return
            try:
                await self._verify(owner_id, upload)
            except (AlreadyExists, DocumentUnreadable, ObjectMissing) as error:
                await self._refuse(owner_id, document_id, error.message)

    @asynccontextmanager
    async def _lease(self, owner_id: UUID, file_id: UUID) -> AsyncGenerator[bool]:
        """Try to lease the upload for finalizing; False if it is already leased or stored. The lease expires if its process dies."""
        async with self._database.begin(owner_id) as session:
            is_mine = await file_rows.lease(session, owner_id, file_id)
        if not is_mine:
            yield False
            return
        renewing = asyncio.create_task(self._renewed(owner_id, file_id))
        try:
            yield True
        finally:
            renewing.cancel()
            with suppress(DatabaseUnavailable):
                async with self._database.begin(owner_id) as session:
                    await file_rows.end_lease(session, owner_id, file_id)

    async def _renewed(self, owner_id: UUID, file_id: UUID) -> None:
        while True:
            await asyncio.sleep(_RENEWED_EVERY_SECONDS)
            # A lapsed lease costs another process the same work; a lock decides which one creates the document.
            with suppress(DatabaseUnavailable):
                async with self._database.begin(owner_id) as session:
                    await file_rows.renew_lease(session, owner_id, file_id)

    async def _verify(self, owner_id: UUID, upload: Upload) -> Upload:
        async with self._database.begin(owner_id) as session:
            sealed = await file_rows.encrypted_file(session, upload.file_id, owner_id)
        if sealed is None:
            raise NotFound("This document was deleted while it was being uploaded.")
        digest, head = hmac.new(self._digest_key, owner_id.bytes, hashlib.sha256), b""
        async for piece in self._read(sealed):
            head = (head + piece)[:HEAD_BYTES] if len(head) < HEAD_BYTES else head
            await asyncio.to_thread(digest.update, piece)
        kind = format_of(upload.name, head)
        lost = await self._lost(owner_id, digest.digest())
        return await self._commit(owner_id, upload, digest.digest(), kind.media_type, lost)

    async def _lost(self, owner_id: UUID, digest: bytes) -> UUID | None:
        """Return the stored file with the same content if it is no longer readable."""
        async with self._database.begin(owner_id) as session:
            known = await file_rows.find_same_content(session, owner_id, digest)
            sealed = await file_rows.encrypted_file(session, known, owner_id) if known else None
        if sealed is None:
            return None
        try:
            async for _ in self._read(sealed):
                pass
        except StorageUnavailable:
            raise
        except StorageError as error:
            # Missing, altered, on a bad sector, or encrypted with a missing key.
            log.warning("an unreadable file is replaced by an upload", file_id=str(known), reason=error.message)
            return known
        return None

    async def _commit(
        self, owner_id: UUID, upload: Upload, digest: bytes, media_type: str, lost: UUID | None
    ) -> Upload:
        """Create the document of an upload, unless another process has; equal files are stored once."""
        document_id, file_id, unused = upload.document_id, upload.file_id, list[str]()
        async with self._database.begin(owner_id) as session:
            await file_rows.lock_user_files(session, owner_id)
            document = await rows.owned_document(session, owner_id, document_id, lock=True)
            if document is None:
                raise NotFound("This document was deleted while it was being uploaded.")
            if document.state is not DocumentState.UPLOADING or document.file_id != upload.file_id:
                return replace(upload, file_id=document.file_id, received_bytes=upload.size_bytes, is_stored=True)
            known = await file_rows.find_same_content(session, owner_id, digest)
            is_repair = known is not None and known == lost
            if known is not None and not is_repair:
                file_id = known
            else:
                if known is not None:
                    unused += await file_rows.replace(session, owner_id, known, file_id)
                await file_rows.finish(session, owner_id, file_id, digest)
            named = await version_rows.find_by_name(
                session, owner_id, upload.collection_id, upload.name, but=document_id
            )
            same = next((item for item in named if item.file_id == file_id), None)
            for failed_id, generation in (await file_rows.failed_documents(session, owner_id, file_id)).items():
                if is_repair or (same and failed_id == same.id):
                    await self._read_again(session, owner_id, failed_id, generation)
            version = same.version if same else 1
            if same is None:
                place = await _place(session, owner_id, upload, named)
                version = place.get("version", 1)
                await rows.change_document(
                    session, owner_id, document_id,
                    file_id=file_id, media_type=media_type, state=DocumentState.STORED, progress=0.0, **place,
                )  # fmt: skip
                await jobs.enqueue_ingestion(session, owner_id, document_id)
            else:
                await rows.remove_documents(session, owner_id, [document_id])
            unused += await file_rows.remove_unused(session, owner_id, [upload.file_id])
        await self._storage_ownership.discard(unused)
        return Upload(
            same.id if same else document_id, upload.collection_id, file_id, upload.name, upload.size_bytes,
            upload.size_bytes, is_stored=True, version=version, already_exists=same is not None,
        )  # fmt: skip

    async def _read_again(self, session: rows.AsyncSession, owner_id: UUID, document_id: UUID, generation: int) -> None:
        """Retry a failed document, because its user uploaded it again."""
        await rows.change_document(
            session, owner_id, document_id,
            state=DocumentState.STORED, error="", status_text="", progress=0.0, generation=generation + 1,
        )  # fmt: skip
        await jobs.enqueue_ingestion(session, owner_id, document_id)

    async def _refuse(self, owner_id: UUID, document_id: UUID, reason: str) -> None:
        log.info("an upload is invalid", document_id=str(document_id), reason=reason)
        async with self._database.begin(owner_id) as session:
            document = await rows.owned_document(session, owner_id, document_id, lock=True)
            if document is not None and document.state is DocumentState.UPLOADING:
                await rows.change_document(
                    session, owner_id, document_id, state=DocumentState.FAILED, error=sanitize(reason)
                )


async def _place(session: rows.AsyncSession, owner_id: UUID, upload: Upload, named: list[Document]) -> dict[str, Any]:
    """Return the version columns of an upload if documents have its name.

    Raises:
        AlreadyExists: when it is to be refused in this case.
    """
    if not named or upload.if_exists is IfExists.KEEP:
        return {}
    if upload.if_exists is IfExists.REFUSE:
        raise AlreadyExists(f"A document “{upload.name}” already exists in this collection.")
    series = named[0].version_series_id
    return {
        "version_series_id": series,
        "version": await version_rows.next_version(session, owner_id, series),
        "version_state": VersionState.PENDING,
    }

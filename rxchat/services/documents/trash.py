"""Deleted documents: listing, restoring and purging them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from rxchat.db.documents import documents as document_rows
from rxchat.db.documents import files as file_rows
from rxchat.db.documents import trash as rows
from rxchat.db.documents.trash import DeletedDocument
from rxchat.db.platform import jobs
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.authorization import require_scope
from rxchat.domain.documents import DocumentState
from rxchat.domain.errors import NotFound
from rxchat.domain.files import Document
from rxchat.domain.permissions import Scope
from rxchat.services.accounts.rate_limits import RateLimits
from rxchat.services.documents import quotas
from rxchat.services.documents.files import Files

KEPT = timedelta(days=30)
"""How long deleted documents can be restored."""
_UNFINISHED = {DocumentState.STORED.value, DocumentState.PARSED.value}


class Trash:
    """Use cases for deleted documents."""

    def __init__(self, database: Database, rate_limits: RateLimits, files: Files) -> None:
        self._database = database
        self._rate_limits = rate_limits
        self._files = files

    async def documents(self, current_user: CurrentUser, collection_id: UUID | None = None) -> list[DeletedDocument]:
        """Return the user's deleted documents, of one collection or of all, last deleted first.

        Raises:
            NotFound: when the collection does not exist or is another user's.
        """
        require_scope(current_user, Scope.FILES)
        async with self._database.begin(current_user.user_id) as session:
            if collection_id is not None:
                owned = await document_rows.owned_collection(session, current_user.user_id, collection_id)
                if owned is None:
                    raise NotFound
            return await rows.list_trash(session, collection_id)

    async def restore(
        self, current_user: CurrentUser, document_ids: Sequence[UUID], client_info: ClientInfo
    ) -> list[Document]:
        """Restore deleted documents with their versions and attached files; searches find them after embedding.

        All of them are restored, or none. They count as one attempt: what was deleted at once is restored at once.

        Raises:
            NotFound: when one of them is not in the user's trash.
            InvalidInput: when there is not room for all of them.
            TooManyAttempts: after too many.
        """
        require_scope(current_user, Scope.FILES)
        await self._rate_limits.attempt_to_queue(current_user.user_id, client_info)
        async with self._database.begin(current_user.user_id) as session:
            await file_rows.lock_user_files(session, current_user.user_id)
            wanted = set(document_ids)
            deleted = [item for item in await rows.list_trash(session) if item.id in wanted]
            if len(deleted) != len(wanted):
                raise NotFound
            files, size = sum(item.documents for item in deleted), sum(item.bytes for item in deleted)
            await quotas.check_files(session, current_user.user_id, files, size, self._files.limits)
            return [await self._restored(session, current_user.user_id, item.id) for item in deleted]

    async def _restored(self, session: AsyncSession, owner_id: UUID, document_id: UUID) -> Document:
        for restored, state in (await rows.restore(session, document_id)).items():
            if state in _UNFINISHED:
                await jobs.enqueue_ingestion(session, owner_id, restored, is_urgent=False)
        found = await document_rows.owned_document(session, owner_id, document_id)
        if found is None:
            raise NotFound
        return found

    async def delete_for_good(self, current_user: CurrentUser, document_id: UUID) -> None:
        """Delete a document in the trash permanently, with its versions, attached files and stored file.

        Raises:
            NotFound: when it is not in the user's trash.
        """
        require_scope(current_user, Scope.FILES)
        async with self._database.begin(current_user.user_id) as session:
            await file_rows.lock_user_files(session, current_user.user_id)
            if all(item.id != document_id for item in await rows.list_trash(session)):
                raise NotFound
            restored = await rows.restore(session, document_id)
            unused = await self._files.removed(session, current_user.user_id, list(restored))
        await self._files.discard(unused)

"""Versions of a document: existing names, history, and restoring earlier versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from rxchat.db.documents import documents as rows
from rxchat.db.documents import files as file_rows
from rxchat.db.documents import versions as version_rows
from rxchat.db.platform import jobs
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.authorization import require_scope
from rxchat.domain.documents import DocumentState
from rxchat.domain.errors import Conflict, InvalidInput, NotFound
from rxchat.domain.files import Document, clean_file_name
from rxchat.domain.ids import new_id
from rxchat.domain.permissions import Scope
from rxchat.domain.versions import VersionState
from rxchat.services.accounts.rate_limits import RateLimits
from rxchat.services.documents import quotas
from rxchat.services.documents.documents import Documents
from rxchat.services.documents.files import Files
from rxchat.services.platform.audit import record
from rxchat.tables import DocumentRow

_NOT_EARLIER = "Only earlier versions can be restored."
_SAME = "The version in use is already the same file."


@dataclass(frozen=True, slots=True)
class History:
    """All versions of a document, newest first, and the owner's name."""

    versions: list[Document]
    uploaded_by: str
    """The owner's name; "" if the reader may not see it."""
    is_own: bool


class Versions:
    """Use cases for versions of documents."""

    def __init__(self, database: Database, documents: Documents, files: Files, rate_limits: RateLimits) -> None:
        self._database = database
        self._rate_limits = rate_limits
        self._documents = documents
        self._files = files

    async def taken_names(self, current_user: CurrentUser, collection_id: UUID, names: Sequence[str]) -> list[str]:
        """Return which of these file names exist in one of the user's collections, as given.

        Raises:
            NotFound: when the collection does not exist or is another user's.
        """
        require_scope(current_user, Scope.FILES)
        cleaned = {name: cleaned for name in names if (cleaned := _cleaned(name))}
        async with self._database.begin(current_user.user_id) as session:
            if await rows.owned_collection(session, current_user.user_id, collection_id) is None:
                raise NotFound
            taken = await version_rows.taken_names(
                session, current_user.user_id, collection_id, sorted(set(cleaned.values()))
            )
        return [name for name, stored in cleaned.items() if stored in taken]

    async def history(self, current_user: CurrentUser, document_id: UUID) -> History:
        """Return all versions of a document.

        Raises:
            NotFound: when it does not exist or the user may not read it.
        """
        found = await self._documents.get(current_user, document_id)
        async with self._database.begin(current_user.user_id) as session:
            versions = await version_rows.of_series(session, found.owner_id, found.version_series_id)
            name = await version_rows.owner_name(session, found.collection_id)
        return History(versions, name, found.owner_id == current_user.user_id)

    async def restore(self, current_user: CurrentUser, document_id: UUID, client_info: ClientInfo) -> Document:
        """Restore an earlier version of the user's document: a copy becomes the newest version.

        Raises:
            NotFound: when it is unknown or another user's.
            Conflict: when it is not an earlier version, or the version in use is the same file.
            InvalidInput: when there is no room left.
            TooManyAttempts: after too many.
        """
        require_scope(current_user, Scope.FILES)
        await self._rate_limits.attempt_to_queue(current_user.user_id, client_info)
        async with self._database.begin(current_user.user_id) as session:
            await file_rows.lock_user_files(session, current_user.user_id)
            earlier = await rows.owned_document(session, current_user.user_id, document_id, lock=True)
            if earlier is None:
                raise NotFound
            current = await self._replaceable(session, earlier)
            await quotas.check_file(session, current_user.user_id, earlier.size_bytes, self._files.limits)
            copy = _copy_of(earlier, current.name)
            copy.version = await version_rows.next_version(session, current_user.user_id, earlier.version_series_id)
            await rows.add_document(session, copy)
            if await version_rows.copy_text(session, earlier, copy.id):
                await rows.change_document(session, current_user.user_id, copy.id, state=DocumentState.PARSED)
            await jobs.enqueue_ingestion(session, current_user.user_id, copy.id)
            await record(
                session, current_user.user_id, "document_version_restored", client_info,
                name=current.name, restored=earlier.version, version=copy.version, document=str(copy.id),
            )  # fmt: skip
            made = await rows.owned_document(session, current_user.user_id, copy.id)
        if made is None:
            raise NotFound
        return made

    async def _replaceable(self, session: rows.AsyncSession, earlier: Document) -> Document:
        """Return the current version that an earlier one may replace."""
        if earlier.version_state is not VersionState.SUPERSEDED or earlier.parent_id is not None:
            raise Conflict(_NOT_EARLIER)
        series = await version_rows.of_series(session, earlier.owner_id, earlier.version_series_id)
        current = next((item for item in series if item.version_state is VersionState.CURRENT), None)
        if current is None:
            raise Conflict(_NOT_EARLIER)
        if current.file_id == earlier.file_id and current.reading == earlier.reading:
            raise Conflict(_SAME)
        for item in series:
            is_on_its_way = item.version_state is VersionState.PENDING and not item.state.is_final
            if is_on_its_way and item.file_id == earlier.file_id:
                raise Conflict("This version is already being restored.")
        return current


def _copy_of(earlier: Document, name: str) -> DocumentRow:
    return DocumentRow(
        owner_id=earlier.owner_id, id=new_id(), collection_id=earlier.collection_id, file_id=earlier.file_id, name=name,
        media_type=earlier.media_type, size_bytes=earlier.size_bytes, state=DocumentState.STORED,
        pages=earlier.pages, characters=earlier.characters, warnings=earlier.warnings, encoding=earlier.encoding,
        reader=earlier.reader, chosen_encoding=earlier.chosen_encoding, chosen_reader=earlier.chosen_reader,
        version_series_id=earlier.version_series_id, version_state=VersionState.PENDING,
    )  # fmt: skip


def _cleaned(name: str) -> str:
    try:
        return clean_file_name(name)
    except InvalidInput:
        # The upload requests it.
        return ""

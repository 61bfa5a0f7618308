"""Documents of collections: text, chunks, renaming, ingesting again, and the sources of answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from rxchat.db.chat import conversation_sources as context_source_rows
from rxchat.db.documents import documents as rows
from rxchat.db.documents.documents import CollectionFacts
from rxchat.db.platform import jobs
from rxchat.db.platform.database import Database
from rxchat.db.retrieval import search as index_rows
from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.authorization import require_scope
from rxchat.domain.documents import DocumentState, Reading
from rxchat.domain.errors import Conflict, InvalidInput, NotFound
from rxchat.domain.files import Document, clean_file_name
from rxchat.domain.permissions import Scope
from rxchat.domain.retrieval import Passage, SearchScope, ShownSource
from rxchat.domain.versions import VersionState
from rxchat.services.accounts.rate_limits import RateLimits
from rxchat.services.documents.collections import get_readable

TEXT_CHARACTERS = 200_000
"""How much of a document's text one page shows."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A document with a part of its text."""

    document: Document
    title: str
    text: str
    start: int
    """The offset of this part."""
    characters: int
    """The length of the whole text."""
    is_own: bool
    times_cited: int


class Documents:
    """Use cases for stored documents."""

    def __init__(self, database: Database, rate_limits: RateLimits) -> None:
        self._database = database
        self._rate_limits = rate_limits

    async def in_collection(
        self, current_user: CurrentUser, collection_id: UUID
    ) -> tuple[CollectionFacts, list[Document], dict[UUID, int]]:
        """Return a collection with its documents, newest first, and the number of answers that cite each.

        Raises:
            NotFound: when it does not exist or the user may not read it.
        """
        require_scope(current_user, Scope.FILES)
        async with self._database.begin(current_user.user_id) as session:
            facts = await get_readable(session, current_user, collection_id)
            found = await rows.documents(session, collection_id)
            cited = await rows.times_cited(session, [item.id for item in found])
        return facts, found, cited

    async def preview(self, current_user: CurrentUser, document_id: UUID, start: int = 0) -> Preview:
        """Return a document and a part of its text.

        Raises:
            NotFound: when it does not exist or the user may not read it.
        """
        require_scope(current_user, Scope.FILES)
        start = max(0, start)
        async with self._database.begin(current_user.user_id) as session:
            found = await _get_readable(session, current_user, document_id)
            piece = await rows.text_excerpt(session, document_id, start, TEXT_CHARACTERS)
            cited = await rows.times_cited(session, [document_id])
        return Preview(
            document=found,
            title=piece.title,
            text=piece.text,
            start=min(start, piece.characters),
            characters=piece.characters,
            is_own=found.owner_id == current_user.user_id,
            times_cited=cited.get(document_id, 0),
        )

    async def get(self, current_user: CurrentUser, document_id: UUID) -> Document:
        """Return a document without its text.

        Raises:
            NotFound: when it does not exist or the user may not read it.
        """
        require_scope(current_user, Scope.FILES)
        async with self._database.begin(current_user.user_id) as session:
            return await _get_readable(session, current_user, document_id)

    async def readable(self, current_user: CurrentUser, document_ids: Sequence[UUID]) -> list[Document]:
        """Return those of these documents that the user may read, in any order."""
        require_scope(current_user, Scope.FILES)
        async with self._database.begin(current_user.user_id) as session:
            return await rows.readable(session, document_ids)

    async def chunks(
        self, current_user: CurrentUser, document_id: UUID, first: int = 0, limit: int = 50
    ) -> list[Passage]:
        """Return the indexed chunks of a document, from a number on.

        Raises:
            NotFound: when it does not exist or the user may not read it.
        """
        require_scope(current_user, Scope.FILES)
        async with self._database.begin(current_user.user_id) as session:
            await _get_readable(session, current_user, document_id)
            where = SearchScope(documents=(document_id,))
            return await index_rows.passages(
                session, where, document_id=document_id, first=max(0, first), limit=min(limit, 200)
            )

    async def rename(self, current_user: CurrentUser, document_id: UUID, name: str) -> None:
        """Rename one of the user's documents.

        Raises:
            InvalidInput: without a name.
            NotFound: when it does not exist or is another user's.
        """
        require_scope(current_user, Scope.FILES)
        async with self._database.begin(current_user.user_id) as session:
            if not await rows.change_document(session, current_user.user_id, document_id, name=clean_file_name(name)):
                raise NotFound

    async def reingest(
        self,
        current_user: CurrentUser,
        document_id: UUID,
        reading: Reading | None = None,
        *,
        client_info: ClientInfo = ClientInfo(),  # noqa: B008 - a frozen value
    ) -> None:
        """Re-ingest one of the user's documents, possibly with another encoding or parser. The current text stays searchable.

        Raises:
            NotFound: when it does not exist or is another user's.
            Conflict: when it is being processed, or is an earlier version.
            InvalidInput: when the encoding or parser is invalid.
            TooManyAttempts: after too many.
        """
        require_scope(current_user, Scope.FILES)
        if reading is not None and not reading.is_known:
            raise InvalidInput("Unknown encoding or format. Choose one on the document's page.")
        await self._rate_limits.attempt_to_queue(current_user.user_id, client_info)
        chosen = {"chosen_encoding": reading.encoding, "chosen_reader": reading.reader} if reading else {}
        async with self._database.begin(current_user.user_id) as session:
            found = await rows.owned_document(session, current_user.user_id, document_id, lock=True)
            if found is None:
                raise NotFound
            if found.version_state is VersionState.SUPERSEDED:
                raise Conflict("A newer version of this document is in use. Restore this one to parse it again.")
            if not found.state.is_final:
                raise Conflict("This document is already being processed.")
            await rows.change_document(
                session, current_user.user_id, document_id,
                state=DocumentState.STORED, error="", status_text="", status_detail="", warnings="", progress=0.0, generation=found.generation + 1,
                **chosen,
            )  # fmt: skip
            # It has been ingested before, so no answer waits for it.
            await jobs.enqueue_ingestion(session, current_user.user_id, document_id, is_urgent=False)

    async def shown_sources(
        self, current_user: CurrentUser, owner_id: UUID, conversation_id: UUID, message_id: UUID
    ) -> list[ShownSource]:
        """Return the sources of an answer, as far as the reader may see them now."""
        require_scope(current_user, Scope.FILES)
        async with self._database.begin(current_user.user_id) as session:
            return await context_source_rows.shown_sources(
                session, current_user.user_id, owner_id, conversation_id, message_id
            )


async def _get_readable(session: rows.AsyncSession, current_user: CurrentUser, document_id: UUID) -> Document:
    found = await rows.document(session, document_id)
    if found is None:
        raise NotFound
    await get_readable(session, current_user, found.collection_id)
    return found

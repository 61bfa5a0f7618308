"""Files attached to an e-mail become separate documents, created when the e-mail is published.

Their bytes are stored before the transaction that publishes the e-mail, and their rows are inserted in it. Objects
that a process leaves in between are deleted by the garbage collector.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from rxchat.db.documents import attached_files as rows
from rxchat.db.documents import documents as document_rows
from rxchat.db.documents import files as file_rows
from rxchat.db.documents import versions as version_rows
from rxchat.db.platform import jobs
from rxchat.db.platform.database import Database
from rxchat.domain.documents import AttachedFile, DocumentState
from rxchat.domain.errors import DocumentUnreadable, InvalidInput, TooMuchWork
from rxchat.domain.files import Document, clean_file_name
from rxchat.domain.ids import new_id
from rxchat.domain.ports import DocumentParser
from rxchat.parsers.formats import FormatKind, format_of
from rxchat.parsers.limits import ATTACHED_FILES, HEAD_BYTES
from rxchat.services.documents import quotas
from rxchat.services.documents.files import Files
from rxchat.services.documents.upload_finalizer import StoredContent
from rxchat.tables import DocumentRow

_DEEPEST = 2
"""How many e-mails may be nested around a file."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A stored file without rows yet."""

    name: str
    media_type: str
    content: StoredContent


@dataclass(slots=True)
class Preparation:
    """The files attached to an e-mail, and notes about them."""

    files: list[Prepared] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def object_keys(self) -> list[str]:
        """The object keys of all files."""
        return [part.object_key for item in self.files for part in item.content.parts]


class AttachedFiles:
    """Creates documents from files attached to e-mails."""

    def __init__(self, database: Database, files: Files) -> None:
        self._database = database
        self._files = files

    async def prepare(self, document: Document, parser: DocumentParser, *, is_quick: bool = False) -> Preparation:
        """Store the files attached to a document that was parsed as an e-mail; does nothing for other documents.

        Raises:
            TooMuchWork: when a parser that is for small files alone does not get to their end.
            NotFound: when it is gone.
            StorageError: when its file cannot be read, or theirs not be stored, just now.
        """
        made = Preparation()
        if document.reader != FormatKind.MAIL.value:
            return made
        content = await self._files.whole(document.owner_id, document)
        try:
            found = await parser.attached_files(document.name, document.media_type, content)
        except DocumentUnreadable as unreadable:
            if is_quick and isinstance(unreadable, TooMuchWork):
                raise
            made.notes.append(f"The attachments were not read: {unreadable.message}")
            return made
        async with self._database.begin(document.owner_id) as session:
            if found and await rows.depth(session, document) >= _DEEPEST:
                made.notes.append("The attachments were not read: e-mails are nested too deeply.")
                return made
        for item in found:
            await self._prepare(document, item, made)
        return made

    async def _prepare(self, document: Document, item: AttachedFile, made: Preparation) -> None:
        """Store one file; the output of the parser's process is checked like an upload."""
        try:
            name = clean_file_name(item.name)
            media_type = format_of(name, item.content[:HEAD_BYTES]).media_type
        except (InvalidInput, DocumentUnreadable):
            return
        if len(item.content) > self._files.limits.file_bytes:
            made.notes.append(f"The attachment “{name}” was not read: it is too large.")
            return
        made.files.append(Prepared(name, media_type, await self._files.store(document.owner_id, item.content)))

    async def adopt(self, session: rows.AsyncSession, document: Document, made: Preparation) -> list[str]:
        """Create documents from the prepared files, and delete those of earlier ingestions. Returns objects to delete.

        Unchanged files keep their documents. Call with the user's files locked.
        """
        owner_id, unused, seen = document.owner_id, list[str](), set[tuple[str, object]]()
        earlier = await rows.children(session, document)
        for item in made.files:
            known = await file_rows.find_same_content(session, owner_id, item.content.digest)
            file_id = known or item.content.row.id
            stays = next((child for child in earlier if child.file_id == file_id), None)
            if known or stays:
                unused += [part.object_key for part in item.content.parts]
            if stays:
                earlier.remove(stays)
            elif (item.name, file_id) not in seen and await self._has_room(session, document, item, made):
                if not known:
                    await file_rows.add_whole(session, item.content.row, item.content.parts, item.content.digest)
                await self._add(session, document, item, file_id)
            elif not known:
                unused += [part.object_key for part in item.content.parts]
            seen.add((item.name, file_id))
        return [*unused, *await self._forget(session, earlier)]

    async def _has_room(
        self, session: rows.AsyncSession, document: Document, item: Prepared, made: Preparation
    ) -> bool:
        if await rows.count_in_upload(session, document) >= ATTACHED_FILES:
            made.notes.append(
                f"The attachment “{item.name}” was not read: only {ATTACHED_FILES} files of an upload are."
            )
            return False
        try:
            await quotas.check_file(session, document.owner_id, item.content.row.size_bytes, self._files.limits)
        except InvalidInput as full:
            made.notes.append(f"The attachment “{item.name}” was not read: {full.message}")
            return False
        return True

    async def _add(self, session: rows.AsyncSession, document: Document, item: Prepared, file_id: UUID) -> None:
        row = DocumentRow(
            owner_id=document.owner_id, id=new_id(), collection_id=document.collection_id, file_id=file_id, name=item.name,
            media_type=item.media_type, size_bytes=item.content.row.size_bytes, state=DocumentState.STORED,
            parent_id=document.id,
        )  # fmt: skip
        await document_rows.add_document(session, row)
        await jobs.enqueue_ingestion(session, document.owner_id, row.id)

    async def _forget(self, session: rows.AsyncSession, stale: Sequence[Document]) -> list[str]:
        if not stale:
            return []
        owner_id = stale[0].owner_id
        whole = await version_rows.with_dependents(session, owner_id, [item.id for item in stale])
        return await file_rows.remove_unused(
            session, owner_id, await document_rows.remove_documents(session, owner_id, whole)
        )

"""Ingestion: stored -> parsed -> chunked -> embedded -> ready, each step committed before the next.

A job continues a document from its last step, so a process that dies costs one step, and for embedding one batch. A
fence refuses writes of an older job for the same document. Searches find a document after its last step, completely.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from uuid import UUID

import structlog

from rxchat.db.documents import documents as document_rows
from rxchat.db.documents import files as file_rows
from rxchat.db.documents import ingestion as rows
from rxchat.db.documents import ocr
from rxchat.db.documents import search_index as index_rows
from rxchat.db.documents import versions as version_rows
from rxchat.db.platform import jobs
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import ClientInfo
from rxchat.domain.chunking import chunked
from rxchat.domain.documents import DocumentState, ParsedDocument, RecognizedPage
from rxchat.domain.errors import (
    DocumentUnreadable,
    NoTextLayer,
    NotFound,
    ObjectMissing,
    StorageError,
    TooMuchWork,
)
from rxchat.domain.files import Document
from rxchat.domain.lexemes import VERSION
from rxchat.domain.ports import DocumentParser
from rxchat.domain.rate_limits import format_wait
from rxchat.domain.text import sanitize
from rxchat.domain.versions import VersionState
from rxchat.services.documents.attached_files import AttachedFiles, Preparation
from rxchat.services.documents.files import Files
from rxchat.services.documents.image_captions import ImageCaptions
from rxchat.services.documents.vector_index import SLICE_SECONDS, LeaseLost, SliceOver, VectorIndex
from rxchat.services.platform.audit import record

log = structlog.get_logger(__name__)

_SWEPT_AT_A_TIME = 100
_BACKGROUND = 2_000
"""How much lower the priority of index updates is than that of new documents."""
_FORGOTTEN_AT_A_TIME = 5_000
_INDEXED_AT_A_TIME = 20
_CHUNKS_AT_A_TIME = 200
_INDEXED_SECONDS = 3.0
SMALL_CHARACTERS = 100_000
"""A text up to this length is chunked in the same time slice as parsing: about as much as `SMALL_BATCHES` embed."""
TRIES = 20
"""How many attempts without progress are made: with pauses, about an hour and a quarter."""
_LONGEST_WAIT_SECONDS = 300
_RECOGNISED_SOON = "Its pages are pictures. Recognizing their text takes some seconds for each page."
_GIVE_UP = "All {count} attempts failed: {reason} Try again when the cause is fixed."


class Ingestion:
    """The steps of ingestion, and index updates."""

    def __init__(
        self,
        database: Database,
        files: Files,
        parser: DocumentParser,
        vector_index: VectorIndex,
        image_captions: ImageCaptions,
        quick_parser: DocumentParser | None = None,
    ) -> None:
        """Small files have their own parser, so that they never wait for a large one."""
        self._quick_parser = quick_parser or parser
        self._image_captions = image_captions
        self._database = database
        self._files = files
        self._parser = parser
        self._vector_index = vector_index
        self._attached_files = AttachedFiles(database, files)

    async def other_owners_wait(self, owner_id: UUID) -> bool:
        """Return whether small files of other owners are waiting."""
        async with self._database.begin(None) as session:
            return await jobs.other_owners_wait(session, owner_id, queue=jobs.QUICK_QUEUE)

    async def run(self, owner_id: UUID, document_id: UUID, *, queue: str = jobs.DOCUMENTS_QUEUE) -> None:
        """Process a document until it is ready or failed; in the queue of scans, recognize its text.

        Raises:
            SliceOver: when it is other owners' turn, or more work than small files are; the job is queued again.
            StorageError, EmbedderError, DatabaseUnavailable: later it may do; the job is tried again, and its document says why.
        """
        async with self._database.begin(owner_id) as session:
            taken = await rows.claim(session, owner_id, document_id)
        if taken is None or _is_left_alone(taken.document):
            return
        if taken.attempts > TRIES and not taken.document.state.is_final:
            await self._fail(taken, _GIVE_UP.format(count=TRIES, reason="The process failed each time."))
            return
        is_scan = queue == jobs.SCANS_QUEUE and self._parser.can_recognise
        steps = {
            DocumentState.STORED: self._recognise if is_scan else self._parse,
            DocumentState.PARSED: self._chunk,
            DocumentState.CHUNKED: self._embed,
            DocumentState.EMBEDDED: self._publish,
            DocumentState.READY: self._embed_anew,
            DocumentState.FAILED: self._embed_anew,
        }
        try:
            while True:
                state = taken.document.state
                await steps[state](taken, queue)
                if state.is_final:
                    return
                async with self._database.begin(owner_id) as session:
                    document = await rows.owned_document(session, owner_id, document_id)
                if document is None:
                    return
                if document.state.is_final:
                    return
                taken = rows.ClaimedDocument(document, taken.fence)
        except LeaseLost:
            log.info("a document is claimed by another job, or was deleted", document_id=str(document_id))
        except (DocumentUnreadable, ObjectMissing) as error:
            await self._fail(taken, error.message)
        except NotFound:
            # The document was deleted.
            return

    async def postpone(self, owner_id: UUID, document_id: UUID, reason: str, detail: str = "") -> float | None:
        """Record why a document waits, and return the seconds until the next attempt; None if it does not wait any more.

        Attempts without any progress count. A searchable document never fails, and its job ends: `look_after` queues
        its embedding later.
        """
        async with self._database.begin(owner_id) as session:
            found = await rows.attempts(session, owner_id, document_id)
            if found is None:
                return None
            attempts, is_final = found
            seconds = float(min(2 ** min(attempts, 16), _LONGEST_WAIT_SECONDS))
            if is_final:
                await rows.retry_later(session, owner_id, document_id, seconds)
                return None
            if attempts < TRIES:
                told = sanitize(f"{reason} Next try in {format_wait(seconds)}.")
                await rows.set_status_text(session, owner_id, document_id, told, sanitize(detail))
                return seconds
        await self.give_up(owner_id, document_id, reason, attempts, detail)
        return None

    async def give_up(self, owner_id: UUID, document_id: UUID, reason: str, count: int, detail: str = "") -> None:
        """Mark a document as failed after the last attempt."""
        async with self._database.begin(owner_id) as session:
            taken = await rows.claim(session, owner_id, document_id)
            if taken is not None and taken.document.state.is_final:
                await rows.retry_later(session, owner_id, document_id, _LONGEST_WAIT_SECONDS)
        if taken is not None and not taken.document.state.is_final:
            await self._fail(taken, _GIVE_UP.format(count=count, reason=reason), detail)

    async def _fail(self, taken: rows.ClaimedDocument, reason: str, detail: str = "") -> None:
        log.info("a document cannot be parsed", document_id=str(taken.document.id), reason=reason)
        async with self._database.begin(taken.document.owner_id) as session:
            facts = {"error": sanitize(reason), "status_detail": sanitize(detail)}
            await rows.advance(session, taken, state=DocumentState.FAILED, **facts)

    async def _advance(self, taken: rows.ClaimedDocument, session: rows.AsyncSession, **facts: object) -> None:
        if not await rows.advance(session, taken, **facts):
            raise LeaseLost

    def _parser_of(self, queue: str) -> DocumentParser:
        return self._quick_parser if queue == jobs.QUICK_QUEUE else self._parser

    async def _parse(self, taken: rows.ClaimedDocument, queue: str) -> None:
        parsed: ParsedDocument | None = None
        try:
            parsed = await self._said_by(taken.document, self._parser_of(queue))
        except TooMuchWork:
            if queue == jobs.QUICK_QUEUE:
                raise SliceOver from None
            raise
        except NoTextLayer:
            if not self._parser.can_recognise:
                raise
        if parsed is None or (parsed.scanned_pages and self._parser.can_recognise):
            await self._leave_to_recogniser(taken)
            raise LeaseLost
        await self._keep(taken, parsed)

    async def _said_by(self, document: Document, parser: DocumentParser) -> ParsedDocument:
        content = await self._files.whole(document.owner_id, document)
        if document.media_type.startswith("image/"):
            return await self._image_captions.read(document.owner_id, content)
        return await parser.parse(document.name, document.media_type, content, document.reading)

    async def _leave_to_recogniser(self, taken: rows.ClaimedDocument) -> None:
        document = taken.document
        async with self._database.begin(document.owner_id) as session:
            if not await rows.report_progress(session, taken, _RECOGNISED_SOON, 0.0):
                raise LeaseLost
            await jobs.enqueue_ingestion(session, document.owner_id, document.id, queue=jobs.SCANS_QUEUE)

    async def _recognise(self, taken: rows.ClaimedDocument, queue: str) -> None:
        document = taken.document

        until, is_over = time.monotonic() + SLICE_SECONDS, False

        async def tell(share: float, page: RecognizedPage | None) -> None:
            nonlocal is_over
            async with self._database.begin(document.owner_id) as session:
                if page is None:
                    is_mine = await rows.report_progress(session, taken, _RECOGNISED_SOON, share)
                else:
                    # Each page is stored: it has made progress, and continues in its next time slice or in another
                    # process.
                    is_mine = await rows.advance(session, taken, warnings=_RECOGNISED_SOON, progress=share)
                    await ocr.save_page(session, document, page)
                if not is_mine:
                    raise LeaseLost
                if time.monotonic() > until:
                    is_over = await jobs.other_owners_wait(session, document.owner_id, queue=queue)
            if is_over:
                raise SliceOver

        async with self._database.begin(document.owner_id) as session:
            known = await ocr.pages(session, document)
        content = await self._files.whole(document.owner_id, document)
        try:
            parsed = await self._parser.recognise(document.name, document.media_type, content, tell, known)
        except DocumentUnreadable as unrecognised:
            # The text outside of pictures is better than nothing.
            try:
                parsed = await self._said_by(document, self._parser)
            except DocumentUnreadable as unread:
                if not document.media_type.startswith("image/"):
                    raise unrecognised from None
                raise DocumentUnreadable(f"{unrecognised.message} {unread.message}") from None
        await self._keep(taken, parsed)

    async def _keep(self, taken: rows.ClaimedDocument, parsed: ParsedDocument) -> None:
        document = taken.document
        async with self._database.begin(document.owner_id) as session:
            await self._advance(
                taken, session,
                state=DocumentState.PARSED, pages=parsed.pages, characters=len(parsed.text),
                warnings=sanitize(" ".join(parsed.notes)), progress=0.0, encoding=parsed.encoding, reader=parsed.reader,
            )  # fmt: skip
            await rows.save_text(session, document, parsed)
            await ocr.delete_pages(session, document)

    async def _chunk(self, taken: rows.ClaimedDocument, queue: str) -> None:
        document = taken.document
        is_long = queue == jobs.QUICK_QUEUE and document.characters > SMALL_CHARACTERS
        # Parsing used its time slice: chunking a megabyte takes seconds. A text longer than a small file is never
        # small.
        if is_long and (document.characters > jobs.SMALL_BYTES or await self.other_owners_wait(document.owner_id)):
            raise SliceOver
        async with self._database.begin(document.owner_id) as session:
            parsed = await rows.load_parsed(session, document)
        index = await self._vector_index.wanted_index()
        if parsed is None:
            raise NotFound
        pieces = await asyncio.to_thread(chunked, parsed, index.max_tokens)
        async with self._database.begin(document.owner_id) as session:
            await self._advance(taken, session, state=DocumentState.CHUNKED, chunks=len(pieces), progress=0.0)
            await rows.save_chunks(session, document, parsed.text, pieces)

    async def _embed(self, taken: rows.ClaimedDocument, queue: str) -> None:
        document = taken.document
        wanted = await self._vector_index.embed(taken, document.generation, queue)
        if not wanted.is_active:
            await self._vector_index.embed_for_now(taken, document.generation, queue)
        async with self._database.begin(document.owner_id) as session:
            await self._advance(taken, session, state=DocumentState.EMBEDDED)

    async def _publish(self, taken: rows.ClaimedDocument, queue: str) -> None:
        document, is_quick = taken.document, queue == jobs.QUICK_QUEUE
        try:
            attached = await self._attached_files.prepare(document, self._parser_of(queue), is_quick=is_quick)
        except TooMuchWork:
            raise SliceOver from None
        try:
            unused = await self._published(taken, attached)
        except LeaseLost:
            # After the rollback nothing refers to the stored objects.
            await self._files.discard(attached.object_keys)
            raise
        await self._files.discard(unused)

    async def _published(self, taken: rows.ClaimedDocument, attached: Preparation) -> list[str]:
        """Publish a document and its attached files, and return objects to delete.

        Raises:
            LeaseLost: when another process holds the document.
        """
        document, index = taken.document, await self._vector_index.wanted_index()
        async with self._database.begin(document.owner_id) as session:
            # Versions of a document are published one at a time.
            await file_rows.lock_user_files(session, document.owner_id)
            if await rows.count_chunks_without_vector(session, document, document.generation, index.id):
                # Another embedding model became active: embed again.
                await self._advance(taken, session, state=DocumentState.CHUNKED)
            elif not await version_rows.make_current(session, document):
                await self._advance(taken, session, state=DocumentState.READY, progress=1.0)
                await version_rows.supersede(session, document.owner_id, [document.id])
            elif await rows.publish(session, taken, index.id):
                unused = await self._attached_files.adopt(session, document, attached)
                await self._tell(session, document, attached.notes)
                return unused
            else:
                raise LeaseLost
        return attached.object_keys

    async def _tell(self, session: rows.AsyncSession, document: Document, notes: list[str]) -> None:
        if notes:
            warnings = " ".join(filter(None, [document.warnings, *notes]))
            await document_rows.change_document(session, document.owner_id, document.id, warnings=sanitize(warnings))
        if document.version_state is VersionState.PENDING:
            await record(
                session, document.owner_id, "document_replaced", ClientInfo(),
                name=document.name, version=document.version, document=str(document.id),
            )  # fmt: skip

    async def _embed_anew(self, taken: rows.ClaimedDocument, queue: str) -> None:
        """Add the missing vectors of a searchable document to an index."""
        document = taken.document
        if document.published_generation is None:
            return
        index = await self._vector_index.embed(taken, document.published_generation, queue)
        async with self._database.begin(document.owner_id) as session:
            await self._advance(taken, session, embedded_index=index.id, retry_at=None)

    async def look_after(self) -> None:
        """Finalize abandoned uploads, queue documents without a job, and complete a new index.

        A new index becomes active when it is complete; the previous one is deleted in steps.
        """
        async with self._database.begin(None) as session:
            waiting = await jobs.documents_without_job(session, _SWEPT_AT_A_TIME)
            received = await file_rows.uploads_to_finalize(session, _SWEPT_AT_A_TIME)
        for owner_id, document_id in received:
            with suppress(DocumentUnreadable, NotFound, StorageError):
                await self._files.finish(owner_id, document_id)
        waiting += await self._vector_index.documents_missing_vectors()
        for owner_id, document_id in waiting:
            async with self._database.begin(owner_id) as session:
                await jobs.enqueue_ingestion_once(session, owner_id, document_id, priority=-_BACKGROUND)
        async with self._database.begin(None) as session:
            await index_rows.purge_retired_vectors(session, _FORGOTTEN_AT_A_TIME)
        await self.index_words()

    async def index_words(self, seconds: float = _INDEXED_SECONDS) -> int:
        """Index documents with an older version of the lexeme rules again, for about `seconds`. Returns how many."""
        count, until = 0, time.monotonic() + seconds
        while time.monotonic() < until:
            async with self._database.begin(None) as session:
                lacking = await index_rows.documents_to_reindex(session, VERSION, _INDEXED_AT_A_TIME)
            if not lacking:
                break
            for owner_id, document_id in lacking:
                await self._index_words(owner_id, document_id)
            count += len(lacking)
        return count

    async def _index_words(self, owner_id: UUID, document_id: UUID) -> None:
        async with self._database.begin(owner_id) as session:
            document = await document_rows.owned_document(session, owner_id, document_id)
        if document is None:
            return
        first, done = 0, _CHUNKS_AT_A_TIME
        while done == _CHUNKS_AT_A_TIME:
            async with self._database.begin(owner_id) as session:
                done = await rows.index_lexemes(session, document, first, _CHUNKS_AT_A_TIME)
            first += done
        async with self._database.begin(owner_id) as session:
            await rows.mark_lexemes_indexed(session, document)


def _is_left_alone(document: Document) -> bool:
    """Whether there is nothing to do: it is not uploaded yet, or failed and was never searchable."""
    has_failed = document.state is DocumentState.FAILED and document.published_generation is None
    return has_failed or document.state is DocumentState.UPLOADING

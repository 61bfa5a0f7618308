"""Vector indexes: adding vectors of documents, and replacing an index.

One index is active. When another embedding model is configured, its index is built beside the active one, and becomes
active when it has all documents. Documents that arrive meanwhile are embedded for both.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from uuid import UUID

import structlog

from rxchat.db.documents import ingestion as rows
from rxchat.db.documents import search_index as index_rows
from rxchat.db.platform import jobs
from rxchat.db.platform.database import Database
from rxchat.domain.errors import EmbedderError, TextRefused, TextTooLong
from rxchat.domain.ports import EmbeddingModel
from rxchat.domain.retrieval import MOST_DIMENSIONS, EmbedderInfo, EmbeddingIndex, embedded_text

log = structlog.get_logger(__name__)

_BATCH = 16
"""How many chunks are embedded together, and lost at most when a process dies."""
_LOOKED_AT = 100
_TOO_WIDE = (
    "The embedding model {model} makes vectors of {dimensions:,} numbers, and an index here can hold"
    f" {MOST_DIMENSIONS:,}: set RXCHAT_EMBEDDING_MODEL to another one."
)
_SHORT_CHARACTERS = 100
"""A refused text is not divided below this length."""


SLICE_SECONDS = 4.0
"""The time slice for embedding or recognizing a document, after which other owners' documents are next."""
SMALL_BATCHES = 4
"""How many batches of a small file are embedded in its time slice: counted, since time is unreliable on a busy machine."""


class SliceOver(Exception):
    """A document's time slice is over; its progress is stored, and it continues in the next one."""


class LeaseLost(Exception):
    """Another job has claimed this document, or it was deleted."""


async def vectors_of(
    embedder: EmbeddingModel, texts: Sequence[str], by: EmbedderInfo, *, prefix: str = "", instead: str = ""
) -> list[list[float]]:
    """Return a vector for each text; for a text that is too long or refused, the mean of its halves.

    A short text that the model refuses gets a substitute vector: word search still finds it.

    Raises:
        EmbedderError: when the model does not respond, or refuses every text.
    """
    try:
        return await embedder.embed([prefix + text for text in texts], by)
    except (TextTooLong, TextRefused) as error:
        if len(texts) > 1:
            return [(await vectors_of(embedder, [text], by, prefix=prefix, instead=instead))[0] for text in texts]
        text = texts[0]
        is_hopeless = isinstance(error, TextRefused) and len(text) <= _SHORT_CHARACTERS
        if is_hopeless and (not instead or text == instead):
            raise
    if is_hopeless:
        log.warning("the embedding model refused a text", characters=len(text))
        return await embedder.embed([prefix + instead], by)
    if len(text) < 2:
        raise EmbedderError("The embedding model refuses every text.")
    texts = [text[: len(text) // 2], text[len(text) // 2 :]]
    halves = await vectors_of(embedder, texts, by, prefix=prefix, instead=instead)
    mean = [sum(values) / len(halves) for values in zip(*halves, strict=True)]
    length = math.sqrt(sum(value * value for value in mean)) or 1.0
    return [[value / length for value in mean]]


class VectorIndex:
    """The vectors of documents in the configured index."""

    def __init__(self, database: Database, embedder: EmbeddingModel) -> None:
        self._database = database
        self._embedder = embedder

    async def wanted_index(self) -> EmbeddingIndex:
        """Return the index of the configured embedding model, created if it is new.

        Raises:
            EmbedderError: when the host does not respond.
        """
        known = await self._known()
        active = next((item for item in known if item.is_active), None)
        info = await self._embedder.info(active.model if active else "")
        if info.dimensions > MOST_DIMENSIONS:
            return self._kept(active, _TOO_WIDE.format(model=info.model, dimensions=info.dimensions))
        found = next((item for item in known if item.embedder == info), None)
        if found is not None:
            return found
        async with self._database.begin(None) as session:
            return await index_rows.get_or_create_index(session, info)

    def _kept(self, active: EmbeddingIndex | None, problem: str) -> EmbeddingIndex:
        """Return the active index instead of one that cannot be created; the log has the reason."""
        if active is None:
            raise EmbedderError(problem)
        log.error("the embedding model cannot be used, the previous index stays in use", reason=problem)
        return active

    async def _known(self) -> list[EmbeddingIndex]:
        async with self._database.begin(None) as session:
            return await index_rows.indexes(session)

    async def embed(self, taken: rows.ClaimedDocument, generation: int, queue: str) -> EmbeddingIndex:
        """Add the missing vectors of a document to the configured index, and return the index.

        Raises:
            LeaseLost: when another job has the document.
            SliceOver: when it takes longer than a turn, and other owners wait in the queue of its job.
            EmbedderError: when there is no answer; what is embedded by then is kept.
        """
        wanted = await self.wanted_index()
        await self._embed_in(taken, generation, wanted, queue)
        return wanted

    async def embed_for_now(self, taken: rows.ClaimedDocument, generation: int, queue: str) -> None:
        """Add them to the active index, too, if that is another one and its model is available."""
        active = next((index for index in await self._known() if index.is_active), None)
        if active is None:
            return
        try:
            await self._embed_in(taken, generation, active, queue)
        except EmbedderError as error:
            log.info("a document was not embedded yet", reason=error.message)

    async def _embed_in(self, taken: rows.ClaimedDocument, generation: int, index: EmbeddingIndex, queue: str) -> None:
        document = taken.document
        async with self._database.begin(document.owner_id) as session:
            missing = await rows.count_chunks_without_vector(session, document, generation, index.id)
        total = max(1, document.chunks)
        until, batches = time.monotonic() + SLICE_SECONDS, 0
        while missing:
            # At least one batch: a time slice without progress counts as a failed attempt.
            if batches >= SMALL_BATCHES if queue == jobs.QUICK_QUEUE else batches and time.monotonic() > until:
                async with self._database.begin(None) as session:
                    if await jobs.other_owners_wait(session, document.owner_id, queue=queue):
                        raise SliceOver
                until, batches = time.monotonic() + SLICE_SECONDS, 0
            batches += 1
            async with self._database.begin(document.owner_id) as session:
                batch = await rows.chunks_without_vector(session, document, generation, index.id, _BATCH)
            if not batch:
                return
            texts = [embedded_text(document.name, heading, text) for _, heading, text in batch]
            by = index.embedder
            vectors = await vectors_of(self._embedder, texts, by, prefix=by.document_prefix, instead=document.name)
            missing = max(0, missing - len(batch))
            made = [(item[0], vector) for item, vector in zip(batch, vectors, strict=True)]
            async with self._database.begin(document.owner_id) as session:
                if not await rows.advance(session, taken, progress=1 - missing / total):
                    raise LeaseLost
                await rows.save_vectors(session, document, index.id, made)

    async def documents_missing_vectors(self) -> list[tuple[UUID, UUID]]:
        """Return documents with missing vectors in the configured index; activates it if there are none."""
        try:
            index = await self.wanted_index()
        except EmbedderError:
            return []
        async with self._database.begin(None) as session:
            lacking = await index_rows.documents_to_embed(session, index.id, _LOOKED_AT)
        if index.is_active and all(item.is_active for item in await self._known()):
            return lacking
        async with self._database.begin(None) as session:
            if index.is_active:
                await index_rows.retire_others(session, index.id)
            elif not lacking and await index_rows.activate_index(session, index.id):
                log.info("another embedding model is in use", model=index.model)
        return lacking

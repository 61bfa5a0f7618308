"""Vectors of what can be found: which index they belong to, and how an index is brought up to date.

There is one index in force; while another embedding model is wanted, its index is made beside it, and comes in force when
every document is whole in it. What comes in meanwhile is embedded for both.
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
"""How many chunks are embedded together: what is lost at most when a process dies."""
_LOOKED_AT = 100
_TOO_WIDE = (
    "The embedding model {model} makes vectors of {dimensions:,} numbers, and an index here can hold"
    f" {MOST_DIMENSIONS:,}: set RXCHAT_EMBEDDING_MODEL to another one."
)
_SHORT_CHARACTERS = 100
"""A refused text is not divided any further below this length."""


SLICE_SECONDS = 4.0
"""How long a document is embedded, or recognized, until other owners have their turn."""
SMALL_BATCHES = 4
"""How many batches are embedded of a small file in its turn: counted, since time passes faster on a busy machine."""


class SliceOver(Exception):
    """A document has had its turn; what is done of it is kept, and the rest goes on in its next one."""


class LeaseLost(Exception):
    """Another job has taken this document up, or it was deleted: nothing more to do here."""


async def vectors_of(
    embedder: EmbeddingModel, texts: Sequence[str], by: EmbedderInfo, *, prefix: str = "", instead: str = ""
) -> list[list[float]]:
    """Return a vector for each text; one that is too long, or refused, is the mean of its halves.

    A short one that the model refuses has the vector of what is given instead: by words it is found all the same.

    Raises:
        EmbedderError: when there is no answer, or it takes nothing at all.
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
        log.warning("a text was refused by the embedding model", characters=len(text))
        return await embedder.embed([prefix + instead], by)
    if len(text) < 2:
        raise EmbedderError("The embedding model takes no text at all.")
    texts = [text[: len(text) // 2], text[len(text) // 2 :]]
    halves = await vectors_of(embedder, texts, by, prefix=prefix, instead=instead)
    mean = [sum(values) / len(halves) for values in zip(*halves, strict=True)]
    length = math.sqrt(sum(value * value for value in mean)) or 1.0
    return [[value / length for value in mean]]


class VectorIndex:
    """The vectors of documents, in the index that is wanted."""

    def __init__(self, database: Database, embedder: EmbeddingModel) -> None:
        """Know who makes vectors, and where they are kept."""
        self._database = database
        self._embedder = embedder

    async def wanted_index(self) -> EmbeddingIndex:
        """Return the index of the embedder that is configured now, making it when it is new.

        Raises:
            EmbedderError: when nobody can tell which it is.
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
        """Return the index in use instead of one that cannot be made; the log says why."""
        if active is None:
            raise EmbedderError(problem)
        log.error("the embedding model cannot be used, the index of before stays in use", reason=problem)
        return active

    async def _known(self) -> list[EmbeddingIndex]:
        async with self._database.begin(None) as session:
            return await index_rows.indexes(session)

    async def embed(self, taken: rows.ClaimedDocument, generation: int, queue: str) -> EmbeddingIndex:
        """Make the vectors of a document that are missing in the wanted index, and return that index.

        Raises:
            LeaseLost: when another job has the document.
            SliceOver: when it takes longer than a turn, and other owners wait in the queue of its job.
            EmbedderError: when there is no answer; what is embedded by then is kept.
        """
        wanted = await self.wanted_index()
        await self._embed_in(taken, generation, wanted, queue)
        return wanted

    async def embed_for_now(self, taken: rows.ClaimedDocument, generation: int, queue: str) -> None:
        """Make those in the index that is in force, while that is not the wanted one: if its model is there still."""
        active = next((index for index in await self._known() if index.is_active), None)
        if active is None:
            return
        try:
            await self._embed_in(taken, generation, active, queue)
        except EmbedderError as error:
            log.info("a document is found by meaning only later", reason=error.message)

    async def _embed_in(self, taken: rows.ClaimedDocument, generation: int, index: EmbeddingIndex, queue: str) -> None:
        document = taken.document
        async with self._database.begin(document.owner_id) as session:
            missing = await rows.count_chunks_without_vector(session, document, generation, index.id)
        total = max(1, document.chunks)
        until, batches = time.monotonic() + SLICE_SECONDS, 0
        while missing:
            # Never without a batch: a turn in which a document does not get on counts as one in which it failed.
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
        """Return documents that are not whole in the wanted index; puts it in force when there are none."""
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
                log.info("another embedding model is in force", model=index.model)
        return lacking

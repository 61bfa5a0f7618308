"""Search for passages in what the user may read."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import structlog

from rxchat.db.documents import documents as document_rows
from rxchat.db.documents import search_index as index_rows
from rxchat.db.platform.database import Database
from rxchat.db.retrieval import search as rows
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.authorization import require_scope
from rxchat.domain.errors import EmbedderError, InvalidInput
from rxchat.domain.permissions import Scope as KeyScope
from rxchat.domain.ports import EmbeddingModel, Reranker
from rxchat.domain.retrieval import CANDIDATES, EmbeddingIndex, Passage, SearchMode, SearchScope, reranked
from rxchat.domain.text import sanitize
from rxchat.services.documents.vector_index import vectors_of
from rxchat.services.retrieval.search_slots import SearchSlots

log = structlog.get_logger(__name__)

QUESTION_CHARACTERS = 2_000
PASSAGES = 8
_BEING_MADE = "The index is being rebuilt for another embedding model, so results may be incomplete."


@dataclass(frozen=True, slots=True)
class Found:
    """The results of a search, best first."""

    passages: tuple[Passage, ...]
    notice: str = ""
    """A message about a degraded search ("The embedding model does not respond: ..."); "" otherwise."""
    detail: str = ""
    """For administrators: which host failed, and its error."""


class DocumentSearch:
    """The search, for users, answers and models."""

    def __init__(self, database: Database, embedder: EmbeddingModel, reranker: Reranker | None = None) -> None:
        self._database = database
        self._embedder = embedder
        self._reranker = reranker
        self._slots = SearchSlots()

    async def search(
        self,
        current_user: CurrentUser,
        question: str,
        scope: SearchScope,
        *,
        k: int = PASSAGES,
        way: SearchMode = SearchMode.HYBRID,
        is_answer: bool = False,
    ) -> Found:
        """Return the best passages of a scope that the user may read.

        Raises:
            InvalidInput: when the query is empty.
            TooManyAttempts: when the user has too many searches waiting; not for an answer.
        """
        require_scope(current_user, KeyScope.FILES)
        question = sanitize(question).strip()[:QUESTION_CHARACTERS]
        if not question:
            raise InvalidInput("Enter a search query.")
        async with self._slots.slot(current_user.user_id, is_answer=is_answer):
            return await self._search(current_user, question, scope, k, way)

    async def _search(
        self, current_user: CurrentUser, question: str, scope: SearchScope, k: int, way: SearchMode
    ) -> Found:
        index, vector, notice, detail = await self._vector(current_user.user_id, question)
        wanted = max(k, CANDIDATES // 2) if self._reranker else k
        async with self._database.begin(current_user.user_id) as session:
            passages = await rows.search(session, index, scope, question, vector, k=wanted, way=way)
        if self._reranker is not None and len(passages) > 1:
            try:
                scores = await self._reranker.scores(question, [passage.text for passage in passages])
                passages = reranked(passages, scores)
            except EmbedderError as error:
                notice, detail = notice or error.message, detail or error.detail
        return Found(tuple(passages[:k]), notice, detail)

    async def _vector(self, user_id: UUID, question: str) -> tuple[EmbeddingIndex | None, list[float] | None, str, str]:
        """Return a query's vector and its index; without one, only words are searched."""
        async with self._database.begin(user_id) as session:
            known = await index_rows.indexes(session)
        failure: EmbedderError | None = None
        # The active index is complete. While a new one is being built and the previous model is gone, an incomplete
        # index is better than none.
        for index in sorted(known, key=lambda item: not item.is_active):
            try:
                [vector] = await vectors_of(self._embedder, [question], index.embedder, prefix=index.query_prefix)
            except EmbedderError as error:
                failure = failure or error
                continue
            return index, vector, "" if index.is_active else _BEING_MADE, ""
        if failure is None:
            return None, None, "", ""
        log.warning("searching by words only", reason=failure.message)
        return None, None, f"{failure.message} The search used words only, not meaning.", failure.detail

    async def embedder(self, current_user: CurrentUser) -> str:
        """Return a sentence about the embedding model, for the page of documents."""
        async with self._database.begin(current_user.user_id) as session:
            known = await index_rows.indexes(session)
        active = next((index.model for index in known if index.is_active), "")
        wanted = self._embedder.label
        if not active or wanted == active or wanted.startswith(f"{active},"):
            return f"Embedding model: {wanted}."
        what = "is being built" if any(not index.is_active for index in known) else "is not in use yet"
        return f"Embedding model: {active}. The index of {wanted}, {what}."

    async def neighbors(
        self, current_user: CurrentUser, scope: SearchScope, document_id: UUID, ordinal: int, reach: int = 2
    ) -> list[Passage]:
        """Return a passage with those before and after it."""
        require_scope(current_user, KeyScope.FILES)
        async with self._database.begin(current_user.user_id) as session:
            return await rows.passages(
                session,
                scope,
                document_id=document_id,
                first=ordinal - reach,
                last=ordinal + reach,
                limit=2 * reach + 1,
            )

    async def whole_scope(self, current_user: CurrentUser, scope: SearchScope, tokens: int) -> list[Passage] | None:
        """Return all chunks of a scope in order if they fit into `tokens`; otherwise None."""
        require_scope(current_user, KeyScope.FILES)
        # A chunk has at least 20 tokens, so more chunks do not fit.
        most = max(1, tokens // 20)
        async with self._database.begin(current_user.user_id) as session:
            if await rows.scope_size(session, scope) > most:
                return None
            passages = await rows.passages(session, scope, limit=most + 1)
        fits = len(passages) <= most and sum(passage.tokens for passage in passages) <= tokens
        return passages if fits else None

    async def scope_of(self, current_user: CurrentUser, ids: list[UUID]) -> SearchScope:
        """Return the scope of these collections and documents, without those that the user may not read."""
        collections, documents = [], []
        async with self._database.begin(current_user.user_id) as session:
            for found in ids:
                if await document_rows.collection(session, found) is not None:
                    collections.append(found)
                elif await document_rows.document(session, found) is not None:
                    documents.append(found)
        return SearchScope(tuple(collections), tuple(documents))

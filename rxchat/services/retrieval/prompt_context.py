"""Builds the prompt of an answer: searches the context sources, and adds and stores numbered sources."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from uuid import UUID

import structlog

from rxchat.db.access import roles as role_rows
from rxchat.db.chat import conversation_sources as rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.chat import ChatMessage, ModelInfo, Role, TextDelta
from rxchat.domain.conversation_events import ContextKind
from rxchat.domain.errors import DatabaseUnavailable, ModelError
from rxchat.domain.grounding import DEMO_TOKENS, rewriting, rewritten, standalone_question, with_sources
from rxchat.domain.ports import ChatModel
from rxchat.domain.retrieval import Passage, SearchScope, Source, within_budget
from rxchat.domain.runs import ClaimedRun
from rxchat.services.models.metering import Metering
from rxchat.services.retrieval.retrieval_tools import RetrievalTools
from rxchat.services.retrieval.search import DocumentSearch

log = structlog.get_logger(__name__)

_REWRITING_SECONDS = 6.0
_REWRITTEN_CHARACTERS = 400
_WAIT_SECONDS = 45.0
"""How long an answer waits for attached files that are still being ingested."""
_LOOK_SECONDS = 0.5
_MOST_NAMED = 5
"""How many unavailable files are named in a warning."""


@dataclass(frozen=True, slots=True)
class PromptContext:
    """The messages for a model, and the sources in them."""

    messages: list[ChatMessage]
    sources: tuple[Source, ...] = ()
    warnings: tuple[str, ...] = ()
    """Sentences about unavailable files, shown below the answer."""
    tools: RetrievalTools | None = None
    """The tools that the model may call; None if it supports none, or there is nothing to search."""
    is_searched: bool = True
    """Whether there is anything to search: pictures are not, for a model that sees them."""


class PromptContextBuilder:
    """Searches with the permissions of the user who asked, at the time of the answer."""

    def __init__(
        self,
        database: Database,
        document_search: DocumentSearch,
        model: ChatModel,
        metering: Metering,
        *,
        source_tokens: int,
    ) -> None:
        self._database = database
        self._document_search = document_search
        self._model = model
        self._metering = metering
        self._source_tokens = source_tokens

    async def build(
        self, run: ClaimedRun, messages: list[ChatMessage], *, is_new: bool, sees: bool = False
    ) -> PromptContext:
        """Return the messages of a run, with sources if the conversation has context sources.

        A continued answer keeps its sources. With `sees`, the model gets pictures themselves, and nothing waits for their text.

        Raises:
            DatabaseUnavailable: when Postgres does not respond.
        """
        async with self._database.begin(run.owner_id) as session:
            known = await rows.searched(session, run.owner_id, run.conversation_id)
            if not known:
                return PromptContext(messages)
            current_user = await role_rows.get_current_user(session)
            kept = [] if is_new else await rows.sources(session, run.owner_id, run.message_id)
            if current_user is None or (sees and not await rows.have_texts(session, [item.id for item in known])):
                return PromptContext(messages, is_searched=False)
        scope = await self._document_search.scope_of(current_user, [item.id for item in known])
        model = await self._info(run.model)
        files = [item.id for item in known if item.kind is not ContextKind.COLLECTION]
        if kept:
            # Files were waited for before the first word.
            lacking = await self._until_read(current_user, files, wait_seconds=0, sees=sees)
            return replace(self._with_tools(current_user, model, messages, kept, scope), warnings=lacking)
        lacking = await self._until_read(current_user, files, sees=sees)
        passages, notice = await self._found(current_user, run, model, messages, scope)
        lacking = [*_forbidden(len(known) - scope.size), *lacking, *([notice] if notice else [])]
        sources = [Source(number, passage) for number, passage in enumerate(passages, 1)]
        async with self._database.begin(run.owner_id) as session:
            await rows.save_sources(session, run.owner_id, run.conversation_id, run.message_id, sources)
        log.info("answer grounded", run_id=str(run.id), sources=len(sources), lacking=lacking)
        return self._with_tools(current_user, model, messages, sources, scope, lacking)

    def _with_tools(
        self,
        current_user: CurrentUser,
        model: ModelInfo | None,
        messages: list[ChatMessage],
        sources: list[Source],
        scope: SearchScope,
        lacking: Sequence[str] = (),
    ) -> PromptContext:
        told, tools = with_sources(messages, sources, lacking), None
        if model is not None and "tools" in model.capabilities and not model.is_demo and not scope.is_empty:
            tools = RetrievalTools(
                self._database, self._document_search, current_user, scope, sources, self._source_tokens
            )
        return PromptContext(told, tuple(sources), tuple(lacking), tools)

    async def keep(self, run: ClaimedRun, sources: Sequence[Source]) -> None:
        """Store the sources that the model found with tools, in addition to the first ones.

        Raises:
            DatabaseUnavailable: when Postgres does not respond.
        """
        async with self._database.begin(run.owner_id) as session:
            await rows.save_sources(session, run.owner_id, run.conversation_id, run.message_id, sources)

    async def _until_read(
        self, current_user: CurrentUser, ids: list[UUID], wait_seconds: float = _WAIT_SECONDS, *, sees: bool
    ) -> tuple[str, ...]:
        """Wait for attached files that are still being ingested, since the question is probably about them.

        Returns warnings about files that are not ready afterwards, or failed.
        """
        found = rows.UnavailableDocuments()
        for _ in range(max(1, int(wait_seconds / _LOOK_SECONDS))):
            async with self._database.begin(current_user.user_id) as session:
                found = await rows.unavailable_documents(session, ids, sees=sees)
            if not found.being_read or not wait_seconds:
                break
            await asyncio.sleep(_LOOK_SECONDS)
        later = [f"{name} is not ready yet. Ask again later." for name in (*found.being_read, *found.waiting)]
        # The document's page has the reason.
        return (*_named(later), *_named([f"{name} could not be read." for name in found.failed]))

    async def _found(
        self,
        current_user: CurrentUser,
        run: ClaimedRun,
        model: ModelInfo | None,
        messages: list[ChatMessage],
        scope: SearchScope,
    ) -> tuple[Sequence[Passage], str]:
        if scope.is_empty:
            return (), ""
        is_demo = model is not None and model.is_demo
        budget = min(self._source_tokens, DEMO_TOKENS) if is_demo else self._source_tokens
        whole = await self._document_search.whole_scope(current_user, scope, budget)
        if whole is not None:
            return whole, ""
        question = await self._question(current_user.user_id, run.model, messages, is_demo=is_demo)
        if not question:
            return (), ""
        found = await self._document_search.search(current_user, question, scope, is_answer=True)
        return within_budget(found.passages, budget), found.notice

    async def _info(self, model: str) -> ModelInfo | None:
        try:
            return next((item for item in await self._model.models() if item.name == model), None)
        except ModelError:
            return None

    async def _question(self, user_id: UUID, model: str, messages: list[ChatMessage], *, is_demo: bool) -> str:
        """Return the search query; in a conversation, the answering model rewrites the question."""
        simple = standalone_question(messages)
        asked = sum(item.role is Role.USER for item in messages)
        if is_demo or asked < 2 or simple == messages[-1].content:
            return simple
        said = ""
        try:
            async with (
                asyncio.timeout(_REWRITING_SECONDS),
                aclosing(self._metering.chat(user_id, model, rewriting(messages))) as events,
            ):
                async for event in events:
                    said += event.text if isinstance(event, TextDelta) else ""
                    if len(said) > _REWRITTEN_CHARACTERS:
                        break
        except (TimeoutError, ModelError, DatabaseUnavailable):
            return simple
        return rewritten(said, simple)


def _named(sentences: Sequence[str]) -> list[str]:
    """Return the first sentences, and the number of further files."""
    rest = len(sentences) - _MOST_NAMED
    more = [f"The same is true of {rest} more file{'s' if rest > 1 else ''}."] if rest > 0 else []
    return [*sentences[:_MOST_NAMED], *more]


def _forbidden(count: int) -> list[str]:
    """Return the warning about attachments that were deleted, or that the user may no longer read."""
    return [f"{count} of the attached items was deleted, or is no longer shared with you."] if count else []

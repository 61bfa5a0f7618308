"""Meters what users ask of models: reserves their quotas before each request, and counts what it has used afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

import structlog

from rxchat.background import retry
from rxchat.db.models import quotas as rows
from rxchat.db.platform.database import Database
from rxchat.domain.chat import (
    NO_OPTIONS,
    AnswerFinished,
    ChatEvent,
    ChatMessage,
    ChatOptions,
    PreparedPrompt,
    ReasoningDelta,
    TextDelta,
    ToolCalled,
    ToolSpec,
)
from rxchat.domain.errors import DatabaseUnavailable
from rxchat.domain.ids import new_id
from rxchat.domain.ports import ChatModel
from rxchat.domain.quotas import input_tokens, output_tokens, refusal, require_possible, rough_tokens

log = structlog.get_logger(__name__)

_LEASE = timedelta(seconds=60)
_RENEW_SECONDS = 15.0
_RETRY_SECONDS = 1.0
_SETTLE_TRIES = 600
_PATIENCE_SECONDS = 2.0
"""How long a request waits until its usage is counted; afterwards it is counted in the background."""


@dataclass(slots=True)
class Receipt:
    """What a request has used, once it has ended."""

    cost: Decimal | None = None
    """In the currency of the installation; None if no price is set for the model, or it is not settled yet."""


@dataclass(slots=True)
class _Open:
    """A reservation of this process."""

    user_id: UUID
    model: str
    id: UUID
    input_tokens: int
    output_tokens: int = 0
    requests: int = 0
    """1 if the request counts: once its model has sent something, or it was stopped."""


def cost_of(receipts: Iterable[Receipt]) -> Decimal | None:
    """Return what requests have cost together; None if no price is set for the model."""
    costs = [receipt.cost for receipt in receipts if receipt.cost is not None]
    return sum(costs, Decimal(0)) if costs else None


class Metering:
    """Asks models for users, within their quotas."""

    def __init__(self, database: Database, model: ChatModel, currency: str) -> None:
        self._database = database
        self._model = model
        self.currency = currency
        self._open: dict[UUID, _Open] = {}
        self._renewing: asyncio.Task[None] | None = None
        self._settling: set[asyncio.Task[Decimal | None]] = set()

    async def chat(
        self,
        user_id: UUID,
        model: str,
        messages: Sequence[ChatMessage] | PreparedPrompt,
        tools: Sequence[ToolSpec] = (),
        options: ChatOptions = NO_OPTIONS,
        *,
        run_id: UUID | None = None,
        receipt: Receipt | None = None,
    ) -> AsyncGenerator[ChatEvent]:
        """Stream an answer for a user, as `ChatModel.chat` does. A run waits while Postgres does not respond.

        Raises:
            QuotaExceeded: when a quota of the user is used up; nothing was asked.
            DatabaseUnavailable: when Postgres does not respond, without a run.
            ModelError: as the ChatModel port.
        """
        prepared = messages if isinstance(messages, PreparedPrompt) else PreparedPrompt(list(messages))
        expected = input_tokens(prepared.messages, tools)
        longest = output_tokens(options, prepared.context_tokens)
        async with self._reserved(user_id, model, expected, longest, run_id, receipt) as held:
            try:
                async with aclosing(self._model.chat(model, messages, tools, options)) as events:
                    async for event in events:
                        _count(held, event)
                        yield event
            except (asyncio.CancelledError, GeneratorExit):
                # Stopped while the model read the question, which was sent.
                held.requests = 1
                raise

    async def metered(self, user_id: UUID, model: str, expected_tokens: int, work: Callable[[], Awaitable[Any]]) -> Any:
        """Return what `work` returns: a request to a model that writes nothing, such as for embeddings.

        Raises:
            QuotaExceeded: when a quota of the user is used up; nothing was asked.
            DatabaseUnavailable: when Postgres does not respond.
        """
        async with self._reserved(user_id, model, expected_tokens, 0, None, None) as held:
            result = await work()
            held.requests = 1
            return result

    @asynccontextmanager
    async def _reserved(
        self, user_id: UUID, model: str, expected: int, longest: int, run_id: UUID | None, receipt: Receipt | None
    ) -> AsyncGenerator[_Open]:
        require_possible(model)
        held = _Open(user_id, model, new_id(), expected)
        reserve = partial(self._reserve, held, longest, run_id)
        await (reserve() if run_id is None else retry(reserve, DatabaseUnavailable, _RETRY_SECONDS))
        self._open[held.id] = held
        self._keep_renewing()
        try:
            yield held
        finally:
            self._open.pop(held.id, None)
            settling = self._in_background(self._settle(held))
            done, _ = await asyncio.wait({settling}, timeout=_PATIENCE_SECONDS)
            if done and receipt is not None:
                receipt.cost = settling.result()

    async def _reserve(self, held: _Open, longest: int, run_id: UUID | None) -> None:
        async with self._database.begin(held.user_id) as session:
            refusing = await rows.reserve(session, held.id, run_id, held.model, held.input_tokens, longest, _LEASE)
        if refusing is not None:
            raise refusal(refusing, self.currency)

    async def _settle(self, held: _Open) -> Decimal | None:
        is_repeated = False

        async def settle() -> Decimal | None:
            nonlocal is_repeated
            try:
                async with self._database.begin(held.user_id) as session:
                    return await rows.settle(
                        session, held.id, held.model, held.requests, held.input_tokens, held.output_tokens,
                        is_repeated=is_repeated,
                    )  # fmt: skip
            finally:
                # The failed transaction may have been committed.
                is_repeated = True

        try:
            return await retry(settle, DatabaseUnavailable, _RETRY_SECONDS, tries=_SETTLE_TRIES)
        except Exception:
            # The edge of a request that has ended: its answer must not be lost with its count.
            log.exception("the usage of a request was not counted", model=held.model)
            return None

    def _in_background(self, work: Coroutine[Any, Any, Decimal | None]) -> asyncio.Task[Decimal | None]:
        task = asyncio.create_task(work, name="settling usage")
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)
        return task

    def _keep_renewing(self) -> None:
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.create_task(self._renew(), name="renewing reservations")

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(_RENEW_SECONDS)
            outputs = {held.id: held.output_tokens for held in self._open.values()}
            if not outputs:
                return
            try:
                async with self._database.begin(None) as session:
                    await rows.renew(session, outputs, _LEASE)
            except DatabaseUnavailable:
                log.warning("reservations could not be renewed, the database does not respond")

    async def purge(self) -> None:
        """Delete what processes that died have left."""
        async with self._database.begin(None) as session:
            await rows.purge(session)

    async def aclose(self) -> None:
        """Count what has ended, unless Postgres is away for long, and stop renewing."""
        if self._settling:
            await asyncio.wait(set(self._settling), timeout=_PATIENCE_SECONDS)
        for task in (*self._settling, self._renewing):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)


def _count(held: _Open, event: ChatEvent) -> None:
    """Count an event: with an estimate until the provider says its numbers."""
    held.requests = 1
    match event:
        case TextDelta(text=text) | ReasoningDelta(text=text):
            held.output_tokens += rough_tokens(text)
        case ToolCalled(call=call):
            held.output_tokens += rough_tokens(f"{call.name} {call.arguments}")
        case AnswerFinished():
            held.input_tokens = event.prompt_tokens or held.input_tokens
            held.output_tokens = event.answer_tokens or held.output_tokens

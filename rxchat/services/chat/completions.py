"""Answers for programs that keep their conversations themselves: nothing of them is stored."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from uuid import UUID

import structlog

from rxchat import observability
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.authorization import require_scope
from rxchat.domain.chat import (
    NO_OPTIONS,
    AnswerFinished,
    ChatEvent,
    ChatMessage,
    ChatOptions,
    ReasoningDelta,
    TextDelta,
    ToolSpec,
)
from rxchat.domain.errors import InvalidModelResponse, TooManyAttempts
from rxchat.domain.permissions import Scope
from rxchat.domain.ports import ChatModel
from rxchat.domain.runs import RunLimits
from rxchat.domain.text import ANSWER_CHARACTERS, sanitize
from rxchat.services.models.metering import Metering
from rxchat.services.models.parameters import require_taken
from rxchat.services.models.quotas import ModelGate

log = structlog.get_logger(__name__)

_TICK_SECONDS = 2.0
_PAUSE_SECONDS = 0.02
_WAITING_PARTS = 256
"""How many parts of an answer wait for a slow client, before the model has to wait, too."""

Parts = list[tuple[int, ChatEvent]]
"""What happened since the last time: events, each with the number of its choice."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a program asks; for several answers (choices), each with its messages."""

    model: str
    choices: Sequence[Sequence[ChatMessage]]
    tools: Sequence[ToolSpec] = ()
    options: ChatOptions = NO_OPTIONS


class Completions:
    """Asks models without a conversation, within the limits of answers that a user may have at once."""

    def __init__(
        self, model: ChatModel, metering: Metering, gate: ModelGate, limits: RunLimits, longest_seconds: float
    ) -> None:
        """`limits` hold for this process, beside the runs of conversations, which all processes count together."""
        self._model = model
        self._metering = metering
        self._gate = gate
        self._limits = limits
        self._longest_seconds = longest_seconds
        self._running: Counter[UUID] = Counter()

    @contextmanager
    def place(self, user_id: UUID, count: int = 1) -> Iterator[None]:
        """Reserve so many of the user's answers while the context is open.

        Raises:
            TooManyAttempts: when the user or the process has the maximum number.
        """
        most = self._limits.per_person
        if self._running[user_id] + count > most:
            raise TooManyAttempts(
                f"At most {most} answers are written for you at once. Wait until one has ended.", retry_after_seconds=2
            )
        if self._running.total() + count > self._limits.at_once:
            raise TooManyAttempts("Too many answers are being written. Try again in a moment.", retry_after_seconds=2)
        self._running[user_id] += count
        try:
            yield
        finally:
            self._running[user_id] -= count
            if not self._running[user_id]:
                del self._running[user_id]

    async def require(self, current_user: CurrentUser, model: str) -> None:
        """Require that the user may ask this model.

        Raises:
            NotAllowed: when the key lacks the scope, or the user may not use the model.
            QuotaExceeded: when a quota of the user is used up.
        """
        require_scope(current_user, Scope.CHAT)
        await self._gate.require_model(current_user, model)

    async def ask(self, current_user: CurrentUser, question: Question) -> AsyncGenerator[Parts | None]:
        """Yield what the models write, together as far as it has come; None every two seconds while nothing comes.

        Closing the generator stops the models. It raises as `require` and `place`, InvalidInput for an option that the model does not take, and ModelError as the ChatModel port.
        """
        await self.require(current_user, question.model)
        await require_taken(self._model, question.model, question.options, current_user)
        with self.place(current_user.user_id, len(question.choices)):
            arriving: asyncio.Queue[tuple[int, ChatEvent]] = asyncio.Queue(_WAITING_PARTS)
            writing = [
                asyncio.create_task(self._write(current_user.user_id, question, number, arriving), name="a completion")
                for number in range(len(question.choices))
            ]
            try:
                async for parts in _arrived(writing, arriving):
                    yield parts
            finally:
                for task in writing:
                    task.cancel()
                await asyncio.gather(*writing, return_exceptions=True)

    async def _write(
        self, user_id: UUID, question: Question, number: int, arriving: asyncio.Queue[tuple[int, ChatEvent]]
    ) -> None:
        length = 0
        asked = self._metering.chat(user_id, question.model, question.choices[number], question.tools, question.options)
        try:
            async with asyncio.timeout(self._longest_seconds), aclosing(asked) as events:
                async for event in events:
                    match event:
                        case TextDelta(text=text) | ReasoningDelta(text=text):
                            length += len(text)
                            await arriving.put((number, type(event)(sanitize(text))))
                        case AnswerFinished():
                            observability.TOKENS.labels(question.model).inc(event.answer_tokens)
                            await arriving.put((number, event))
                        case _:
                            await arriving.put((number, event))
                    if length >= ANSWER_CHARACTERS:
                        raise InvalidModelResponse(f"The answer was stopped at {ANSWER_CHARACTERS:,} characters.")
        except TimeoutError as error:
            minutes = self._longest_seconds / 60
            raise InvalidModelResponse(f"The answer was stopped after {minutes:g} minutes.") from error


def _joined(parts: Parts) -> Parts:
    """Return the parts with pieces of text that follow each other as one."""
    joined: Parts = []
    for number, event in parts:
        before = joined[-1] if joined else None
        match before, event:
            case (earlier, TextDelta(text=text)), TextDelta(text=more) if earlier == number:
                joined[-1] = number, TextDelta(text + more)
            case _:
                joined.append((number, event))
    return joined


def _raise_failure(writing: Sequence[asyncio.Task[None]]) -> None:
    for task in writing:
        if task.done():
            task.result()


async def _arrived(
    writing: Sequence[asyncio.Task[None]], arriving: asyncio.Queue[tuple[int, ChatEvent]]
) -> AsyncGenerator[Parts | None]:
    """Yield what has arrived, until all writers have ended; raise the error of the first one that failed."""
    getting: asyncio.Task[tuple[int, ChatEvent]] | None = None
    try:
        while True:
            getting = getting or asyncio.create_task(arriving.get())
            running = [task for task in writing if not task.done()]
            if running or not arriving.empty():
                await asyncio.wait({getting, *running}, timeout=_TICK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if getting.done():
                parts = [getting.result()]
                getting = None
                while not arriving.empty():
                    parts.append(arriving.get_nowait())
                yield _joined(parts)
                # What is written meanwhile goes into one part.
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            if not arriving.empty():
                # It was woken, and gets it in a moment.
                continue
            _raise_failure(writing)
            if all(task.done() for task in writing):
                return
            if len(running) == sum(not task.done() for task in writing):
                yield None
    finally:
        if getting is not None:
            getting.cancel()

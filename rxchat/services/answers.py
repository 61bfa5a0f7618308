"""Writing one answer: ask the model, keep what it says, and say in the end how it went."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing, suppress
from uuid import UUID

import structlog

from rxchat import observability
from rxchat.db import conversations as rows
from rxchat.db import runs as run_rows
from rxchat.db.database import Database
from rxchat.domain.chat import AnswerFinished, ChatMessage, ReasoningDelta, Role, TextDelta
from rxchat.domain.conversations import AnswerEnded, MessageState
from rxchat.domain.errors import DatabaseAway, ModelBroke, ModelError
from rxchat.domain.ids import made_at
from rxchat.domain.ports import ChatModel
from rxchat.domain.runs import ATTEMPTS, CHUNK_SECONDS, ChunkKind, ClaimedRun, RunChunk, RunState
from rxchat.domain.text import ANSWER_CHARACTERS, storable
from rxchat.services.live import LiveAnswer

log = structlog.get_logger(__name__)

_HISTORY_MESSAGES = 200
_RETRY_SECONDS = 1.0
_KINDS = (ChunkKind.REASONING, ChunkKind.TEXT)


class AnswerWriter:
    """The work on one claimed run, from the model's first token to the stored message."""

    def __init__(
        self, database: Database, model: ChatModel, engine_id: UUID, run: ClaimedRun, answer: LiveAnswer
    ) -> None:
        """Take the run on."""
        self._database = database
        self._model = model
        self._engine_id = engine_id
        self._run = run
        self._answer = answer
        self._saved = dict.fromkeys(_KINDS, 0)
        self._chunk_seq = 0
        self._pieces = 0
        self._began = time.monotonic()
        self._finished: AnswerFinished | None = None
        self._failure: ModelError | None = None

    async def write(self) -> None:
        """Have the model write the answer, and save it piece by piece; how it went is kept for `end`."""
        messages = await self._take_up()
        if self._run.attempt > ATTEMPTS:
            self._failure = ModelError("This answer was interrupted several times; it was not tried again.")
            return
        saving = asyncio.create_task(self._save_forever())
        try:
            await self._generate(messages)
        except ModelError as error:
            self._failure = error
            log.warning("the model could not answer", code=error.code, model=self._run.model, reason=error.message)
        finally:
            saving.cancel()
            # Whatever stopped the saving on the way, the whole is in memory and is stored at the end.
            (trouble,) = await asyncio.gather(saving, return_exceptions=True)
            if isinstance(trouble, Exception):
                log.error("part of an answer could not be saved", exc_info=trouble, run_id=str(self._run.id))

    async def _take_up(self) -> list[ChatMessage]:
        """Read what an earlier engine saved of this answer, and what the model is to be told; in one go, a person waits."""
        run = self._run
        async with self._database.begin(run.owner_id) as session:
            stored = await run_rows.chunks_of(session, run.owner_id, run.id)
            place = await rows.get_message(session, run.owner_id, run.conversation_id, run.message_id)
            thread = await rows.latest_messages(
                session,
                run.owner_id,
                run.conversation_id,
                limit=_HISTORY_MESSAGES,
                before_seq=place.seq if place else None,
            )
        for seq, chunk in stored:
            self._answer.heal(chunk)
            self._chunk_seq = seq
        self._saved = {kind: len(self._whole(kind)) for kind in _KINDS}
        messages = [ChatMessage(Role(row.role), row.text) for row in thread if row.text]
        if self._answer.text:
            # What is saved already goes along as the beginning of the answer, for the model to go on from.
            messages.append(ChatMessage(Role.ASSISTANT, self._answer.text))
        return messages

    async def _generate(self, messages: list[ChatMessage]) -> None:
        async with aclosing(self._model.chat(self._run.model, messages)) as events:
            async for event in events:
                match event:
                    case TextDelta(text=text):
                        self._add(ChunkKind.TEXT, text)
                    case ReasoningDelta(text=text):
                        self._add(ChunkKind.REASONING, text)
                    case AnswerFinished():
                        self._finished = event
                if len(self._answer.text) + len(self._answer.reasoning) >= ANSWER_CHARACTERS:
                    raise ModelBroke(f"The answer was cut at {ANSWER_CHARACTERS:,} characters.")

    def _add(self, kind: ChunkKind, text: str) -> None:
        if self._pieces == 0:
            observability.FIRST_TOKEN.observe(max(0.0, time.time() - made_at(self._run.id)))
        self._pieces += 1
        room = ANSWER_CHARACTERS - len(self._answer.text) - len(self._answer.reasoning)
        self._answer.add(kind, storable(text[:room]))

    def _whole(self, kind: ChunkKind) -> str:
        return self._answer.text if kind is ChunkKind.TEXT else self._answer.reasoning

    async def _save_forever(self) -> None:
        while True:
            await asyncio.sleep(CHUNK_SECONDS)
            try:
                await self._save()
            except DatabaseAway:
                # It stays in memory, and the next round tries again from where the last one got to.
                log.warning("part of an answer waits for the database", run_id=str(self._run.id))

    async def _save(self) -> None:
        for kind in _KINDS:
            whole, start = self._whole(kind), self._saved[kind]
            if len(whole) == start:
                continue
            chunk = RunChunk(kind, start, whole[start:])
            async with self._database.begin(self._run.owner_id) as session:
                stored = await run_rows.append_chunk(
                    session, self._run.owner_id, self._run.id, self._engine_id, self._chunk_seq + 1, chunk
                )
            if stored:
                self._chunk_seq += 1
                self._saved[kind] = len(whole)

    async def release(self) -> None:
        """Save the rest and give the run back for another engine to go on with."""
        with suppress(DatabaseAway):
            await self._save()
            async with self._database.begin(self._run.owner_id) as session:
                await run_rows.release(session, self._run.owner_id, self._run.id, self._engine_id)

    async def end(self, *, stopped: bool, give_up: Callable[[], bool]) -> None:
        """Store the whole answer and how it went; waits for the database as long as `give_up` says no."""
        event = self._ending(stopped=stopped)
        state = RunState(event.state.value)
        while True:
            try:
                await self._store_ending(event, state)
                break
            except DatabaseAway:
                if give_up():
                    return
                await asyncio.sleep(_RETRY_SECONDS)
        observability.RUNS.labels(state.value).inc()
        observability.TOKENS.labels(self._run.model).inc(event.tokens)
        log.info(
            "answer ended",
            state=state.value,
            model=self._run.model,
            pieces=event.tokens,
            seconds=event.seconds,
            run_id=str(self._run.id),
        )

    async def _store_ending(self, event: AnswerEnded, state: RunState) -> None:
        run = self._run
        async with self._database.begin(run.owner_id) as session:
            seq = await rows.current_seq(session, run.owner_id, run.conversation_id)
            if seq is None or not await run_rows.finish(session, run.owner_id, run.id, self._engine_id, state):
                return
            await rows.append_event(session, run.owner_id, run.conversation_id, seq, event)

    def _ending(self, *, stopped: bool) -> AnswerEnded:
        failure, text = self._failure, self._answer.text
        if failure is None and not stopped and not text:
            failure = ModelError(f"{self._run.model} ended without saying anything.")
        state = MessageState.DONE
        if self._run.attempt > ATTEMPTS:
            state = MessageState.INTERRUPTED
        elif failure is not None:
            state = MessageState.FAILED
        elif stopped:
            state = MessageState.STOPPED
        seconds = time.monotonic() - self._began
        tokens, rate = self._pieces, self._pieces / seconds if seconds > 0 else 0.0
        if self._finished is not None and self._finished.answer_tokens:
            tokens = self._finished.answer_tokens
            rate = tokens / self._finished.answer_seconds if self._finished.answer_seconds > 0 else rate
        return AnswerEnded(
            message_id=self._run.message_id,
            state=state,
            text=text,
            reasoning=self._answer.reasoning,
            error_code=failure.code if failure else "",
            error=failure.message if failure else "",
            tokens=tokens,
            seconds=round(seconds, 3),
            tokens_per_second=round(rate, 1),
        )

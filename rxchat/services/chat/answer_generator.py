"""Generates one answer: asks the model, hands its text to the flusher, and stores the result."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import replace
from uuid import UUID

import structlog

from rxchat import observability
from rxchat.db.chat import conversation_sources, run_prompts, turn_queries
from rxchat.db.chat import runs as run_rows
from rxchat.db.platform.database import Database
from rxchat.domain.chat import (
    AnswerFinished,
    ChatEvent,
    ChatMessage,
    ChatOptions,
    PreparedPrompt,
    ReasoningDelta,
    Role,
    TextDelta,
    ToolCall,
    ToolCalled,
    ToolSpec,
)
from rxchat.domain.citations import verified_numbers
from rxchat.domain.continuation import (
    AnswerRestarted,
    ContinuationJoiner,
    continuation_prompt,
    looks_complete,
    prefilled,
)
from rxchat.domain.conversation_events import AnswerEnded
from rxchat.domain.errors import AnswerInterrupted, DatabaseUnavailable, InvalidModelResponse, ModelError, ModelRefused
from rxchat.domain.ids import made_at
from rxchat.domain.model_fallbacks import may_fall_back, note_of, without_objections
from rxchat.domain.ports import ChatModel
from rxchat.domain.prompt_records import PromptRecorder, packed
from rxchat.domain.reasoning_tags import ReasoningTags, TaggedText
from rxchat.domain.retrieval import Source
from rxchat.domain.runs import ATTEMPTS, ChunkKind, ClaimedRun, PendingChunk, RunChunk, RunState
from rxchat.domain.text import ANSWER_CHARACTERS, sanitize
from rxchat.services.chat.answer_ending import WrittenAnswer, ending_of
from rxchat.services.chat.answer_prompts import AnswerPrompt, AnswerPrompts, FindFallbacks, no_fallbacks
from rxchat.services.chat.answer_stream import AnswerStream
from rxchat.services.chat.chunk_flusher import ChunkFlusher
from rxchat.services.chat.event_appender import EventAppender
from rxchat.services.models.metering import Metering, Receipt, cost_of
from rxchat.services.retrieval.retrieval_tools import ROUNDS, TOOLS, RetrievalTools

log = structlog.get_logger(__name__)

_RETRY_SECONDS = 1.0
_AT_A_STRETCH_SECONDS = 0.005
"""How long a model that writes fast may block the event loop."""
_KINDS = (ChunkKind.REASONING, ChunkKind.TEXT)


class AnswerGenerator:
    """Generates the answer of one claimed run, from the model's first token to the stored message."""

    def __init__(
        self,
        database: Database,
        model: ChatModel,
        chunk_flusher: ChunkFlusher,
        engine_id: UUID,
        run: ClaimedRun,
        answer: AnswerStream,
        longest_seconds: float,
        prompts: AnswerPrompts,
        metering: Metering,
        find_fallbacks: FindFallbacks = no_fallbacks,
    ) -> None:
        self._metering = metering
        self._receipts: list[Receipt] = []
        self._prompts = prompts
        self._find_fallbacks = find_fallbacks
        self._answering = run.model
        """The model that is asked: the one that was chosen, or a fallback."""
        self._options: ChatOptions | None = None
        """Those that the fallback takes; None for the chosen model."""
        self._prompt = AnswerPrompt()
        self._recorder = PromptRecorder()
        self._sources: tuple[Source, ...] = ()
        self._tools: RetrievalTools | None = None
        self.run = run
        self._database = database
        self._model = model
        self._chunk_flusher = chunk_flusher
        self._engine_id = engine_id
        self._answer = answer
        self._longest_seconds = longest_seconds
        self._saved = dict.fromkeys(_KINDS, 0)
        self._chunk_seq = 0
        self._pieces = 0
        self._began = time.monotonic()
        self._finished: AnswerFinished | None = None
        self._failure: ModelError | None = None
        self._is_taken_up = False
        self._pending_rewrites = 0
        self._lacking: tuple[str, ...] = ()
        self._is_grounded = False

    async def write(self) -> None:
        """Generate the answer while the flusher stores it; `end` stores the result."""
        await self._taken_up()
        if self.run.attempt > ATTEMPTS:
            self._failure = AnswerInterrupted("This answer was interrupted several times without progress.")
            return
        self._chunk_flusher.register(self.run.id, self)
        try:
            async with asyncio.timeout(self._longest_seconds):
                await self._generate(await self._grounded())
        except TimeoutError:
            self._failure = InvalidModelResponse(
                f"The answer was stopped after {self._longest_seconds / 60:g} minutes."
            )
        except ModelError as error:
            self._failure = error
        except Exception:
            # The edge of a model's response: an unexpected failure must end the answer, or it would be generated again
            # and again.
            log.exception("an answer failed unexpectedly", run_id=str(self.run.id))
            self._failure = InvalidModelResponse("An internal error interrupted this answer. The text so far is kept.")
        finally:
            # The remaining text is in memory; `end` stores it.
            self._chunk_flusher.unregister(self.run.id)
        if self._failure is not None:
            code, reason = self._failure.code, self._failure.detail or self._failure.message
            log.warning("the model could not answer", code=code, model=self.run.model, reason=reason)

    @property
    def is_over(self) -> bool:
        """Whether the model has finished or failed."""
        return self._finished is not None or self._failure is not None

    async def _taken_up(self) -> None:
        """Load the history and the stored text; the lease is renewed meanwhile."""
        self._prompt = await self._prompts.load(self.run)
        written = self._prompt.written
        for kind, text in zip(_KINDS, (written.reasoning, written.text), strict=True):
            self._answer.apply(RunChunk(kind, 0, text))
        self._chunk_seq = written.seq
        self._saved = self._answer.stored = {kind: len(self._answer.whole(kind)) for kind in _KINDS}
        self._is_taken_up = True

    async def _grounded(self) -> list[ChatMessage]:
        """Return the messages with the passages of the context sources."""
        self._prompt = await self._prompts.answerable(self.run, self._prompt)
        grounded = await self._prompts.grounded(self.run, self._prompt, is_new=not self._answer.text)
        self._sources, self._lacking, self._is_grounded = grounded.sources, grounded.warnings, grounded.is_searched
        self._tools = grounded.tools if self._prompt.may_use_tools else None
        return grounded.messages

    async def _generate(self, messages: list[ChatMessage]) -> None:
        said = self._answer.text
        if not said:
            await self._answer_with_tools(messages)
            return
        rewrites = self._answer.rewrites
        for asked in (prefilled(messages, said), continuation_prompt(messages, said)):
            try:
                await self._consume(asked, said)
            except (AnswerRestarted, ModelRefused) as error:
                log.info("the model did not continue the answer", run_id=str(self.run.id), why=type(error).__name__)
                if self._has_continued(said, rewrites):
                    break
                continue
            if self._has_continued(said, rewrites) or looks_complete(said):
                return
        self._failure = AnswerInterrupted("This answer was interrupted, and the model did not continue it.")

    def _has_continued(self, said: str, rewrites: int) -> bool:
        """Whether the model has added to what was said, or made it its reasoning."""
        return len(self._answer.text) > len(said) or self._answer.rewrites != rewrites

    async def _answer_with_tools(self, messages: list[ChatMessage]) -> None:
        """Generate the answer; while the model calls tools, send it their results in another request."""
        for left in reversed(range(ROUNDS + 1)):
            # The last request has no tools, so that the model has to answer.
            tools, said = TOOLS if self._tools is not None and left else (), len(self._answer.text)
            calls = await self._consume_or_fall_back(messages, tools)
            if not calls or self._tools is None:
                return
            spoken = self._answer.text[said:]
            messages = [*messages, ChatMessage(Role.ASSISTANT, spoken, tool_calls=tuple(calls))]
            for call in calls:
                log.info("a model called a tool", tool=call.name, run_id=str(self.run.id))
                messages.append(ChatMessage(Role.TOOL, await self._tools.call(call), tool_name=call.name))
            await self._keep_sources(self._tools)

    async def _consume_or_fall_back(self, messages: list[ChatMessage], tools: Sequence[ToolSpec]) -> list[ToolCall]:
        """Process the model's events; if it fails before its first token, those of its fallbacks in turn."""
        try:
            return await self._consume(messages, tools=tools)
        except ModelError as error:
            if self._pieces or not may_fall_back(error):
                raise
            failure = error
        for model in await self._find_fallbacks(self.run.owner_id, self.run.model):
            if model == self._answering:
                continue
            log.info("a fallback model is asked", model=self.run.model, fallback=model, code=failure.code)
            self._answering = model
            support = await self._model.parameters(model)
            self._options = without_objections(model, self._prompt.options, support)
            try:
                # Without tools and pictures, which it may not be able to use; passages that were found are in the messages.
                await self._consume([replace(message, images=()) for message in messages])
            except ModelError as error:
                if self._pieces:
                    raise
                log.info("a fallback model failed, too", fallback=model, code=error.code)
                continue
            observability.MODEL_FALLBACKS.labels(self.run.model).inc()
            return []
        self._answering = self.run.model
        raise failure

    async def _keep_sources(self, tools: RetrievalTools) -> None:
        if len(tools.sources) > len(self._sources):
            self._sources = tuple(tools.sources)
            await self._prompts.keep(self.run, self._sources)

    async def _consume(
        self, messages: list[ChatMessage], said: str = "", tools: Sequence[ToolSpec] = ()
    ) -> list[ToolCall]:
        """Process the model's events, and return its tool calls; an answer that it continues begins with `said`."""
        # Another request is being made, so the answer has not ended.
        self._finished = None
        calls: list[ToolCall] = []
        seam, tags, start = ContinuationJoiner(said), ReasoningTags(said), 0 if said else len(self._answer.text)
        if said and self._answer.reasoning:
            tags.has_other_reasoning()
        stretch = time.monotonic()
        try:
            options = self._options or self._prompt.options
            prepared = await self._model.prepare(self._answering, messages, options)
            self._recorder.sent(prepared, messages, tools)
            async with aclosing(self._metered(prepared, tools, options)) as events:
                async for event in events:
                    match event:
                        case ToolCalled(call=call):
                            calls.append(call)
                        case TextDelta(text=text):
                            self._add_text(tags.feed(seam.feed(sanitize(text))), start)
                        case ReasoningDelta(text=text):
                            tags.has_other_reasoning()
                            self._add(ChunkKind.REASONING, sanitize(text))
                        case AnswerFinished():
                            self._finished = event
                            self._recorder.finished(event)
                            self._add_text(tags.feed(seam.close()), start)
                    if len(self._answer.text) + len(self._answer.reasoning) >= ANSWER_CHARACTERS:
                        raise InvalidModelResponse(f"The answer was stopped at {ANSWER_CHARACTERS:,} characters.")
                    if time.monotonic() - stretch > _AT_A_STRETCH_SECONDS:
                        await asyncio.sleep(0)
                        stretch = time.monotonic()
        finally:
            self._add_text(tags.close(), start)
        return calls

    def _metered(
        self, prompt: PreparedPrompt, tools: Sequence[ToolSpec], options: ChatOptions
    ) -> AsyncGenerator[ChatEvent]:
        self._receipts.append(Receipt())
        return self._metering.chat(
            self.run.owner_id, self._answering, prompt, tools, options, run_id=self.run.id, receipt=self._receipts[-1]
        )

    def _add_text(self, pieces: Iterable[TaggedText], start: int) -> None:
        """Add the text of a request, which began at `start`, and of which a part may be reasoning between tags."""
        for piece in pieces:
            self._add(piece.kind, piece.text)
            if piece.ends_reasoning:
                self._answer.move_to_reasoning(start)
                self._saved[ChunkKind.TEXT] = min(self._saved[ChunkKind.TEXT], start)

    def _add(self, kind: ChunkKind, text: str) -> None:
        if not text:
            return
        self._recorder.arrived()
        if self._pieces == 0:
            observability.FIRST_TOKEN.observe(max(0.0, time.time() - made_at(self.run.id)))
        if kind is ChunkKind.REASONING and self._pieces == 0 and self._answer.reasoning:
            # After a takeover the model reasons again, separately from the stored reasoning.
            text = f"\n\n{text}"
        self._pieces += 1
        room = ANSWER_CHARACTERS - len(self._answer.text) - len(self._answer.reasoning)
        self._answer.add(kind, text[:room])
        self._chunk_flusher.wake()

    def pending(self) -> list[PendingChunk]:
        """Return the text that is not stored yet."""
        self._pending_rewrites = self._answer.rewrites
        unsaved = [
            kind
            for kind in _KINDS
            if len(self._answer.whole(kind)) > self._saved[kind]
            or (kind is ChunkKind.TEXT and self._answer.is_move_unstored)
        ]
        return [
            PendingChunk(
                self.run.id,
                self.run.fence,
                self._chunk_seq + number,
                RunChunk(kind, self._saved[kind], self._answer.whole(kind)[self._saved[kind] :]),
            )
            for number, kind in enumerate(unsaved, start=1)
        ]

    def stored(self, pieces: Iterable[PendingChunk]) -> None:
        """Note that these chunks are stored."""
        # Text that became reasoning while it was being stored has to be stored again.
        is_current = self._answer.rewrites == self._pending_rewrites
        for piece in pieces:
            self._chunk_seq = piece.seq
            if piece.chunk.kind is not ChunkKind.TEXT or is_current:
                self._saved[piece.chunk.kind] = piece.chunk.start + len(piece.chunk.text)
                if piece.chunk.kind is ChunkKind.TEXT:
                    self._answer.is_move_unstored = False

    async def end(self, *, stopped: bool, give_up: Callable[[], bool]) -> None:
        """Store the whole answer and its state; retries while the database does not respond, until `give_up` returns True."""
        event = self._result(stopped=stopped)
        state = RunState(event.state.value)
        record = self._recorder.record(
            self._answering, self._prompt.parameters, self._sources, self._prompt.messages, cost_of(self._receipts),
            self._metering.currency,
        )  # fmt: skip
        # Half a megabyte would keep the other streams waiting, and the conversation locked.
        content = await asyncio.to_thread(packed, record) if record is not None else None
        while True:
            try:
                if await self._store_ending(event, state, content):
                    break
                log.warning("an answer was ended by another engine", run_id=str(self.run.id))
                return
            except DatabaseUnavailable:
                if give_up():
                    return
                await asyncio.sleep(_RETRY_SECONDS)
        observability.RUNS.labels(state.value).inc()
        observability.TOKENS.labels(self._answering).inc(event.tokens)
        log.info(
            "answer ended",
            state=state.value,
            model=self.run.model,
            pieces=event.tokens,
            seconds=event.seconds,
            run_id=str(self.run.id),
        )

    async def _store_ending(self, event: AnswerEnded, state: RunState, record: bytes | None) -> bool:
        run = self.run
        async with self._database.begin(run.owner_id) as session:
            locked = await turn_queries.lock(session, run.owner_id, run.conversation_id)
            if not self._is_taken_up:
                # The run was stopped before the stored text was loaded; it is kept.
                written = await run_rows.partial_answer(session, run.owner_id, run.id)
                event = replace(event, text=written.text, reasoning=written.reasoning)
            if locked is None or not await run_rows.finish(session, run, self._engine_id, state):
                return False
            if record is not None:
                await run_prompts.add(session, run, record)
            if event.citations:
                numbers = verified_numbers(event.citations)
                await conversation_sources.mark_cited(session, run.owner_id, run.message_id, numbers)
            await EventAppender(session, run.owner_id, run.conversation_id, locked.seq, locked.leaf_id).end(event)
        return True

    def _result(self, *, stopped: bool) -> AnswerEnded:
        is_other = self._answering != self.run.model and self._pieces > 0
        notes = [note_of(self.run.model, self._answering)] if is_other else []
        written = WrittenAnswer(
            message_id=self.run.message_id,
            model=self.run.model,
            text=self._answer.text,
            reasoning=self._answer.reasoning,
            finished=self._finished,
            failure=self._failure,
            pieces=self._pieces,
            seconds=time.monotonic() - self._began,
            sources=self._sources,
            is_grounded=self._is_grounded,
            lacking=(*notes, *self._lacking),
            parameters=self._prompt.parameters,
        )
        return ending_of(written, stopped=stopped)

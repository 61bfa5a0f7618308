"""The end of an answer: its state, what is wrong with it, and its statistics."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from rxchat.domain.chat import AnswerFinished
from rxchat.domain.citations import as_data, citations_of, verified_numbers
from rxchat.domain.conversation_events import AnswerEnded
from rxchat.domain.errors import AnswerInterrupted, ModelError
from rxchat.domain.grounding import NO_SOURCE_USED
from rxchat.domain.messages import MessageState
from rxchat.domain.retrieval import Source
from rxchat.domain.text import sanitize


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenAnswer:
    """What has come of a run."""

    message_id: UUID
    model: str
    text: str
    reasoning: str
    finished: AnswerFinished | None
    failure: ModelError | None
    pieces: int
    seconds: float
    sources: tuple[Source, ...] = ()
    is_grounded: bool = False
    lacking: tuple[str, ...] = ()
    """Warnings about files that could not be searched."""
    parameters: dict[str, Any] = field(default_factory=dict)


def ending_of(written: WrittenAnswer, *, stopped: bool) -> AnswerEnded:
    """Return the event that ends an answer."""
    failure = written.failure or (None if stopped else _shortcoming(written))
    state = MessageState.DONE
    if isinstance(failure, AnswerInterrupted):
        state = MessageState.INTERRUPTED
    elif failure is not None:
        state = MessageState.FAILED
    elif stopped:
        state = MessageState.STOPPED
    seconds, tokens, finished = written.seconds, written.pieces, written.finished
    rate = tokens / seconds if seconds > 0 else 0.0
    if finished is not None and finished.answer_tokens:
        tokens = finished.answer_tokens
        rate = tokens / finished.answer_seconds if finished.answer_seconds > 0 else rate
    citations = as_data(citations_of(written.text, written.sources)) if written.sources else []
    uses_none = written.is_grounded and bool(written.text) and not verified_numbers(citations)
    return AnswerEnded(
        message_id=written.message_id,
        state=state,
        text=written.text,
        reasoning=written.reasoning,
        error_code=failure.code if failure else "",
        error=sanitize(failure.message) if failure else "",
        error_detail=sanitize(failure.detail) if failure else "",
        tokens=tokens,
        seconds=round(seconds, 3),
        tokens_per_second=round(rate, 1),
        citations=citations,
        warnings=[*map(sanitize, written.lacking), *([NO_SOURCE_USED] if uses_none else [])],
        parameters=written.parameters,
    )


def _shortcoming(written: WrittenAnswer) -> ModelError | None:
    """What is wrong with an answer that the model itself has ended."""
    model, is_cut = written.model, written.finished is not None and written.finished.reason == "length"
    if written.text.strip():
        return AnswerInterrupted("The answer was cut off: the model reached its limit.") if is_cut else None
    if not written.reasoning.strip():
        return ModelError(f"{model} returned an empty answer. Try again, or choose another model.")
    why = "reached its limit while it was reasoning" if is_cut else "stopped after its reasoning"
    return ModelError(f"{model} {why}, without an answer. Try again, or choose another model.")

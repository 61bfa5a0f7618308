"""Runs for programs: their state, their events as server-sent events, and a stop."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Request
from pydantic import BaseModel

from rxchat.api.errors import error_body
from rxchat.api.event_streams import STREAM, LastingResponse, sse, watched
from rxchat.api.requests import ServicesDep, SignedIn
from rxchat.api.v1.messages import Stopped
from rxchat.api.v1.scopes import needs
from rxchat.domain.errors import RxChatError
from rxchat.domain.permissions import Scope
from rxchat.domain.run_events import FollowedRun, RunEnded, RunEvent, RunPiece, RunProgress
from rxchat.domain.runs import RunState

PATH = "/api/v1/runs"
_RETRY = b"retry: 1000\n\n"

router = APIRouter(prefix=PATH, tags=["runs"])


class RunOut(BaseModel):
    """A run: one generation of an answer. `error_code` and `error` say why it failed."""

    id: UUID
    conversation_id: UUID
    message_id: UUID
    model: str
    state: RunState
    error_code: str
    error: str
    tokens: int
    seconds: float


class SeenMessage(BaseModel):
    """A message as the model received it; of `images`, only their number. `cut_characters` are not kept."""

    role: str
    content: str
    tool_calls: list[dict[str, Any]] = []
    tool_name: str = ""
    images: int = 0
    cut_characters: int = 0


class SeenSource(BaseModel):
    """A passage that the model was shown; without its name if you may not read its document any more."""

    number: int
    document_id: UUID
    name: str
    heading: str
    page: int
    is_hidden: bool = False


class ModelRequest(BaseModel):
    """One request to the model, with the counts and times of its host; there are several when it calls tools."""

    reason: str
    prompt_tokens: int
    answer_tokens: int
    load_seconds: float
    prompt_seconds: float
    answer_seconds: float


class PromptOut(BaseModel):
    """What the model saw: the messages after fitting, and those that did not fit (`left_out`). `cost` is null if no price is set for the model."""

    run_id: UUID
    message_id: UUID
    model: str
    digest: str
    context_tokens: int
    parameters: dict[str, Any]
    messages: list[SeenMessage]
    left_out: list[SeenMessage]
    tools: list[str]
    sources: list[SeenSource]
    requests: list[ModelRequest]
    first_token_seconds: float | None
    seconds: float
    cost: float | None
    currency: str = ""


@router.get("/{run_id}", **needs(Scope.READ))
async def get_run(run_id: UUID, current_user: SignedIn, services: ServicesDep) -> RunOut:
    """Return one of the user's runs."""
    return RunOut.model_validate(await services.chat.run_follower.find(current_user, run_id), from_attributes=True)


@router.get("/{run_id}/prompt", **needs(Scope.READ))
async def get_run_prompt(run_id: UUID, current_user: SignedIn, services: ServicesDep) -> PromptOut:
    """Return what the model saw for one of the user's runs, once it has ended; 404 if nothing was sent, or nothing is kept."""
    return PromptOut.model_validate(await services.chat.prompt_records.of_run(current_user, run_id))


@router.post("/{run_id}/stop", **needs(Scope.CHAT))
async def stop_run_v1(run_id: UUID, current_user: SignedIn, services: ServicesDep) -> Stopped:
    """Stop a run; false when it has ended. Its text so far is kept."""
    return Stopped(stopped=await services.chat.run_follower.stop(current_user, run_id))


@router.get("/{run_id}/events", **needs(Scope.READ, STREAM))
async def follow_run(
    run_id: UUID,
    request: Request,
    current_user: SignedIn,
    services: ServicesDep,
    last_event_id: Annotated[str, Header(max_length=100)] = "",
) -> LastingResponse:
    """Follow a run as server-sent events until it has ended; `Last-Event-ID` resumes after an event, in any process.

    `run.progress` says `queued` (with a position) or `running`. `run.text` and `run.reasoning` have an `offset` in code points and
    a `text`, which replaces everything from there on. `run.ended` is the last event. `error` has a problem: the key was
    revoked, or the database does not respond; then connect again.
    """
    run = await services.chat.run_follower.find(current_user, run_id)
    follower = services.chat.run_follower.follow(current_user, run, last_event_id)

    def failed(error: RxChatError) -> bytes:
        return sse(error_body(request.url.path, error), "error")

    return LastingResponse(watched(request, services, _encoded(follower), failed))


async def _encoded(events: AsyncGenerator[RunEvent | None]) -> AsyncGenerator[bytes | None]:
    yield _RETRY
    async with aclosing(events) as found:
        async for event in found:
            yield None if event is None else _event(event)


def _event(event: RunEvent) -> bytes:
    match event:
        case RunPiece(kind=kind, offset=offset, text=text, cursor=cursor):
            return sse({"offset": offset, "text": text}, f"run.{kind.value}", cursor)
        case RunProgress(run=run, state=state, position=position):
            return sse(_facts(run) | {"state": state.value, "position": position}, "run.progress")
        case RunEnded(run=run, cursor=cursor):
            error = {"code": run.error_code, "message": run.error} if run.error_code else None
            ending = {"state": run.state.value, "error": error, "tokens": run.tokens, "seconds": run.seconds}
            return sse(_facts(run) | ending, "run.ended", cursor)


def _facts(run: FollowedRun) -> dict[str, Any]:
    return {
        "run_id": str(run.id),
        "conversation_id": str(run.conversation_id),
        "message_id": str(run.message_id),
        "model": run.model,
    }

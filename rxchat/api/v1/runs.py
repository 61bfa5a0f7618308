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


@router.get("/{run_id}", **needs(Scope.READ))
async def get_run(run_id: UUID, current_user: SignedIn, services: ServicesDep) -> RunOut:
    """Return one of the user's runs."""
    return RunOut.model_validate(await services.chat.run_follower.find(current_user, run_id), from_attributes=True)


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

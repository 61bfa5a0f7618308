"""Messages for programs: send, read, edit, answer again, continue, choose, delete, restore, stop."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from rxchat.api.idempotency import IdempotencyKey, once
from rxchat.api.requests import ServicesDep, SignedIn
from rxchat.api.v1.conversations import PATH
from rxchat.api.v1.scopes import needs
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.chat import Role
from rxchat.domain.errors import InvalidInput
from rxchat.domain.ids import new_id
from rxchat.domain.messages import MessageState, ThreadMessage
from rxchat.domain.model_parameters import SYSTEM_PROMPT_CHARACTERS, Configuration
from rxchat.domain.permissions import Action, ResourceKind, Scope
from rxchat.domain.text import ANSWER_CHARACTERS, MESSAGE_CHARACTERS
from rxchat.services.app.container import Services
from rxchat.services.chat.context_sources import Attached
from rxchat.services.chat.messages import Turn

router = APIRouter(tags=["messages"])
_MOST_MESSAGES = 100
_MOST_ATTACHED = 50
_MODEL_CHARACTERS = 300
Parameters = Annotated[
    dict[str, Any], Field(max_length=20, examples=[{"temperature": 0.2, "max_tokens": 500, "stop": ["END"]}])
]
"""Parameters by name: temperature, top_p, top_k, seed, stop, max_tokens, num_ctx, keep_alive, reasoning_effort."""
_IN = f"{PATH}/{{conversation_id}}"
_MESSAGE = f"{_IN}/messages/{{message_id}}"


class NewMessage(BaseModel, extra="forbid"):
    """A question. Send the same `id` (a UUID, best version 7) again if you did not receive the answer: it asks once."""

    text: str = Field(max_length=MESSAGE_CHARACTERS, examples=["Why is the sky blue?"])
    model: str = Field(default="", max_length=_MODEL_CHARACTERS, examples=["llama3.2:latest"])
    """Empty: the conversation's model, or the default one."""
    id: UUID | None = None
    attachments: list[UUID] = Field(default_factory=list, max_length=_MOST_ATTACHED)
    """IDs of collections and documents to draw on; this needs the scope `files`, too."""
    parameters: Parameters = Field(default_factory=dict)
    """For this answer alone; they come before those of the conversation."""


class FirstMessage(NewMessage):
    """The question that begins a conversation, and what is set for all of it."""

    system_prompt: str = Field(default="", max_length=SYSTEM_PROMPT_CHARACTERS)
    conversation_parameters: Parameters = Field(default_factory=dict)
    assistant_id: UUID | None = None
    """An assistant whose newest version the conversation has; without a `model`, its model answers."""


class NextMessage(NewMessage):
    """A question in a conversation. During an answer it is queued, unless it names a parent."""

    parent_id: UUID | None = None
    """The answer that it follows, or the conversation's ID for another first question; by default the last one that is shown."""


class TurnOut(BaseModel):
    """A question, and the run that answers it; no run while it is queued behind another answer."""

    conversation_id: UUID
    message_id: UUID
    is_queued: bool
    run_id: UUID | None
    answer_id: UUID | None


class RunStarted(BaseModel):
    """A run that has begun."""

    run_id: UUID


class MessageOut(BaseModel):
    """A message; `versions` are the IDs of all messages with the same parent, itself too."""

    id: UUID
    parent_id: UUID | None
    role: Role
    text: str
    reasoning: str
    model: str
    state: MessageState
    error_code: str
    error: str
    tokens: int
    seconds: float
    tokens_per_second: float
    citations: list[dict[str, Any]]
    warnings: list[str]
    parameters: dict[str, Any]
    """Of a question, those that were sent with it; of an answer, those that it was written with."""
    attachments: list[dict[str, Any]]
    versions: list[UUID]
    created_at: datetime | None


class MessagesOut(BaseModel):
    """Messages of the branch that is shown, in order; earlier ones are before the first of them."""

    messages: list[MessageOut]
    has_older: bool
    seq: int


class EditedMessage(BaseModel, extra="forbid"):
    """Another version of a question (with a model and an ID), or of an answer."""

    text: str = Field(max_length=ANSWER_CHARACTERS)
    model: str = Field(default="", max_length=_MODEL_CHARACTERS)
    id: UUID | None = None


class AnsweringModel(BaseModel, extra="forbid"):
    """The model that answers; empty: the one of the conversation."""

    model: str = Field(default="", max_length=_MODEL_CHARACTERS)


class Stopped(BaseModel):
    """Whether an answer was in progress."""

    stopped: bool


async def _model_for(
    services: Services, current_user: CurrentUser, wanted: str, conversation_id: UUID | None = None
) -> str:
    """Return the wanted model, else the conversation's, else the first one that the user may use."""
    if wanted:
        return wanted
    if conversation_id is not None:
        facts = await services.chat.conversation_changes.facts(current_user, conversation_id)
        if facts.model:
            return facts.model
    offer = await services.models.catalog.offer()
    names = [offer.default, *(model.name for model in offer.models)]
    usable = await services.access.grants.usable(current_user, ResourceKind.MODEL, Action.USE, names)
    return next((name for name in names if name in usable), offer.default)


def _created(body: BaseModel, **headers: str) -> Response:
    return JSONResponse(body.model_dump(mode="json"), 201, headers)


@router.post(PATH, status_code=201, response_model=TurnOut, **needs(Scope.CHAT))
async def begin_conversation(
    body: FirstMessage,
    request: Request,
    current_user: SignedIn,
    services: ServicesDep,
    idempotency_key: IdempotencyKey = "",
) -> Response:
    """Begin a conversation with a question, whose answer starts at once."""

    async def make(message_id: UUID | None) -> Response:
        body.id = body.id or message_id
        turn = await _begin(services, current_user, body)
        return _created(turn, Location=f"{PATH}/{turn.conversation_id}")

    return await once(request, services, current_user, idempotency_key, body, make)


async def _model_of(services: Services, current_user: CurrentUser, assistant_id: UUID | None) -> str:
    if assistant_id is None:
        return ""
    return (await services.chat.assistants.get(current_user, assistant_id)).content.model


async def _begin(services: Services, current_user: CurrentUser, body: FirstMessage) -> TurnOut:
    turn = await services.chat.messages.send_message(
        current_user,
        None,
        body.text,
        await _model_for(
            services, current_user, body.model or await _model_of(services, current_user, body.assistant_id)
        ),
        question_id=body.id,
        attached=Attached(tuple(body.attachments)),
        parameters=body.parameters,
        configuration=Configuration(body.system_prompt, body.conversation_parameters),
        assistant_id=body.assistant_id,
    )
    return await _turn(services, current_user, turn)


@router.post(f"{_IN}/messages", status_code=201, response_model=TurnOut, **needs(Scope.CHAT))
async def send_message(
    conversation_id: UUID,
    body: NextMessage,
    request: Request,
    current_user: SignedIn,
    services: ServicesDep,
    idempotency_key: IdempotencyKey = "",
) -> Response:
    """Ask a question in a conversation; after a parent, as a branch of its own."""

    async def make(message_id: UUID | None) -> Response:
        body.id = body.id or message_id
        return _created(await _send(services, current_user, conversation_id, body))

    return await once(request, services, current_user, idempotency_key, body, make)


async def _send(services: Services, current_user: CurrentUser, conversation_id: UUID, body: NextMessage) -> TurnOut:
    model = await _model_for(services, current_user, body.model, conversation_id)
    if body.parent_id is None:
        turn = await services.chat.messages.send_message(
            current_user,
            conversation_id,
            body.text,
            model,
            question_id=body.id,
            attached=Attached(tuple(body.attachments)),
            parameters=body.parameters,
        )
        return await _turn(services, current_user, turn)
    if body.attachments:
        raise InvalidInput("Attach files to a message without a parent.", field="attachments")
    question_id = body.id or new_id()
    await services.chat.branches.ask_after(
        current_user,
        conversation_id,
        body.parent_id,
        body.text,
        model,
        question_id=question_id,
        parameters=body.parameters,
    )
    return await _turn(services, current_user, Turn(conversation_id, question_id, is_new=False))


async def _turn(services: Services, current_user: CurrentUser, turn: Turn) -> TurnOut:
    run = await services.chat.run_follower.run_of(current_user, turn.conversation_id, turn.question_id)
    run_id, answer_id = run or (None, None)
    return TurnOut(
        conversation_id=turn.conversation_id,
        message_id=turn.question_id,
        is_queued=run is None,
        run_id=run_id,
        answer_id=answer_id,
    )


@router.get(f"{_IN}/messages", **needs(Scope.READ))
async def list_messages(
    conversation_id: UUID,
    current_user: SignedIn,
    services: ServicesDep,
    before: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=_MOST_MESSAGES)] = 50,
) -> MessagesOut:
    """Return the last messages of the branch that is shown, or those before a message."""
    page = await services.chat.conversations.open(current_user, conversation_id, before=before, limit=limit)
    return MessagesOut(messages=[_out(item) for item in page.messages], has_older=page.has_older, seq=page.seq)


@router.get(_MESSAGE, **needs(Scope.READ))
async def get_message(
    conversation_id: UUID, message_id: UUID, current_user: SignedIn, services: ServicesDep
) -> MessageOut:
    """Return a message; of another user's conversation, only one that is shown."""
    return _out(await services.chat.conversations.message(current_user, conversation_id, message_id))


def _out(message: ThreadMessage) -> MessageOut:
    return MessageOut.model_validate(message, from_attributes=True)


@router.post(f"{_MESSAGE}/edit", status_code=201, **needs(Scope.CHAT))
async def edit_message(
    conversation_id: UUID, message_id: UUID, body: EditedMessage, current_user: SignedIn, services: ServicesDep
) -> TurnOut | None:
    """Add another version: of a question, which is answered; of an answer, as you have written it (the response is null)."""
    edited = await services.chat.conversations.message(current_user, conversation_id, message_id)
    if edited.role is Role.ASSISTANT:
        await services.chat.branches.edit_answer(current_user, conversation_id, message_id, body.text)
        return None
    question_id = body.id or new_id()
    model = await _model_for(services, current_user, body.model, conversation_id)
    await services.chat.branches.edit_question(
        current_user, conversation_id, message_id, body.text, model, question_id=question_id
    )
    return await _turn(services, current_user, Turn(conversation_id, question_id, is_new=False))


@router.post(f"{_MESSAGE}/regenerate", status_code=201, response_model=RunStarted, **needs(Scope.CHAT))
async def regenerate_answer(
    conversation_id: UUID,
    message_id: UUID,
    body: AnsweringModel,
    request: Request,
    current_user: SignedIn,
    services: ServicesDep,
    idempotency_key: IdempotencyKey = "",
) -> Response:
    """Write another answer to a question, or to the question of an answer; the earlier ones stay as versions."""

    async def make(_: UUID | None) -> Response:
        model = await _model_for(services, current_user, body.model, conversation_id)
        run_id = await services.chat.branches.regenerate(current_user, conversation_id, message_id, model)
        return _created(RunStarted(run_id=run_id))

    return await once(request, services, current_user, idempotency_key, body, make)


@router.post(f"{_MESSAGE}/continue", status_code=201, **needs(Scope.CHAT))
async def continue_answer(
    conversation_id: UUID, message_id: UUID, current_user: SignedIn, services: ServicesDep
) -> RunStarted:
    """Continue a failed or stopped answer from its text."""
    run_id = await services.chat.messages.continue_answer(current_user, conversation_id, message_id)
    return RunStarted(run_id=run_id)


@router.post(f"{_MESSAGE}/retry", status_code=201, **needs(Scope.CHAT))
async def retry_answer(
    conversation_id: UUID, message_id: UUID, current_user: SignedIn, services: ServicesDep
) -> RunStarted:
    """Write a failed or stopped answer again, in its place."""
    return RunStarted(run_id=await services.chat.messages.retry(current_user, conversation_id, message_id))


@router.post(f"{_MESSAGE}/choose", status_code=204, **needs(Scope.CHAT))
async def choose_version(
    conversation_id: UUID, message_id: UUID, current_user: SignedIn, services: ServicesDep
) -> None:
    """Show the newest branch that contains this message."""
    await services.chat.branches.choose_version(current_user, conversation_id, message_id)


@router.delete(_MESSAGE, status_code=204, **needs(Scope.CHAT))
async def delete_message(
    conversation_id: UUID, message_id: UUID, current_user: SignedIn, services: ServicesDep
) -> None:
    """Delete a message with what follows it; it can be restored."""
    await services.chat.branches.delete(current_user, conversation_id, message_id)


@router.post(f"{_MESSAGE}/restore", status_code=204, **needs(Scope.CHAT))
async def restore_message(
    conversation_id: UUID, message_id: UUID, current_user: SignedIn, services: ServicesDep
) -> None:
    """Restore a deleted message with what follows it."""
    await services.chat.branches.restore(current_user, conversation_id, message_id)


@router.post(f"{_IN}/stop", **needs(Scope.CHAT))
async def stop_answer(conversation_id: UUID, current_user: SignedIn, services: ServicesDep) -> Stopped:
    """Stop the answer that is being written; false when there is none. The next queued message is sent."""
    return Stopped(stopped=await services.chat.messages.stop(current_user, conversation_id))


@router.delete(f"{_IN}/queued/{{message_id}}", status_code=204, **needs(Scope.CHAT))
async def cancel_queued(conversation_id: UUID, message_id: UUID, current_user: SignedIn, services: ServicesDep) -> None:
    """Remove a queued message."""
    await services.chat.messages.cancel_queued(current_user, conversation_id, message_id)

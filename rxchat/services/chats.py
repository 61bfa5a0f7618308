"""Asking, trying again and stopping: what a person does to have an answer written."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from rxchat.db import conversations as rows
from rxchat.db import runs as run_rows
from rxchat.db.database import Database
from rxchat.domain.accounts import Viewer
from rxchat.domain.chat import Role
from rxchat.domain.conversations import (
    AnswerStarted,
    ConversationCreated,
    ConversationEvent,
    MessageState,
    ModelChosen,
    QuestionAsked,
)
from rxchat.domain.errors import Conflict, InvalidInput, NotAllowed, NotFound
from rxchat.domain.ids import new_id
from rxchat.domain.permissions import Action, Permission, ResourceKind, Scope, require, require_scope
from rxchat.domain.text import MESSAGE_CHARACTERS, storable, title_of
from rxchat.observability import correlation_id
from rxchat.services.teams import Teams
from rxchat.tables import Run


@dataclass(frozen=True, slots=True)
class Turn:
    """A question that was stored; a run is queued to answer it."""

    conversation_id: UUID
    question_id: UUID
    is_new: bool
    """Whether the conversation begins with it."""


class Chats:
    """The use cases around a turn."""

    def __init__(self, database: Database, teams: Teams) -> None:
        """Know where truth lives, and who says what people may use."""
        self._database = database
        self._teams = teams

    async def ask(
        self, viewer: Viewer, conversation_id: UUID | None, text: str, model: str, *, question_id: UUID | None = None
    ) -> Turn:
        """Store a question and queue the run that answers it; without a conversation, begin one.

        Whoever sends the same `question_id` again (because the line broke before the answer came) asks once.

        Raises:
            InvalidInput: when the text is blank or too long, or no model is chosen.
            NotFound: when the conversation is unknown or someone else's.
            Conflict: when an answer is being written there already.
            NotAllowed: when the person may not use this model, or not begin conversations.
        """
        text = _valid_question(text)
        require_scope(viewer, Scope.CHAT)
        if conversation_id is None:
            require(viewer, Permission.CONVERSATIONS_CREATE)
        await self._require_model(viewer, model)
        question_id = question_id or new_id()
        async with self._database.begin(viewer.user_id) as session:
            known = await rows.conversation_of(session, viewer.user_id, question_id)
            if known is not None:
                return Turn(known, question_id, is_new=False)
            if not model:
                raise InvalidInput("There is no model to ask: connect Ollama, or wait until the model host answers.")
            is_new = conversation_id is None
            if conversation_id is None:
                conversation_id = new_id()
                begun = await self._created(session, viewer, conversation_id, title_of(text), model)
            else:
                begun = await self._continued(session, viewer, conversation_id, model)
            await begun.append(QuestionAsked(message_id=question_id, text=text))
            await begun.queue_run(new_id(), model)
        return Turn(conversation_id, question_id, is_new)

    async def retry(self, viewer: Viewer, conversation_id: UUID, message_id: UUID) -> UUID:
        """Have an answer that did not end well written again, in its place; return the run.

        Raises:
            NotFound: when there is no such answer of this person's.
            Conflict: when it ended well, or another answer is being written.
        """
        require_scope(viewer, Scope.CHAT)
        async with self._database.begin(viewer.user_id) as session:
            message = await rows.get_message(session, viewer.user_id, conversation_id, message_id)
        if message is None or message.role != Role.ASSISTANT:
            raise NotFound
        await self._require_model(viewer, message.model)
        async with self._database.begin(viewer.user_id) as session:
            begun = await self._continued(session, viewer, conversation_id)
            message = await rows.get_message(session, viewer.user_id, conversation_id, message_id)
            if message is None:
                raise NotFound
            if message.state == MessageState.DONE:
                raise Conflict("This answer is complete.")
            return await begun.queue_run(message_id, message.model)

    async def _require_model(self, viewer: Viewer, model: str) -> None:
        if model and model not in await self._teams.usable(viewer, ResourceKind.MODEL, Action.USE, [model]):
            raise NotAllowed("You may not use this model. Choose another one, or ask an administrator for it.")

    async def stop(self, viewer: Viewer, conversation_id: UUID) -> bool:
        """Stop the answer that is being written; False when there is none (any more).

        Raises:
            NotAllowed: when the person's key is not for that.
        """
        require_scope(viewer, Scope.CHAT)
        async with self._database.begin(viewer.user_id) as session:
            return await run_rows.request_stop(session, viewer.user_id, conversation_id) is not None

    async def _created(
        self, session: AsyncSession, viewer: Viewer, conversation_id: UUID, title: str, model: str
    ) -> _Appending:
        await rows.add(session, viewer.user_id, conversation_id)
        begun = _Appending(session, viewer.user_id, conversation_id, 0)
        await begun.append(ConversationCreated(title=title, model=model))
        return begun

    async def _continued(
        self, session: AsyncSession, viewer: Viewer, conversation_id: UUID, model: str = ""
    ) -> _Appending:
        seq = await rows.current_seq(session, viewer.user_id, conversation_id)
        conversation = await rows.get_owned(session, viewer.user_id, conversation_id)
        if seq is None or conversation is None:
            raise NotFound
        if await run_rows.active_of(session, viewer.user_id, conversation_id) is not None:
            raise Conflict("An answer is still being written here: wait for it, or stop it first.")
        begun = _Appending(session, viewer.user_id, conversation_id, seq)
        if model not in {"", conversation.model}:
            await begun.append(ModelChosen(model=model))
        return begun


@dataclass(slots=True)
class _Appending:
    """Events being appended to one conversation in one transaction."""

    session: AsyncSession
    owner_id: UUID
    conversation_id: UUID
    seq: int

    async def append(self, event: ConversationEvent) -> None:
        self.seq = await rows.append_event(self.session, self.owner_id, self.conversation_id, self.seq, event)

    async def queue_run(self, message_id: UUID, model: str) -> UUID:
        run_id = new_id()
        await self.append(AnswerStarted(message_id=message_id, run_id=run_id, model=model))
        run = Run(
            owner_id=self.owner_id,
            id=run_id,
            conversation_id=self.conversation_id,
            message_id=message_id,
            model=model,
            correlation_id=correlation_id(),
        )
        await run_rows.add(self.session, run)
        return run_id


def _valid_question(text: str) -> str:
    text = storable(text).strip()
    if not text:
        raise InvalidInput("Please write something first.")
    if len(text) > MESSAGE_CHARACTERS:
        raise InvalidInput(
            f"This message has {len(text):,} characters, and {MESSAGE_CHARACTERS:,} is the most that can be sent at"
            " once. Please shorten it or send it in parts."
        )
    return text

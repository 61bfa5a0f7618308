"""Asking, trying again and stopping: what a person does to have an answer written."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from rxchat.db.chat import conversation_sources as knowledge_rows
from rxchat.db.chat import conversations as rows
from rxchat.db.chat import queue as queue_rows
from rxchat.db.chat import runs as run_rows
from rxchat.db.chat import turn_queries
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.chat import Role
from rxchat.domain.conversations import (
    AnswerEnded,
    ConversationCreated,
    MessageState,
    ModelChosen,
    QueuedMessage,
)
from rxchat.domain.errors import Conflict, InvalidInput, NotAllowed, NotFound
from rxchat.domain.ids import new_id
from rxchat.domain.permissions import Action, Permission, ResourceKind, Scope, require, require_scope
from rxchat.domain.runs import PartialAnswer
from rxchat.domain.text import MESSAGE_CHARACTERS, sanitize, title_of
from rxchat.services.access.grants import Grants
from rxchat.services.chat.context_sources import Attached, events_of, names_of
from rxchat.services.chat.event_appender import EventAppender

QUEUE_MESSAGES = 20
"""So many messages may wait in one conversation."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A question that was stored; a run is queued to answer it."""

    conversation_id: UUID
    question_id: UUID
    is_new: bool
    """Whether the conversation begins with it."""
    is_waiting: bool = False
    """Whether it waits for its turn: an answer is being written there."""


class ChatService:
    """The use cases around a turn."""

    def __init__(self, database: Database, grants: Grants) -> None:
        """Know where truth lives, and who says what people may use."""
        self._database = database
        self._grants = grants

    async def send_message(
        self,
        current_user: CurrentUser,
        conversation_id: UUID | None,
        text: str,
        model: str,
        *,
        question_id: UUID | None = None,
        attached: Attached | None = None,
    ) -> Turn:
        """Store a question and queue the run that answers it; without a conversation, begin one.

        While an answer is being written there, the question waits, and is asked when its turn comes.
        Whoever sends the same `question_id` again (because the line broke before the answer came) asks once. What is
        attached grounds the answer, and those that follow.

        Raises:
            InvalidInput: when the text is too long or there is none and no file, without a model, or for files that are gone.
            NotFound: when the conversation is unknown or someone else's.
            Conflict: when too many messages wait there already.
            NotAllowed: when the person may not use this model, or not begin conversations.
        """
        attached = attached or Attached()
        text = _valid_question(text, may_be_blank=attached != Attached())
        require_scope(current_user, Scope.CHAT)
        if conversation_id is None:
            require(current_user, Permission.CONVERSATIONS_CREATE)
        await self._require_model(current_user, model)
        question = QueuedMessage(question_id or new_id(), text, model)
        if conversation_id is None:
            return await self._begin(current_user, question, attached)
        async with self._database.begin(current_user.user_id) as session:
            begun = await _locked(session, current_user, conversation_id)
            spot = await turn_queries.status(session, current_user.user_id, conversation_id, question.id)
            if spot is None:
                raise NotFound
            if spot.asked_in is not None:
                return Turn(spot.asked_in, question.id, is_new=False)
            _require_some_model(model)
            if spot.waiting >= QUEUE_MESSAGES:
                raise Conflict(
                    f"{spot.waiting} messages wait here already: wait until some are answered, or withdraw one."
                )
            before = [ModelChosen(model=model)] if model != spot.model else []
            grounds = []
            if attached != Attached():
                known = await knowledge_rows.for_conversation(session, current_user.user_id, conversation_id)
                grounds = await events_of(session, current_user, attached, known)
                question = await _worded(session, current_user, question, attached)
            if spot.is_busy or spot.waiting:
                await queue_rows.add(session, current_user.user_id, conversation_id, question)
                if grounds:
                    await begun.append(*grounds)
            else:
                await begun.ask(question, *before, *grounds)
        if spot.waiting and not spot.is_busy:
            # Held after a failure: whoever writes on wants it asked. If it may not be, it waits on, and so does this one.
            with suppress(NotAllowed, Conflict):
                await self.send_next_queued(current_user, conversation_id)
        return Turn(conversation_id, question.id, is_new=False, is_waiting=spot.is_busy or spot.waiting > 0)

    async def _begin(self, current_user: CurrentUser, question: QueuedMessage, attached: Attached) -> Turn:
        with suppress(Conflict):
            # A page that is not sure whether it was heard asks twice, perhaps two processes at once: one of them is first.
            return await self._begin_unless_known(current_user, question, attached)
        return await self._begin_unless_known(current_user, question, attached)

    async def _begin_unless_known(self, current_user: CurrentUser, question: QueuedMessage, attached: Attached) -> Turn:
        async with self._database.begin(current_user.user_id) as session:
            known = await turn_queries.find_question(session, current_user.user_id, question.id)
            if known is not None:
                if await rows.get_owned(session, current_user.user_id, known) is None:
                    raise Conflict(
                        "You asked this in a conversation that is deleted by now. Change it a little to ask anew."
                    )
                return Turn(known, question.id, is_new=False)
            _require_some_model(question.model)
            conversation_id = new_id()
            await rows.add(session, current_user.user_id, conversation_id)
            grounds = await events_of(session, current_user, attached)
            question = await _worded(session, current_user, question, attached)
            created = ConversationCreated(title=title_of(question.text), model=question.model)
            await EventAppender(session, current_user.user_id, conversation_id, 0).ask(question, created, *grounds)
            return Turn(conversation_id, question.id, is_new=True)

    async def retry(self, current_user: CurrentUser, conversation_id: UUID, message_id: UUID) -> UUID:
        """Have an answer that did not end well written again, in its place; return the run.

        Raises:
            NotFound: when there is no such answer of this person's.
            Conflict: when it ended well, or another answer is being written.
        """
        return await self._again(current_user, conversation_id, message_id, goes_on=False)

    async def continue_answer(self, current_user: CurrentUser, conversation_id: UUID, message_id: UUID) -> UUID:
        """Have an answer that did not end well continued from where it ends; return the run.

        Raises:
            NotFound: when there is no such answer of this person's.
            Conflict: when it ended well, or another answer is being written.
        """
        return await self._again(current_user, conversation_id, message_id, goes_on=True)

    async def _again(
        self, current_user: CurrentUser, conversation_id: UUID, message_id: UUID, *, goes_on: bool
    ) -> UUID:
        require_scope(current_user, Scope.CHAT)
        async with self._database.begin(current_user.user_id) as session:
            message = await rows.get_message(session, current_user.user_id, conversation_id, message_id)
        if message is None or message.role != Role.ASSISTANT:
            raise NotFound
        await self._require_model(current_user, message.model)
        async with self._database.begin(current_user.user_id) as session:
            busy = "An answer is still being written here: wait for it, or stop it first."
            begun = await _idle(session, current_user, conversation_id, busy)
            message = await rows.get_message(session, current_user.user_id, conversation_id, message_id)
            if message is None:
                raise NotFound
            if message.state == MessageState.DONE:
                raise Conflict("This answer is complete.")
            kept = PartialAnswer(message.text, message.reasoning) if goes_on else None
            return await begun.queue_run(message_id, message.model, kept=kept)

    async def _require_model(self, current_user: CurrentUser, model: str) -> None:
        if model and model not in await self._grants.usable(current_user, ResourceKind.MODEL, Action.USE, [model]):
            raise NotAllowed("You may not use this model. Choose another one, or ask an administrator for it.")

    async def stop(self, current_user: CurrentUser, conversation_id: UUID, message_id: UUID | None = None) -> bool:
        """Stop the answer that is being written; False when there is none (any more). What waits is asked then.

        With the answer's `message_id` that one alone: whoever presses late does not stop the one after it.

        Raises:
            NotAllowed: when the person's key is not for that.
        """
        require_scope(current_user, Scope.CHAT)
        async with self._database.begin(current_user.user_id) as session:
            return await stop_answer(session, current_user.user_id, conversation_id, message_id)

    async def edit_queued(self, current_user: CurrentUser, conversation_id: UUID, message_id: UUID, text: str) -> None:
        """Give a message that waits another text.

        Raises:
            InvalidInput: when the text is blank or too long.
            NotFound: when it does not wait (any more), or is someone else's.
        """
        text = _valid_question(text)
        require_scope(current_user, Scope.CHAT)
        async with self._database.begin(current_user.user_id) as session:
            await _locked(session, current_user, conversation_id)
            if not await queue_rows.change(session, current_user.user_id, conversation_id, message_id, text):
                raise NotFound("This message does not wait any more: it was asked, or withdrawn in another tab.")

    async def cancel_queued(self, current_user: CurrentUser, conversation_id: UUID, message_id: UUID) -> str:
        """Take a message that waits back, and return its text.

        Raises:
            NotFound: when it does not wait (any more), or is someone else's.
        """
        require_scope(current_user, Scope.CHAT)
        async with self._database.begin(current_user.user_id) as session:
            # Whoever takes the next one out meanwhile waits, instead of finding that it is gone.
            await _locked(session, current_user, conversation_id)
            text = await queue_rows.remove(session, current_user.user_id, conversation_id, message_id)
        if text is None:
            raise NotFound("This message does not wait any more: it was asked, or withdrawn in another tab.")
        return text

    async def send_next_queued(self, current_user: CurrentUser, conversation_id: UUID) -> bool:
        """Ask what has waited longest, after an answer that failed; False when nothing waits.

        Raises:
            NotFound: when the conversation is unknown or someone else's.
            Conflict: when an answer is being written there.
            NotAllowed: when the person may not use its model (any more).
        """
        require_scope(current_user, Scope.CHAT)
        async with self._database.begin(current_user.user_id) as session:
            waiting = await queue_rows.for_conversation(session, current_user.user_id, conversation_id)
        if waiting:
            await self._require_model(current_user, waiting[0].model)
        async with self._database.begin(current_user.user_id) as session:
            busy = "An answer is still being written here: what waits is asked right after it."
            return await (await _idle(session, current_user, conversation_id, busy)).ask_next()


async def stop_answer(
    session: AsyncSession, owner_id: UUID, conversation_id: UUID, message_id: UUID | None = None
) -> bool:
    """Stop the answer that is being written in a conversation, by its engine or, where none has it, here and now."""
    seq = await turn_queries.lock(session, owner_id, conversation_id)
    run = await run_rows.active_run(session, owner_id, conversation_id) if seq is not None else None
    if seq is None or run is None or message_id not in {None, run.message_id}:
        return False
    if not run.is_waiting:
        await run_rows.request_stop(session, owner_id, run.id)
        return True
    written = await run_rows.partial_answer(session, owner_id, run.id)
    if not await run_rows.stop_waiting(session, owner_id, run.id):
        # An engine took it just now, and hears of this.
        await run_rows.request_stop(session, owner_id, run.id)
        return True
    stopped = AnswerEnded(
        message_id=run.message_id, state=MessageState.STOPPED, text=written.text, reasoning=written.reasoning
    )
    await EventAppender(session, owner_id, conversation_id, seq).end(stopped)
    return True


async def _locked(session: AsyncSession, current_user: CurrentUser, conversation_id: UUID) -> EventAppender:
    """Lock a conversation until the transaction ends: whoever asks, stops or ends an answer there takes turns."""
    seq = await turn_queries.lock(session, current_user.user_id, conversation_id)
    if seq is None:
        raise NotFound
    return EventAppender(session, current_user.user_id, conversation_id, seq)


async def _idle(
    session: AsyncSession, current_user: CurrentUser, conversation_id: UUID, otherwise: str
) -> EventAppender:
    """Lock a conversation in which nothing is being written; say why not, otherwise."""
    begun = await _locked(session, current_user, conversation_id)
    if await rows.get_owned(session, current_user.user_id, conversation_id) is None:
        raise NotFound
    if await run_rows.active_run(session, current_user.user_id, conversation_id) is not None:
        raise Conflict(otherwise)
    return begun


def _require_some_model(model: str) -> None:
    if not model:
        raise InvalidInput("There is no model to ask: connect Ollama, or wait until the model host answers.")


async def _worded(
    session: AsyncSession, current_user: CurrentUser, question: QueuedMessage, attached: Attached
) -> QueuedMessage:
    """Return the question with words: a message of files alone names them, to its readers and to the model."""
    return question if question.text else replace(question, text=await names_of(session, current_user, attached))


def _valid_question(text: str, *, may_be_blank: bool = False) -> str:
    text = sanitize(text).strip()
    if not text and not may_be_blank:
        raise InvalidInput("Please write something first.")
    if len(text) > MESSAGE_CHARACTERS:
        raise InvalidInput(
            f"This message has {len(text):,} characters, and {MESSAGE_CHARACTERS:,} is the most that can be sent at"
            " once. Please shorten it or send it in parts."
        )
    return text

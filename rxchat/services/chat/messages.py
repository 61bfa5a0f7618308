"""Use cases for a turn: send, retry, continue, stop, and the queue."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from rxchat.db.chat import conversation_sources as context_source_rows
from rxchat.db.chat import conversations as rows
from rxchat.db.chat import messages as message_rows
from rxchat.db.chat import projects as project_rows
from rxchat.db.chat import queued_messages as queue_rows
from rxchat.db.chat import runs as run_rows
from rxchat.db.chat import turn_queries
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.authorization import require, require_scope
from rxchat.domain.chat import Role
from rxchat.domain.conversation_events import (
    AnswerEnded,
    AssistantChosen,
    ConversationConfigured,
    ConversationCreated,
    ConversationEvent,
    ModelChosen,
)
from rxchat.domain.conversations import History
from rxchat.domain.errors import Conflict, NotAllowed, NotFound, QueueFull
from rxchat.domain.ids import new_id
from rxchat.domain.messages import MessageState, QueuedMessage
from rxchat.domain.model_parameters import Configuration, options_of, valid_configuration
from rxchat.domain.permissions import Permission, Scope
from rxchat.domain.ports import ChatModel
from rxchat.domain.runs import PartialAnswer
from rxchat.domain.text import attachments_text, title_of
from rxchat.services.chat.context_sources import Attached, AttachedSources, attached_sources
from rxchat.services.chat.conversation_assistants import usable
from rxchat.services.chat.event_appender import EventAppender, idle, locked
from rxchat.services.chat.questions import require_question_id, require_some_model, valid_question
from rxchat.services.models.parameters import require_taken, taken
from rxchat.services.models.quotas import ModelGate

QUEUE_MESSAGES = 20
"""The maximum number of queued messages in a conversation."""
_ATTACHED_TITLE = "Attached files"
"""The title of a conversation that begins with files alone."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A stored question, whose answer is queued."""

    conversation_id: UUID
    question_id: UUID
    is_new: bool
    """Whether the conversation was created for it."""
    is_waiting: bool = False
    """Whether it is queued because an answer is in progress."""
    begun: History | None = None
    """The new conversation as it was stored, unless attachments are to be looked up with it."""


@dataclass(frozen=True, slots=True)
class _Beginning:
    """What a new conversation begins with."""

    project_id: UUID | None
    configuration: Configuration
    assistant_id: UUID | None

    async def events(self, session: AsyncSession, current_user: CurrentUser) -> list[ConversationEvent]:
        """Return the events that set it; raises NotFound if the user may not use the assistant."""
        found: list[ConversationEvent] = []
        if self.assistant_id is not None:
            found.append(AssistantChosen(assistant=(await usable(session, current_user, self.assistant_id)).data))
        said = self.configuration
        if not said.is_empty:
            found.append(ConversationConfigured(system_prompt=said.system_prompt, parameters=dict(said.parameters)))
        return found


class ChatService:
    """Use cases for a turn."""

    def __init__(self, database: Database, gate: ModelGate, model: ChatModel) -> None:
        self._database = database
        self._gate = gate
        self._model = model

    async def send_message(
        self,
        current_user: CurrentUser,
        conversation_id: UUID | None,
        text: str,
        model: str,
        *,
        question_id: UUID | None = None,
        attached: Attached | None = None,
        project_id: UUID | None = None,
        parameters: Mapping[str, Any] | None = None,
        configuration: Configuration | None = None,
        assistant_id: UUID | None = None,
    ) -> Turn:
        """Store a question and queue its run; without a conversation, create one, in the project if one is given. During an answer, the message is queued.

        Sending the same `question_id` again (after a lost confirmation) has no effect. Attachments are context
        sources of this and all later answers. `parameters` are for its answer, `configuration` and the assistant for a new conversation.

        Raises:
            InvalidInput: when the text is missing or too long, no model is given, the model does not take a parameter, or
                files were deleted.
            NotFound: when the conversation, the project or the assistant does not exist or is another user's.
            Conflict: when too many messages are queued.
            NotAllowed: when the user may not use this model, or not create conversations.
        """
        attached = attached or Attached()
        text = valid_question(text, may_be_blank=attached != Attached())
        require_scope(current_user, Scope.CHAT)
        if conversation_id is None:
            require(current_user, Permission.CONVERSATIONS_CREATE)
        await self._gate.require_model(current_user, model)
        require_question_id(question_id, conversation_id)
        given = await taken(self._model, model, parameters, current_user)
        question = QueuedMessage(question_id or new_id(), text, model, parameters=given)
        if conversation_id is None:
            begun = _Beginning(project_id, await self._configured(current_user, model, configuration), assistant_id)
            return await self._begin(current_user, question, attached, begun)
        try:
            return await self._ask(current_user, conversation_id, question, attached, is_locked=False)
        except QueueFull:
            raise
        except Conflict:
            # Another tab or process has written to the conversation in this moment.
            return await self._ask(current_user, conversation_id, question, attached, is_locked=True)

    async def _configured(self, current_user: CurrentUser, model: str, wanted: Configuration | None) -> Configuration:
        found = valid_configuration(wanted.system_prompt, wanted.parameters) if wanted else Configuration()
        await require_taken(self._model, model, options_of(found.parameters), current_user)
        return found

    async def _ask(
        self,
        current_user: CurrentUser,
        conversation_id: UUID,
        question: QueuedMessage,
        attached: Attached,
        *,
        is_locked: bool,
    ) -> Turn:
        """Send a question; without the lock of the conversation, only if that has no answer in progress and no queue.

        That is safe because whatever ends this state appends an event: the append then fails as stale.
        """
        owner_id = current_user.user_id
        async with self._database.begin(owner_id) as session:
            begun = await locked(session, current_user, conversation_id) if is_locked else None
            spot = await turn_queries.status(session, owner_id, conversation_id, question.id)
            if begun is None and spot is not None and (spot.is_busy or spot.waiting or attached != Attached()):
                begun = await locked(session, current_user, conversation_id)
                spot = await turn_queries.status(session, owner_id, conversation_id, question.id)
            if spot is None:
                raise NotFound
            if spot.asked_in is not None:
                return Turn(spot.asked_in, question.id, is_new=False)
            begun = begun or EventAppender(session, owner_id, conversation_id, spot.seq, spot.leaf_id)
            require_some_model(question.model)
            _require_room_in_queue(spot.waiting)
            before = [ModelChosen(model=question.model)] if question.model != spot.model else []
            grounds = []
            if attached != Attached():
                known = await context_source_rows.for_conversation(session, owner_id, conversation_id)
                sources = await attached_sources(session, current_user, attached)
                grounds = sources.events(known)
                question = _with_attachments(question, sources)
            if spot.is_busy or spot.waiting:
                await queue_rows.add(session, owner_id, conversation_id, question)
                if grounds:
                    await begun.append(*grounds)
            else:
                await begun.ask(question, *before, *grounds)
        if spot.waiting and not spot.is_busy:
            # The queue was held after a failure, and the user continues. If the next message may not be sent, all stay
            # queued.
            with suppress(NotAllowed, Conflict):
                await self.send_next_queued(current_user, conversation_id)
        return Turn(conversation_id, question.id, is_new=False, is_waiting=spot.is_busy or spot.waiting > 0)

    async def _begin(
        self, current_user: CurrentUser, question: QueuedMessage, attached: Attached, beginning: _Beginning
    ) -> Turn:
        with suppress(Conflict):
            # A page without a confirmation sends again, perhaps to two processes at once; one of them is first.
            return await self._begin_unless_known(current_user, question, attached, beginning)
        return await self._begin_unless_known(current_user, question, attached, beginning)

    async def _begin_unless_known(
        self, current_user: CurrentUser, question: QueuedMessage, attached: Attached, beginning: _Beginning
    ) -> Turn:
        owner_id = current_user.user_id
        async with self._database.begin(owner_id) as session:
            if attached != Attached() or not question.model:
                # A message that is sent again may name files and models that are gone by now.
                known = await _known_turn(session, owner_id, question.id)
                if known is not None:
                    return known
            require_some_model(question.model)
            sources = await attached_sources(session, current_user, attached)
            given = await beginning.events(session, current_user)
            conversation_id = new_id()
            # Without the names of attached files, which not every reader of a shared conversation may know.
            title = title_of(question.text) if question.text else _ATTACHED_TITLE
            created = ConversationCreated(title=title, model=question.model)
            question = _with_attachments(question, sources)
            if not await turn_queries.create_conversation(session, owner_id, conversation_id, question.id, created):
                known = await _known_turn(session, owner_id, question.id)
                if known is None:
                    # It was deleted in this moment.
                    raise NotFound
                return known
            project_id = beginning.project_id
            if project_id is not None and not await project_rows.move(session, owner_id, [conversation_id], project_id):
                raise NotFound("The project does not exist any more. Choose another one, or none, and send again.")
            appender = EventAppender(session, owner_id, conversation_id, 0, conversation_id)
            await appender.ask(question, created, *given, *sources.events())
            begun = None if attached != Attached() else History.replayed(appender.appended)
            return Turn(conversation_id, question.id, is_new=True, begun=begun)

    async def retry(self, current_user: CurrentUser, conversation_id: UUID, message_id: UUID) -> UUID:
        """Generate a failed or stopped answer again, in its place. Returns the run's id.

        Raises:
            NotFound: when the user has no such answer.
            Conflict: when it is complete, or another answer is in progress.
        """
        return await self._again(current_user, conversation_id, message_id, goes_on=False)

    async def continue_answer(self, current_user: CurrentUser, conversation_id: UUID, message_id: UUID) -> UUID:
        """Continue a failed or stopped answer from its stored text. Returns the run's id.

        Raises:
            NotFound: when the user has no such answer.
            Conflict: when it is complete, or another answer is in progress.
        """
        return await self._again(current_user, conversation_id, message_id, goes_on=True)

    async def _again(
        self, current_user: CurrentUser, conversation_id: UUID, message_id: UUID, *, goes_on: bool
    ) -> UUID:
        require_scope(current_user, Scope.CHAT)
        async with self._database.begin(current_user.user_id) as session:
            message = await message_rows.get_message(session, current_user.user_id, conversation_id, message_id)
        if message is None or message.role != Role.ASSISTANT:
            raise NotFound
        await self._gate.require_model(current_user, message.model)
        async with self._database.begin(current_user.user_id) as session:
            busy = "An answer is still being written in this conversation. Wait for it, or stop it first."
            begun = await idle(session, current_user, conversation_id, busy)
            message = await message_rows.get_message(session, current_user.user_id, conversation_id, message_id)
            shown = await message_rows.path_to(session, current_user.user_id, conversation_id, begun.leaf_id)
            if message is None or message_id not in shown:
                raise NotFound("This answer is not shown any more.")
            if message.state == MessageState.DONE:
                raise Conflict("This answer is complete.")
            kept = PartialAnswer(message.text, message.reasoning) if goes_on else None
            return await begun.queue_run(message_id, message.model, kept=kept)

    async def stop(self, current_user: CurrentUser, conversation_id: UUID, message_id: UUID | None = None) -> bool:
        """Stop the answer in progress; False if there is none. Then the next queued message is sent.

        With `message_id` only this answer is stopped, so that a late click does not stop the next one.

        Raises:
            NotAllowed: when the API key lacks the scope.
        """
        require_scope(current_user, Scope.CHAT)
        async with self._database.begin(current_user.user_id) as session:
            return await stop_answer(session, current_user.user_id, conversation_id, message_id)

    async def edit_queued(self, current_user: CurrentUser, conversation_id: UUID, message_id: UUID, text: str) -> None:
        """Change the text of a queued message.

        Raises:
            InvalidInput: when the text is blank or too long.
            NotFound: when it is not queued, or is another user's.
        """
        text = valid_question(text)
        require_scope(current_user, Scope.CHAT)
        async with self._database.begin(current_user.user_id) as session:
            await locked(session, current_user, conversation_id)
            if not await queue_rows.change(session, current_user.user_id, conversation_id, message_id, text):
                raise NotFound("This message is no longer queued: it was sent, or removed in another tab.")

    async def cancel_queued(self, current_user: CurrentUser, conversation_id: UUID, message_id: UUID) -> str:
        """Remove a queued message, and return its text.

        Raises:
            NotFound: when it is not queued, or is another user's.
        """
        require_scope(current_user, Scope.CHAT)
        async with self._database.begin(current_user.user_id) as session:
            # A transaction that sends the next message must wait, instead of finding that it was removed.
            await locked(session, current_user, conversation_id)
            text = await queue_rows.remove(session, current_user.user_id, conversation_id, message_id)
        if text is None:
            raise NotFound("This message is no longer queued: it was sent, or removed in another tab.")
        return text

    async def send_next_queued(self, current_user: CurrentUser, conversation_id: UUID) -> bool:
        """Send the oldest queued message after a failed answer; False if there is none.

        Raises:
            NotFound: when the conversation does not exist or is another user's.
            Conflict: when an answer is in progress.
            NotAllowed: when the user may no longer use the model.
        """
        require_scope(current_user, Scope.CHAT)
        async with self._database.begin(current_user.user_id) as session:
            waiting = await queue_rows.for_conversation(session, current_user.user_id, conversation_id)
        if waiting:
            await self._gate.require_model(current_user, waiting[0].model)
        async with self._database.begin(current_user.user_id) as session:
            busy = "An answer is still being written in this conversation. Queued messages are sent right after it."
            return await (await idle(session, current_user, conversation_id, busy)).ask_next()


async def stop_answer(
    session: AsyncSession, owner_id: UUID, conversation_id: UUID, message_id: UUID | None = None
) -> bool:
    """Stop a conversation's answer in progress: by its engine or, if it is queued, in this transaction."""
    locked = await turn_queries.lock(session, owner_id, conversation_id)
    run = await run_rows.active_run(session, owner_id, conversation_id) if locked is not None else None
    if locked is None or run is None or message_id not in {None, run.message_id}:
        return False
    if not run.is_waiting:
        await run_rows.request_stop(session, owner_id, run.id)
        return True
    written = await run_rows.partial_answer(session, owner_id, run.id)
    if not await run_rows.stop_waiting(session, owner_id, run.id):
        # An engine has just claimed it, and receives the request to stop.
        await run_rows.request_stop(session, owner_id, run.id)
        return True
    stopped = AnswerEnded(
        message_id=run.message_id, state=MessageState.STOPPED, text=written.text, reasoning=written.reasoning
    )
    await EventAppender(session, owner_id, conversation_id, locked.seq, locked.leaf_id).end(stopped)
    return True


async def _known_turn(session: AsyncSession, owner_id: UUID, question_id: UUID) -> Turn | None:
    """Return the turn of a question that was sent before; None if it is new.

    Raises:
        Conflict: if its conversation was deleted.
    """
    conversation_id = await turn_queries.find_question(session, owner_id, question_id)
    if conversation_id is None:
        return None
    if await rows.get_owned(session, owner_id, conversation_id) is None:
        raise Conflict("You sent this message in a conversation that was deleted. Change the message to send it again.")
    return Turn(conversation_id, question_id, is_new=False)


def _require_room_in_queue(waiting: int) -> None:
    if waiting >= QUEUE_MESSAGES:
        raise QueueFull(
            f"{waiting} messages are already queued in this conversation. Wait until some are answered, or remove one."
        )


def _with_attachments(question: QueuedMessage, sources: AttachedSources) -> QueuedMessage:
    """Return the question with its attachments; if it has no text, with their names for the model."""
    attachments = sources.attachments()
    text = question.text or attachments_text([item["name"] for item in attachments])
    return replace(question, text=text, attachments=attachments)

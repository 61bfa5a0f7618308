"""Use cases for the versions of messages: edit, answer again, choose a version, delete, restore."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from rxchat.db.chat import conversations as rows
from rxchat.db.chat import messages as message_rows
from rxchat.db.chat import queued_messages as queue_rows
from rxchat.db.chat import runs as run_rows
from rxchat.db.chat import turn_queries
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.authorization import require_scope
from rxchat.domain.chat import Role
from rxchat.domain.conversation_events import (
    BranchChosen,
    MessageAdded,
    MessageDeleted,
    MessageRestored,
    ModelChosen,
)
from rxchat.domain.errors import Conflict, NotFound
from rxchat.domain.ids import new_id
from rxchat.domain.messages import QueuedMessage, ThreadMessage
from rxchat.domain.permissions import Scope
from rxchat.domain.ports import ChatModel
from rxchat.domain.text import ANSWER_CHARACTERS, attachments_text
from rxchat.services.chat.event_appender import EventAppender, idle, opened
from rxchat.services.chat.questions import require_question_id, require_some_model, valid_question
from rxchat.services.models.parameters import taken
from rxchat.services.models.quotas import ModelGate

VERSIONS = 50
"""The maximum number of versions of a message."""
_BUSY = "An answer is still being written in this conversation. Wait for it, or stop it first."


class Branches:
    """Use cases for the versions of messages. Each is one event or more: nothing is overwritten."""

    def __init__(self, database: Database, gate: ModelGate, model: ChatModel) -> None:
        self._database = database
        self._gate = gate
        self._model = model

    async def edit_question(
        self,
        current_user: CurrentUser,
        conversation_id: UUID,
        message_id: UUID,
        text: str,
        model: str,
        *,
        question_id: UUID,
    ) -> None:
        """Ask another version of a question, with the same attachments; the earlier version keeps its answers.

        Sending the same `question_id` again has no effect.

        Raises:
            InvalidInput: when the text is blank or too long, or no model is given.
            NotFound: when the user has no such question.
            Conflict: when an answer is in progress, or there are too many versions.
            NotAllowed: when the user may not use the model.
        """
        require_scope(current_user, Scope.CHAT)
        await self._gate.require_model(current_user, model)
        require_question_id(question_id, conversation_id)
        async with self._database.begin(current_user.user_id) as session:
            if await _is_asked(session, current_user, conversation_id, question_id):
                return
            begun = await idle(session, current_user, conversation_id, _BUSY)
            message = await _message(session, begun, message_id, Role.USER)
            await _require_no_queue(session, begun)
            text = valid_question(text, may_be_blank=bool(message.attachments))
            # The model reads the names of files that are sent without words.
            text = text or attachments_text([item["name"] for item in message.attachments])
            require_some_model(model)
            parent_id = await _parent_of_new_version(session, begun, _parent(message))
            question = QueuedMessage(question_id, text, model, message.attachments, message.parameters)
            await begun.ask(question, *await _chosen(session, begun, model), parent_id=parent_id)

    async def ask_after(
        self,
        current_user: CurrentUser,
        conversation_id: UUID,
        parent_id: UUID,
        text: str,
        model: str,
        *,
        question_id: UUID,
        parameters: Mapping[str, Any] | None = None,
    ) -> None:
        """Ask a question after an answer, or with the conversation's ID as a first one: a branch of its own, if it has others.

        Sending the same `question_id` again has no effect. Raises as `edit_question`.
        """
        require_scope(current_user, Scope.CHAT)
        text = valid_question(text)
        await self._gate.require_model(current_user, model)
        require_question_id(question_id, conversation_id)
        require_some_model(model)
        given = await taken(self._model, model, parameters, current_user)
        async with self._database.begin(current_user.user_id) as session:
            if await _is_asked(session, current_user, conversation_id, question_id):
                return
            begun = await idle(session, current_user, conversation_id, _BUSY)
            if parent_id != conversation_id:
                await _message(session, begun, parent_id, Role.ASSISTANT)
            await _require_no_queue(session, begun)
            await _parent_of_new_version(session, begun, parent_id)
            question = QueuedMessage(question_id, text, model, parameters=given)
            await begun.ask(question, *await _chosen(session, begun, model), parent_id=parent_id)

    async def regenerate(self, current_user: CurrentUser, conversation_id: UUID, message_id: UUID, model: str) -> UUID:
        """Write another answer to the question of this answer, or to this question, and return the run's ID.

        Raises:
            InvalidInput: when no model is given.
            NotFound: when the user has no such message.
            Conflict: when an answer is in progress, or there are too many versions.
            NotAllowed: when the user may not use the model.
        """
        require_scope(current_user, Scope.CHAT)
        await self._gate.require_model(current_user, model)
        require_some_model(model)
        async with self._database.begin(current_user.user_id) as session:
            begun = await idle(session, current_user, conversation_id, _BUSY)
            message = await _message(session, begun, message_id)
            if message.id != begun.leaf_id:
                await _require_no_queue(session, begun)
            question_id = message.id if message.role is Role.USER else _parent(message)
            parent_id = await _parent_of_new_version(session, begun, question_id)
            return await begun.queue_run(new_id(), model, *await _chosen(session, begun, model), parent_id=parent_id)

    async def edit_answer(self, current_user: CurrentUser, conversation_id: UUID, message_id: UUID, text: str) -> None:
        """Add another version of an answer, as the user has written it; without citations, which were checked in the other text.

        Raises:
            InvalidInput: when the text is blank or too long.
            NotFound: when the user has no such answer.
            Conflict: when an answer is in progress, or there are too many versions.
        """
        require_scope(current_user, Scope.CHAT)
        text = valid_question(text, longest=ANSWER_CHARACTERS)
        async with self._database.begin(current_user.user_id) as session:
            begun = await idle(session, current_user, conversation_id, _BUSY)
            message = await _message(session, begun, message_id, Role.ASSISTANT)
            if message.id != begun.leaf_id:
                await _require_no_queue(session, begun)
            parent_id = await _parent_of_new_version(session, begun, _parent(message))
            await begun.append(
                MessageAdded(
                    message_id=new_id(), parent_id=parent_id, role=Role.ASSISTANT, model=message.model, text=text
                )
            )

    async def choose_version(self, current_user: CurrentUser, conversation_id: UUID, message_id: UUID) -> None:
        """Show the newest branch that contains this message.

        Raises:
            NotFound: when the user has no such message, or it is deleted.
            Conflict: when an answer is in progress.
        """
        require_scope(current_user, Scope.CHAT)
        async with self._database.begin(current_user.user_id) as session:
            begun = await idle(session, current_user, conversation_id, _BUSY)
            message = await _message(session, begun, message_id)
            leaf_id = await _leaf_below(session, begun, message.id)
            if leaf_id != begun.leaf_id:
                await _require_no_queue(session, begun)
                await begun.append(BranchChosen(leaf_id=leaf_id, parent_id=_parent(message)))

    async def reveal(self, current_user: CurrentUser, conversation_id: UUID, message_id: UUID) -> None:
        """Show a branch that contains this message, unless the one that is shown does.

        Raises:
            NotFound: when the user has no such message, or it is deleted.
            Conflict: when an answer is in progress, or messages are queued.
        """
        require_scope(current_user, Scope.CHAT)
        async with self._database.begin(current_user.user_id) as session:
            conversation = await rows.get_owned(session, current_user.user_id, conversation_id)
            if conversation is None:
                raise NotFound
            shown = await message_rows.path_to(session, current_user.user_id, conversation_id, conversation.leaf_id)
        if message_id not in shown:
            await self.choose_version(current_user, conversation_id, message_id)

    async def delete(self, current_user: CurrentUser, conversation_id: UUID, message_id: UUID) -> int:
        """Delete a message with what follows it, and return how many messages of the shown branch followed.

        Another version of it is shown instead, if there is one.

        Raises:
            NotFound: when the user has no such message.
            Conflict: when an answer is in progress.
        """
        require_scope(current_user, Scope.CHAT)
        async with self._database.begin(current_user.user_id) as session:
            begun = await idle(session, current_user, conversation_id, _BUSY)
            message = await _message(session, begun, message_id)
            await _require_no_queue(session, begun)
            shown = await message_rows.path_to(session, begun.owner_id, conversation_id, begun.leaf_id)
            leaf_id, later = begun.leaf_id, 0
            if message.id in shown:
                later = list(shown).index(message.id)
                others = [version for version in message.versions if version != message.id]
                leaf_id = await _leaf_below(session, begun, others[-1]) if others else _parent(message)
            await begun.append(MessageDeleted(message_id=message.id, parent_id=_parent(message), leaf_id=leaf_id))
        return later

    async def restore(self, current_user: CurrentUser, conversation_id: UUID, message_id: UUID) -> None:
        """Restore a deleted message with what follows it, and show it; while an answer is written, as a version to choose.

        Raises:
            NotFound: when the user has no such message.
            Conflict: when it is not deleted.
        """
        require_scope(current_user, Scope.CHAT)
        async with self._database.begin(current_user.user_id) as session:
            begun = await opened(session, current_user, conversation_id)
            path = await message_rows.path_to(session, begun.owner_id, conversation_id, message_id)
            message = await message_rows.get_message(session, begun.owner_id, conversation_id, message_id)
            if message is None or any(deleted for found, deleted in path.items() if found != message_id):
                raise NotFound
            if not message.is_deleted:
                raise Conflict("This message is not deleted.")
            leaf_id = begun.leaf_id
            is_busy = await run_rows.active_run(session, begun.owner_id, conversation_id) is not None
            if not is_busy and not await queue_rows.for_conversation(session, begun.owner_id, conversation_id):
                # What follows it is not deleted itself.
                below = await message_rows.leaf_below(
                    session, begun.owner_id, conversation_id, message_id, deleted_too=True
                )
                leaf_id = below or message_id
            await begun.append(MessageRestored(message_id=message_id, parent_id=_parent(message), leaf_id=leaf_id))


async def _is_asked(session: AsyncSession, current_user: CurrentUser, conversation_id: UUID, question_id: UUID) -> bool:
    """Return whether a question was sent before in this conversation; raise Conflict if it was in another one."""
    found = await turn_queries.find_question(session, current_user.user_id, question_id)
    if found not in {None, conversation_id}:
        raise Conflict("This message was sent in another conversation. Give it an ID of its own.")
    return found is not None


async def _message(
    session: AsyncSession, begun: EventAppender, message_id: UUID, role: Role | None = None
) -> ThreadMessage:
    """Return a message of this conversation that can be shown, of this role."""
    message = await message_rows.get_message(session, begun.owner_id, begun.conversation_id, message_id)
    path = await message_rows.path_to(session, begun.owner_id, begun.conversation_id, message_id)
    if message is None or role not in {None, message.role} or any(path.values()):
        raise NotFound("This message is no longer there.")
    return message


def _parent(message: ThreadMessage) -> UUID:
    if message.parent_id is None:
        raise NotFound
    return message.parent_id


async def _parent_of_new_version(session: AsyncSession, begun: EventAppender, parent_id: UUID) -> UUID:
    """Return the parent of another version, of which there are not too many yet."""
    count = await message_rows.count_children(session, begun.owner_id, begun.conversation_id, parent_id)
    if count >= VERSIONS:
        raise Conflict(
            f"This message has {VERSIONS} versions, deleted ones too, which is the maximum. Begin a new chat from the one before."
        )
    return parent_id


async def _require_no_queue(session: AsyncSession, begun: EventAppender) -> None:
    """Refuse to change the branch while messages are queued, which were written for the one that is shown."""
    if await queue_rows.for_conversation(session, begun.owner_id, begun.conversation_id):
        raise Conflict("Messages are queued in this conversation. Send or remove them first.")


async def _leaf_below(session: AsyncSession, begun: EventAppender, message_id: UUID) -> UUID:
    leaf_id = await message_rows.leaf_below(session, begun.owner_id, begun.conversation_id, message_id)
    if leaf_id is None:
        raise NotFound("This message is no longer there.")
    return leaf_id


async def _chosen(session: AsyncSession, begun: EventAppender, model: str) -> Sequence[ModelChosen]:
    """Return the event by which the conversation goes over to another model, if it does."""
    conversation = await rows.get_owned(session, begun.owner_id, begun.conversation_id)
    is_other = conversation is not None and conversation.model != model
    return [ModelChosen(model=model)] if is_other else []

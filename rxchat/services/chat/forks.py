"""Copies the beginning of a conversation into a new one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from rxchat.db.chat import conversation_sources as source_rows
from rxchat.db.chat import conversations as rows
from rxchat.db.chat import messages as message_rows
from rxchat.db.chat import turn_queries
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.authorization import require, require_scope
from rxchat.domain.conversation_events import (
    AssistantChosen,
    ContextSourceAttached,
    ConversationConfigured,
    ConversationCreated,
    MessageAdded,
)
from rxchat.domain.conversations import SourceRef
from rxchat.domain.errors import Conflict, InvalidInput, NotFound
from rxchat.domain.ids import new_id
from rxchat.domain.messages import MessageContent, MessageState, ThreadMessage
from rxchat.domain.model_parameters import Configuration
from rxchat.domain.permissions import Permission, Scope
from rxchat.domain.text import clean_title

FORK_MESSAGES = 2_000
"""How many messages a fork may have."""


class Forks:
    """Makes a conversation of its own from a part of another one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def fork(self, current_user: CurrentUser, conversation_id: UUID, message_id: UUID) -> UUID:
        """Copy the messages up to this one, their sources and the context sources; return the new conversation.

        Raises:
            NotFound: when the user has no such message.
            Conflict: when it is still being written.
            InvalidInput: when there are more than 2,000 messages before it.
            NotAllowed: when the user may not create conversations.
        """
        require_scope(current_user, Scope.CHAT)
        require(current_user, Permission.CONVERSATIONS_CREATE)
        owner_id, fork_id = current_user.user_id, new_id()
        async with self._database.begin(owner_id, snapshot=True) as session:
            conversation = await rows.get_owned(session, owner_id, conversation_id)
            messages = await message_rows.latest_messages(
                session, owner_id, conversation_id, message_id, limit=FORK_MESSAGES + 1
            )
            if conversation is None or not messages or any(message.is_deleted for message in messages):
                raise NotFound
            if any(message.state is MessageState.RUNNING for message in messages):
                raise Conflict("An answer in it is still being written. Wait for it, or stop it first.")
            require_forkable(messages)
            known = await source_rows.for_conversation(session, owner_id, conversation_id)
            said = Configuration(conversation.system_prompt, conversation.parameters)
            await add_fork(
                session, owner_id, fork_id, conversation.title, conversation.model, messages, known, said,
                conversation.assistant,
            )  # fmt: skip
        return fork_id


def require_forkable(messages: Sequence[ThreadMessage]) -> None:
    """Raise InvalidInput if a fork cannot have that many messages."""
    if len(messages) > FORK_MESSAGES:
        raise InvalidInput(f"A fork can have {FORK_MESSAGES:,} messages. Choose an earlier message.")


async def add_fork(
    session: AsyncSession,
    owner_id: UUID,
    fork_id: UUID,
    title: str,
    model: str,
    messages: Sequence[ThreadMessage],
    known: Sequence[SourceRef],
    said: Configuration,
    assistant: dict[str, Any],
) -> None:
    """Insert a conversation with copies of these messages, which follow each other, these context sources and settings."""
    created = ConversationCreated(title=clean_title(f"{title} (fork)"), model=model)
    copies = {message.id: new_id() for message in messages}
    # Of a fork without a question, its own ID stands for one.
    await turn_queries.create_conversation(session, owner_id, fork_id, next(iter(copies.values()), fork_id), created)
    parents = [fork_id, *copies.values()]
    events = [
        created,
        *([] if said.is_empty else [_configured(said)]),
        *([AssistantChosen(assistant=assistant)] if assistant else []),
        *(ContextSourceAttached(source_id=item.id, kind=item.kind, name=item.name) for item in known),
        *(copy_of(message, copies[message.id], parent) for message, parent in zip(messages, parents, strict=False)),
    ]
    await rows.append_events(session, owner_id, fork_id, 0, events)
    await source_rows.copy_sources(session, owner_id, fork_id, copies)


def _configured(said: Configuration) -> ConversationConfigured:
    return ConversationConfigured(system_prompt=said.system_prompt, parameters=dict(said.parameters))


def copy_of(message: ThreadMessage, copy_id: UUID, parent_id: UUID) -> MessageAdded:
    """Return the event that adds a copy of a message after another one."""
    content = {item.name: getattr(message, item.name) for item in fields(MessageContent)}
    return MessageAdded(
        **content,
        message_id=copy_id,
        parent_id=parent_id,
        role=message.role,
        model=message.model,
        state=message.state,
        attachments=message.attachments,
        created_at=message.created_at,
    )

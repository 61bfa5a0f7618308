"""Queries between sending a question and the first token: as few as possible, and compiled once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from rxchat.db.platform.single_reads import Read
from rxchat.domain.chat import ChatMessage, Role
from rxchat.domain.conversation_events import ConversationCreated
from rxchat.domain.runs import PartialAnswer

_KNOWN = """
    SELECT conversation_id FROM message WHERE owner_id = :owner AND id = :question
    UNION ALL SELECT conversation_id FROM queued_message WHERE owner_id = :owner AND id = :question
"""
_ASKED_IN = text(_KNOWN)
# Unless the question is known already, from another attempt to send it.
_CREATE = text(
    f"""
    INSERT INTO conversation (owner_id, id, title, model, seq, leaf_id)
    SELECT :owner, :conversation, :title, :model, 0, :conversation
     WHERE NOT EXISTS ({_KNOWN}) RETURNING id
    """
)
_LOCK = text("SELECT seq, leaf_id FROM conversation WHERE owner_id = :owner AND id = :conversation FOR UPDATE")
_SPOT = text(
    f"""
    SELECT seq, model, leaf_id, EXISTS (SELECT FROM run WHERE run.owner_id = :owner AND run.conversation_id = :conversation
                             AND run.state IN ('queued', 'running')) AS is_busy,
           (SELECT count(*) FROM queued_message AS waiting
             WHERE waiting.owner_id = :owner AND waiting.conversation_id = :conversation) AS waiting,
           (SELECT conversation_id FROM ({_KNOWN}) AS known LIMIT 1) AS asked_in
      FROM conversation WHERE owner_id = :owner AND id = :conversation AND deleted_at IS NULL
    """  # noqa: S608 - put together from constants
)
_THREAD = text(
    """
    WITH RECURSIVE branch AS (
        SELECT id, parent_id, role, text, reasoning, parameters, attachments, 0 AS depth FROM message
         WHERE owner_id = :owner AND conversation_id = :conversation AND id = :message
        UNION ALL
        SELECT message.id, message.parent_id, message.role, message.text, message.reasoning, message.parameters,
               message.attachments, branch.depth + 1
          FROM branch
          JOIN message ON message.owner_id = :owner AND message.conversation_id = :conversation AND message.id = branch.parent_id
         WHERE branch.depth < :limit
    ), around AS (
        SELECT project.id, project.parent_id, project.instructions, project.collection_ids, 0 AS depth
          FROM conversation_project AS placed JOIN project ON project.owner_id = :owner AND project.id = placed.project_id
         WHERE placed.owner_id = :owner AND placed.conversation_id = :conversation
        UNION ALL
        SELECT project.id, project.parent_id, project.instructions, project.collection_ids, around.depth + 1 FROM around
          JOIN project ON project.owner_id = :owner AND project.id = around.parent_id
         WHERE around.depth < 10
    )
    SELECT id, role, text, reasoning, depth, parameters, attachments,
           (SELECT jsonb_build_object('system_prompt', known.system_prompt, 'parameters', known.parameters,
                                      'assistant', known.assistant)
              FROM conversation AS known WHERE known.owner_id = :owner AND known.id = :conversation) AS configured,
           EXISTS (SELECT FROM conversation_source AS known
                    WHERE known.owner_id = :owner AND known.conversation_id = :conversation)
           OR EXISTS (SELECT FROM around WHERE collection_ids <> '{}')
           OR EXISTS (SELECT FROM conversation AS known WHERE known.owner_id = :owner AND known.id = :conversation
                         AND jsonb_array_length(known.assistant #> '{content,collection_ids}') > 0) AS is_grounded,
           ARRAY(SELECT instructions FROM around ORDER BY around.depth DESC) AS project_instructions,
           (SELECT custom_instructions FROM user_preferences WHERE user_id = :owner) AS custom_instructions
      FROM branch ORDER BY depth
    """
)


@dataclass(frozen=True, slots=True)
class LockedConversation:
    """A conversation that no other transaction changes until this one ends."""

    seq: int
    """The seq of its last event."""
    leaf_id: UUID
    """The last message of the branch that is shown; the conversation's ID if it shows none."""


@dataclass(frozen=True, slots=True)
class PromptHistory:
    """The messages before an answer in order, and the saved part of the answer itself."""

    before: list[ChatMessage]
    itself: PartialAnswer
    is_grounded: bool
    """Whether the conversation has context sources."""
    custom_instructions: str
    """What its owner has asked of every model."""
    project_instructions: list[str]
    """The instructions of the projects around it, the outermost first."""
    system_prompt: str = ""
    """What is set for the conversation, as are the parameters."""
    parameters: dict[str, Any] = field(default_factory=dict)
    assistant: dict[str, Any] = field(default_factory=dict)
    """The version of an assistant that it has; empty if it has none."""
    question_parameters: dict[str, Any] = field(default_factory=dict)
    """Those that the question was sent with."""
    attached: list[list[dict[str, Any]]] = field(default_factory=list)
    """The attachments of each message in `before`: `id`, `kind` and `name`."""


@dataclass(frozen=True, slots=True)
class ConversationStatus:
    """The status of a conversation, on which a new question depends."""

    seq: int
    """The seq of its last event."""
    model: str
    leaf_id: UUID
    """The last message of the branch that is shown; the conversation's ID if it shows none."""
    is_busy: bool
    """Whether an answer is being written."""
    waiting: int
    """The number of queued messages."""
    asked_in: UUID | None
    """The conversation that contains this question already, queued ones included."""


async def find_question(session: AsyncSession, owner_id: UUID, question_id: UUID) -> UUID | None:
    """Return the conversation that contains this question of the user, queued ones included; None if it is new."""
    found = await session.execute(_ASKED_IN, {"owner": owner_id, "question": question_id})
    return found.scalars().first()


async def create_conversation(
    session: AsyncSession, owner_id: UUID, conversation_id: UUID, question_id: UUID, created: ConversationCreated
) -> bool:
    """Insert a conversation as its first event describes it; False if the user has sent its question before."""
    found = await session.execute(
        _CREATE,
        {
            "owner": owner_id,
            "conversation": conversation_id,
            "question": question_id,
            "title": created.title,
            "model": created.model,
        },
    )
    return found.scalar_one_or_none() is not None


async def lock(session: AsyncSession, owner_id: UUID, conversation_id: UUID) -> LockedConversation | None:
    """Lock the conversation until the transaction ends.

    Includes deleted conversations. Returns None if it is unknown or another user's.
    """
    found = await session.execute(_LOCK, {"owner": owner_id, "conversation": conversation_id})
    row = found.one_or_none()
    return LockedConversation(row.seq, row.leaf_id) if row else None


async def status(
    session: AsyncSession, owner_id: UUID, conversation_id: UUID, question_id: UUID
) -> ConversationStatus | None:
    """Return the conversation's status, the latest one after `lock`; None if it is deleted, unknown or another user's."""
    found = await session.execute(_SPOT, {"owner": owner_id, "conversation": conversation_id, "question": question_id})
    row = found.one_or_none()
    return ConversationStatus(row.seq, row.model, row.leaf_id, row.is_busy, row.waiting, row.asked_in) if row else None


async def prompt_history(
    read: Read, owner_id: UUID, conversation_id: UUID, message_id: UUID, limit: int
) -> PromptHistory:
    """Return the messages that lead to an answer."""
    rows = await read(
        _THREAD, {"owner": owner_id, "conversation": conversation_id, "message": message_id, "limit": limit}
    )
    itself = next((PartialAnswer(row.text, row.reasoning) for row in rows if row.id == message_id), PartialAnswer())
    said = [row for row in reversed(rows) if row.id != message_id and row.text]
    before = [ChatMessage(Role(row.role), row.text) for row in said]
    instructions = next((row.custom_instructions or "" for row in rows), "")
    of_projects = next((list(row.project_instructions) for row in rows), [])
    configured: dict[str, Any] = next((row.configured or {} for row in rows), {})
    return PromptHistory(
        before,
        itself,
        any(row.is_grounded for row in rows),
        instructions,
        of_projects,
        configured.get("system_prompt", ""),
        configured.get("parameters", {}),
        configured.get("assistant", {}),
        next((row.parameters for row in rows if row.depth == 1), {}),
        [row.attachments for row in said],
    )

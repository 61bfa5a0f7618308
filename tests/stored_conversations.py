"""Conversations put into the database as rows, for tests that need many messages and none of their events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import psycopg

from rxchat.domain.ids import new_id

_CONVERSATION = "INSERT INTO conversation (owner_id, id, title, model, seq, leaf_id) VALUES (%s, %s, %s, %s, %s, %s)"
_MESSAGE = (
    "INSERT INTO message (owner_id, conversation_id, id, parent_id, seq, role, text, reasoning, model, state, error_code,"
    " error, tokens, seconds, tokens_per_second) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, 'done', '', '', %s, 2.5, 80)"
)


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message to put into the database."""

    role: str
    text: str
    model: str = ""
    reasoning: str = ""
    tokens: int = 0


def store_conversation(
    cursor: psycopg.Cursor[tuple[object, ...]],
    owner_id: UUID,
    messages: Sequence[StoredMessage] = (),
    *,
    conversation_id: UUID | None = None,
    title: str = "t",
    model: str = "m",
) -> UUID:
    """Put a conversation into the database, each message after the one before, and return its ID."""
    conversation_id, ids = conversation_id or new_id(), [new_id() for _ in messages]
    parents = [conversation_id, *ids]
    cursor.execute(_CONVERSATION, (owner_id, conversation_id, title, model, len(messages), parents[-1]))
    cursor.executemany(
        _MESSAGE,
        [
            (
                owner_id,
                conversation_id,
                found,
                parent,
                seq,
                item.role,
                item.text,
                item.reasoning,
                item.model,
                item.tokens,
            )
            for seq, (found, parent, item) in enumerate(zip(ids, parents, messages, strict=False), start=1)
        ],
    )
    return conversation_id

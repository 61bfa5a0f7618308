"""Stores an imported conversation as events, as everything else that happens to a conversation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from rxchat.db.chat import conversation_lists as list_rows
from rxchat.db.chat import conversations as rows
from rxchat.db.chat import imports as import_rows
from rxchat.db.chat import turn_queries
from rxchat.domain.conversation_events import (
    BranchChosen,
    ConversationArchived,
    ConversationCreated,
    ConversationEvent,
    ConversationImported,
    ConversationPinned,
    MessageAdded,
    MessageDeleted,
)
from rxchat.domain.conversations import ConversationList, leaf_after
from rxchat.domain.ids import new_id, parse_id
from rxchat.domain.imports.conversation import ImportedConversation, ImportedMessage, ImportSource
from rxchat.domain.imports.report import ImportedItem, SkippedItem
from rxchat.services.chat.conversations import MOST_PINNED

_CHANGED = "The file was changed after RxChat exported it."
_UNSIGNED = "The file is not signed: whether it was changed is unknown."
_OTHER = "It was exported by another instance of RxChat (key {key}…), and not changed since."


class ImportedConversations:
    """Makes conversations of what an export contains."""

    def __init__(self, public_key: str) -> None:
        """Recognize exports of this instance by its public key."""
        self._public_key = public_key

    async def store(
        self, session: AsyncSession, owner_id: UUID, given: ImportedConversation
    ) -> ImportedItem | SkippedItem:
        """Store a conversation in this transaction, or return why it is skipped.

        Raises:
            Conflict: if another process imports the same one in this moment (at the end of the transaction).
        """
        reason = await _known(session, owner_id, given)
        if reason:
            return SkippedItem(given.title, reason)
        conversation_id = new_id()
        now = datetime.now(UTC)
        may_pin = given.is_pinned and await _has_room_for_pin(session, owner_id)
        events = events_of(given, conversation_id, now, may_pin=may_pin)
        created = ConversationCreated(title=given.title, model=given.model)
        # No question is sent with it, so its own ID stands for one.
        await turn_queries.create_conversation(session, owner_id, conversation_id, conversation_id, created)
        await rows.append_events(session, owner_id, conversation_id, 0, [created, *events])
        await import_rows.remember(session, owner_id, given.source, given.external_id, conversation_id)
        return ImportedItem(conversation_id, given.title, given.source.words, [*given.notes, *self._signature(given)])

    def _signature(self, given: ImportedConversation) -> list[str]:
        if given.source is not ImportSource.RXCHAT or given.signed_by == self._public_key:
            return []
        match given.signed_by:
            case None:
                return [_UNSIGNED]
            case "":
                return [_CHANGED]
            case other:
                return [_OTHER.format(key=other[:12])]


async def _known(session: AsyncSession, owner_id: UUID, given: ImportedConversation) -> str:
    """Return why a conversation is not imported: the user has it; "" if they do not."""
    here = await import_rows.imported_as(session, owner_id, given.source, given.external_id)
    own_id = parse_id(given.external_id) if given.source is ImportSource.RXCHAT else None
    for found, reason in ((here, "It was imported before."), (own_id, "You have it already.")):
        conversation = await rows.get_owned_or_deleted(session, owner_id, found) if found is not None else None
        if conversation is not None:
            return reason if conversation.deleted_at is None else f"{reason} It is in your trash: restore it there."
    return ""


async def _has_room_for_pin(session: AsyncSession, owner_id: UUID) -> bool:
    return len(await list_rows.list_owned(session, owner_id, ConversationList.PINNED, limit=MOST_PINNED)) < MOST_PINNED


def events_of(
    given: ImportedConversation, conversation_id: UUID, now: datetime, *, may_pin: bool
) -> Sequence[ConversationEvent]:
    """Return the events that make a conversation of this, after the one that creates it."""
    ids = [new_id() for _ in given.messages]
    created_at = min(given.created_at or now, now)
    events: list[ConversationEvent] = []
    for item, message_id in zip(given.messages, ids, strict=True):
        parent_id = conversation_id if item.parent is None else ids[item.parent]
        events.append(_added(item, message_id, parent_id, min(item.created_at or created_at, now)))
    leaf_id = conversation_id if given.leaf is None else ids[given.leaf]
    events += [
        MessageDeleted(message_id=message_id, parent_id=event.parent_id, leaf_id=leaf_id)
        for item, message_id, event in zip(given.messages, ids, tuple(events), strict=True)
        if item.is_deleted and isinstance(event, MessageAdded)
    ]
    if leaf_after(conversation_id, events) != leaf_id:
        events.append(BranchChosen(leaf_id=leaf_id, parent_id=conversation_id))
    if given.is_archived:
        events.append(ConversationArchived(is_archived=True))
    if may_pin:
        events.append(ConversationPinned(is_pinned=True))
    updated_at = max(created_at, min(given.updated_at or created_at, now))
    events.append(
        ConversationImported(
            source=given.source.value, external_id=given.external_id, created_at=created_at, updated_at=updated_at
        )
    )
    return events


def _added(item: ImportedMessage, message_id: UUID, parent_id: UUID, created_at: datetime) -> MessageAdded:
    return MessageAdded(
        message_id=message_id,
        parent_id=parent_id,
        role=item.role,
        text=item.text,
        reasoning=item.reasoning,
        model=item.model,
        state=item.state,
        error=item.error,
        tokens=item.tokens,
        seconds=item.seconds,
        tokens_per_second=item.tokens_per_second,
        warnings=item.warnings,
        attachments=[dict(found) for found in item.attachments],
        created_at=created_at,
    )

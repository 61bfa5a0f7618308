"""Replays conversations from their events, and proves that the stored projections are the result."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from rxchat.db.access import audit_log as audit_rows
from rxchat.db.chat import conversation_sources as source_rows
from rxchat.db.chat import conversations as rows
from rxchat.db.chat import messages as message_rows
from rxchat.db.chat import projections, turn_queries
from rxchat.db.chat.projections import CONVERSATION_FIELDS, MESSAGE_FIELDS
from rxchat.db.platform.database import Database
from rxchat.domain.conversation_events import (
    ConversationArchived,
    ConversationEvent,
    ConversationPinned,
    ConversationRemoved,
    event_from,
    json_value,
)
from rxchat.domain.conversations import History
from rxchat.domain.errors import NotFound

_AT_A_TIME = 500


@dataclass(frozen=True, slots=True)
class Replay:
    """The result of replaying one conversation."""

    owner_id: UUID
    conversation_id: UUID
    events: int
    differences: list[str]
    """What was stored otherwise than its events say, in words; empty if everything was equal."""
    is_damaged: bool = False
    """Whether its events cannot be replayed, so that nothing was compared or repaired."""


class ProjectionReplay:
    """Compares the tables `conversation`, `message` and `conversation_source` with the events; needs the owner's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self, conversation_id: UUID | None = None, *, repairs: bool = False) -> AsyncGenerator[Replay]:
        """Replay the conversations of all users, or only one; with `repairs`, store what the events say.

        Raises:
            NotFound: when there is none with this ID.
        """
        if conversation_id is not None:
            async with self._database.begin(None) as session:
                owner_id = await projections.owner_of(session, conversation_id)
            if owner_id is None:
                raise NotFound
            replayed = await self._one(owner_id, conversation_id, repairs=repairs)
            if replayed is not None:
                yield replayed
            return
        async for owner_id, found in self._keys():
            # One that was deleted permanently meanwhile has nothing to compare.
            replayed = await self._one(owner_id, found, repairs=repairs)
            if replayed is not None:
                yield replayed

    async def _keys(self) -> AsyncGenerator[tuple[UUID, UUID]]:
        """Yield the owners and IDs of the conversations."""
        after = None
        while True:
            async with self._database.begin(None) as session:
                found = await projections.page(session, after, _AT_A_TIME)
            for key in found:
                yield key
            if not found:
                return
            after = found[-1]

    async def _one(self, owner_id: UUID, conversation_id: UUID, *, repairs: bool) -> Replay | None:
        async with self._database.begin(None) as session:
            # Locked, so that no event is added while its projections are compared.
            if await turn_queries.lock(session, owner_id, conversation_id) is None:
                return None
            stored = await rows.stored_events(session, owner_id, conversation_id)
            times = {item.seq: item.at for item in stored}
            if [item.seq for item in stored] != list(range(1, len(stored) + 1)):
                # What is stored may be all that is left of what was said.
                return Replay(owner_id, conversation_id, len(stored), ["events are missing"], is_damaged=True)
            try:
                events = [(item.seq, event_from(item.type, item.data)) for item in stored]
                history = History.replayed(events)
            except (KeyError, TypeError, ValueError) as error:
                words = f"its events cannot be replayed: {type(error).__name__} {error}"
                return Replay(owner_id, conversation_id, len(stored), [words], is_damaged=True)
            expected = _Expected(conversation_id, history, events, times)
            differences = [
                *await _compare_conversation(session, owner_id, expected, repairs=repairs),
                *await _compare_messages(session, owner_id, expected, repairs=repairs),
                *await _compare_sources(session, owner_id, expected, repairs=repairs),
            ]
            if differences and repairs:
                await audit_rows.append(
                    session, None, "conversation_repaired", "", "", conversation=str(conversation_id)
                )
        return Replay(owner_id, conversation_id, len(events), differences)


@dataclass(frozen=True, slots=True)
class _Expected:
    """A conversation as its events say."""

    conversation_id: UUID
    history: History
    events: list[tuple[int, ConversationEvent]]
    times: dict[int, datetime]

    def conversation(self) -> dict[str, Any]:
        history = self.history
        since = {
            "pinned_at": self._last(ConversationPinned) if history.is_pinned else None,
            "archived_at": self._last(ConversationArchived) if history.is_archived else None,
            "deleted_at": self._last(ConversationRemoved) if history.removed else None,
        }
        return {
            "title": history.title,
            "model": history.model,
            "system_prompt": history.system_prompt,
            "parameters": history.parameters,
            "assistant": history.assistant,
            "seq": history.seq,
            "leaf_id": history.leaf_id or self.conversation_id,
            "created_at": history.created_at or self.times.get(1),
            **since,
        }

    def _last(self, kind: type[ConversationEvent]) -> datetime | None:
        return next((self.times[seq] for seq, event in reversed(self.events) if isinstance(event, kind)), None)

    def messages(self) -> dict[UUID, dict[str, Any]]:
        return {
            message.id: {name: getattr(message, name) for name in MESSAGE_FIELDS}
            | {"created_at": message.created_at or self.times[message.seq]}
            for message in self.history.messages.values()
        }


async def _compare_conversation(
    session: AsyncSession, owner_id: UUID, expected: _Expected, *, repairs: bool
) -> list[str]:
    stored = await rows.get_owned_or_deleted(session, owner_id, expected.conversation_id)
    facts = expected.conversation()
    found = [name for name in CONVERSATION_FIELDS if getattr(stored, name) != facts[name]]
    if found and repairs:
        await projections.write_conversation(session, owner_id, expected.conversation_id, facts)
    return [f"its {name} differs" for name in found]


async def _compare_messages(session: AsyncSession, owner_id: UUID, expected: _Expected, *, repairs: bool) -> list[str]:
    stored = {item.id: item for item in await message_rows.all_messages(session, owner_id, expected.conversation_id)}
    wanted = expected.messages()
    extra = [message_id for message_id in stored if message_id not in wanted]
    differences = [f"message {message_id} has no event" for message_id in extra]
    wrong: list[UUID] = []
    for message_id, facts in wanted.items():
        message = stored.get(message_id)
        names = [name for name in MESSAGE_FIELDS if message is None or getattr(message, name) != facts[name]]
        if names:
            wrong.append(message_id)
            differences.append(
                f"message {message_id} is missing" if message is None else f"message {message_id}: {', '.join(names)}"
            )
    if differences and repairs:
        values = [
            {"id": str(found), **{name: json_value(wanted[found][name]) for name in MESSAGE_FIELDS}} for found in wrong
        ]
        await projections.write_messages(session, owner_id, expected.conversation_id, values, extra)
    return differences


async def _compare_sources(session: AsyncSession, owner_id: UUID, expected: _Expected, *, repairs: bool) -> list[str]:
    stored = {item.id: item for item in await source_rows.for_conversation(session, owner_id, expected.conversation_id)}
    wanted = expected.history.context_sources
    extra = [found for found in stored if found not in wanted]
    wrong = [source for source in wanted.values() if stored.get(source.id) != source]
    if (extra or wrong) and repairs:
        await projections.write_sources(session, owner_id, expected.conversation_id, wrong, extra)
    return [f"context source {found} differs" for found in (*extra, *(source.id for source in wrong))]

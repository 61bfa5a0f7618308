"""Use case: a conversation as a file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from rxchat.db.chat import conversation_sources as source_rows
from rxchat.db.chat import conversations as rows
from rxchat.db.chat import messages as message_rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.authorization import require_scope
from rxchat.domain.exports import own_json
from rxchat.domain.exports.conversation import CitedSource, ExportedConversation, ExportFormat
from rxchat.domain.exports.html import html
from rxchat.domain.exports.markdown import markdown
from rxchat.domain.imports.limits import MESSAGES
from rxchat.domain.messages import ThreadMessage
from rxchat.domain.permissions import Scope
from rxchat.domain.signatures import SigningKey
from rxchat.services.chat.context_sources import with_readable_attachments
from rxchat.services.chat.conversations import readable_conversation
from rxchat.services.platform.encryption import SecretBox
from rxchat.tables import Conversation

_PIECE_BYTES = 1 << 17


def signing_key_of(secret_box: SecretBox) -> SigningKey:
    """Return the key with which this installation signs exported conversations."""
    return SigningKey(secret_box.key("conversation export signatures"))


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """A file that is made while it is sent."""

    name: str
    media_type: str
    pieces: AsyncGenerator[bytes]


class ConversationExport:
    """Makes files of conversations."""

    def __init__(self, database: Database, key: SigningKey) -> None:
        self._database = database
        self._key = key

    async def file(self, current_user: CurrentUser, conversation_id: UUID, wanted: ExportFormat) -> ExportedFile:
        """Return a conversation that the user may read as a file.

        JSON has all branches and events of the user's own conversations, and of other users' what is shown; the other formats
        have the branch that is shown.

        Raises:
            NotFound: when it does not exist, or the user may not read it.
            NotAllowed: when the API key lacks the scope.
        """
        require_scope(current_user, Scope.READ)
        async with self._database.begin(current_user.user_id, snapshot=True) as session:
            conversation = await readable_conversation(session, current_user, conversation_id)
            is_own = conversation.owner_id == current_user.user_id
            if is_own and wanted is ExportFormat.JSON:
                found = await loaded(session, conversation)
            else:
                found = await _branch(session, current_user, conversation, with_sources=wanted is not ExportFormat.JSON)
        return ExportedFile(wanted.file_name(found.title), wanted.media_type, _sent(self._made(found, wanted)))

    def _made(self, conversation: ExportedConversation, wanted: ExportFormat) -> Iterator[bytes]:
        now = datetime.now(UTC)
        if wanted is ExportFormat.JSON:
            return own_json.pieces(conversation, self._key, now)
        words = markdown(conversation, now) if wanted is ExportFormat.MARKDOWN else html(conversation, now)
        return (piece.encode() for piece in words)

    async def importable(
        self, current_user: CurrentUser, conversation_id: UUID
    ) -> tuple[ExportedConversation, Iterator[bytes]] | None:
        """Return one of the user's own conversations, deleted ones too, and its JSON in pieces; None if it is gone."""
        async with self._database.begin(current_user.user_id, snapshot=True) as session:
            row = await rows.get_owned_or_deleted(session, current_user.user_id, conversation_id)
            found = await loaded(session, row) if row is not None else None
        return (found, self._made(found, ExportFormat.JSON)) if found is not None else None


async def loaded(session: AsyncSession, conversation: Conversation) -> ExportedConversation:
    """Return everything that the owner of a conversation may export."""
    owner_id = conversation.owner_id
    return replace(
        _head(conversation),
        messages=await message_rows.all_messages(session, owner_id, conversation.id),
        events=await rows.stored_events(session, owner_id, conversation.id),
    )


async def _branch(
    session: AsyncSession, current_user: CurrentUser, conversation: Conversation, *, with_sources: bool
) -> ExportedConversation:
    owner_id, is_own = conversation.owner_id, conversation.owner_id == current_user.user_id
    found = await message_rows.latest_messages(session, owner_id, conversation.id, conversation.leaf_id, limit=MESSAGES)
    messages = [
        replace(message, attachments=_known(message))
        for message in await with_readable_attachments(session, found, is_own=is_own)
    ]
    sources: dict[UUID, list[CitedSource]] = {}
    for message in messages if with_sources else []:
        if message.citations:
            shown = await source_rows.shown_sources(
                session, current_user.user_id, owner_id, conversation.id, message.id
            )
            cited = [item for item in shown if item.is_cited and item.is_allowed]
            sources[message.id] = [CitedSource(item.number, item.name, item.heading, item.page) for item in cited]
    return replace(_head(conversation, is_own=is_own), messages=messages, sources=sources)


def _known(message: ThreadMessage) -> list[dict[str, str]]:
    """Return what was sent with a message, without what the reader may not know."""
    return [{name: item[name] for name in ("id", "kind", "name")} for item in message.attachments if item["name"]]


def _head(conversation: Conversation, *, is_own: bool = True) -> ExportedConversation:
    return ExportedConversation(
        id=conversation.id,
        title=conversation.title,
        model=conversation.model,
        created_at=conversation.created_at,
        updated_at=conversation.updated_at,
        leaf_id=conversation.leaf_id,
        # Which of them are in which list is nothing that readers are shown.
        is_pinned=is_own and conversation.pinned_at is not None,
        is_archived=is_own and conversation.archived_at is not None,
        deleted_at=conversation.deleted_at,
    )


async def _sent(pieces: Iterator[bytes]) -> AsyncGenerator[bytes]:
    """Return the pieces in larger ones, each made in a thread: a long answer takes a second to lay out."""
    while piece := await asyncio.to_thread(next_piece, pieces):
        yield piece


def next_piece(pieces: Iterator[bytes]) -> bytes:
    """Return the next pieces together, 128 kB or more; b"" after the last one."""
    taken = bytearray()
    for piece in pieces:
        taken += piece
        if len(taken) >= _PIECE_BYTES:
            break
    return bytes(taken)

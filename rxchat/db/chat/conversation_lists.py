"""Queries about lists of a user's conversations, and how far they were read."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import and_, exists, func, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from rxchat.db.platform.notifications import notify
from rxchat.domain.conversations import ConversationList, ConversationSummary, ListPosition
from rxchat.domain.runs import RunState
from rxchat.tables import Conversation, ConversationProject, ConversationRead, ConversationTag, Run

_COMPUTED = {"is_running", "is_unread", "tag_ids"}
_SUMMARY = [getattr(Conversation, name) for name in ConversationSummary.__dataclass_fields__ if name not in _COMPUTED]
_IS_CURRENT = (col(Conversation.deleted_at).is_(None), col(Conversation.archived_at).is_(None))
_CONDITIONS = {
    ConversationList.CURRENT: _IS_CURRENT,
    ConversationList.RECENT: (*_IS_CURRENT, col(Conversation.pinned_at).is_(None)),
    ConversationList.PINNED: (*_IS_CURRENT, col(Conversation.pinned_at).is_not(None)),
    ConversationList.ARCHIVED: (col(Conversation.deleted_at).is_(None), col(Conversation.archived_at).is_not(None)),
    ConversationList.DELETED: (col(Conversation.deleted_at).is_not(None),),
}
_IS_RUNNING = exists().where(
    col(Run.owner_id) == col(Conversation.owner_id),
    col(Run.conversation_id) == col(Conversation.id),
    col(Run.state).in_([RunState.QUEUED, RunState.RUNNING]),
)
_HAS_TAG = (
    col(ConversationTag.owner_id) == col(Conversation.owner_id),
    col(ConversationTag.conversation_id) == col(Conversation.id),
)
_IS_PLACED = (
    col(ConversationProject.owner_id) == col(Conversation.owner_id),
    col(ConversationProject.conversation_id) == col(Conversation.id),
)
_TAG_IDS = select(func.array_agg(ConversationTag.tag_id)).where(*_HAS_TAG).correlate(Conversation).scalar_subquery()
_READ_SEQ = func.coalesce(col(ConversationRead.seq), 0)


async def list_owned(
    session: AsyncSession,
    owner_id: UUID,
    of: ConversationList,
    *,
    limit: int | None = None,
    after: ListPosition | None = None,
    until: ListPosition | None = None,
    tag_id: UUID | None = None,
    project_ids: Sequence[UUID] | None = None,
) -> list[ConversationSummary]:
    """Return a list of the user's conversations, each with flags for a running answer and one that was not read.

    The last changed are first; of the archive and the trash, what was put there last.

    Args:
        session: The session.
        owner_id: The user.
        of: Which list.
        limit: How many at most.
        after: Only those that come after this position.
        until: Only those up to this position, with the one that is there.
        tag_id: Only those with this tag.
        project_ids: Only those in one of these projects.
    """
    newest = {ConversationList.ARCHIVED: Conversation.archived_at, ConversationList.DELETED: Conversation.deleted_at}
    moment = col(newest.get(of, Conversation.updated_at))
    position = tuple_(moment, col(Conversation.id))
    is_read_by_owner = and_(
        col(ConversationRead.user_id) == owner_id,
        col(ConversationRead.owner_id) == owner_id,
        col(ConversationRead.conversation_id) == col(Conversation.id),
    )
    is_unread = col(Conversation.answered_seq) > _READ_SEQ
    query = (
        select(*_SUMMARY, _IS_RUNNING.label("is_running"), is_unread.label("is_unread"), _TAG_IDS.label("tag_ids"))
        .outerjoin(ConversationRead, is_read_by_owner)
        .where(col(Conversation.owner_id) == owner_id, *_CONDITIONS[of])
    )
    if tag_id is not None:
        query = query.where(exists().where(*_HAS_TAG, col(ConversationTag.tag_id) == tag_id))
    if project_ids is not None:
        query = query.where(exists().where(*_IS_PLACED, col(ConversationProject.project_id).in_(project_ids)))
    if after is not None:
        query = query.where(position < tuple_(*after))
    if until is not None:
        query = query.where(position >= tuple_(*until))
    query = query.order_by(moment.desc(), col(Conversation.id).desc()).limit(limit)
    found = (await session.execute(query)).mappings()
    return [ConversationSummary(**{**row, "tag_ids": tuple(row["tag_ids"] or ())}) for row in found]


async def unread_seq(session: AsyncSession, user_id: UUID, conversation: Conversation) -> int:
    """Return the seq of the last answer's end if the user has not read so far; otherwise 0."""
    if not conversation.answered_seq:
        return 0
    read = await session.execute(
        select(col(ConversationRead.seq)).where(
            col(ConversationRead.user_id) == user_id,
            col(ConversationRead.owner_id) == conversation.owner_id,
            col(ConversationRead.conversation_id) == conversation.id,
        )
    )
    return conversation.answered_seq if conversation.answered_seq > (read.scalar_one_or_none() or 0) else 0


_MARK_READ = text(
    """
    INSERT INTO conversation_read (user_id, owner_id, conversation_id, seq)
    SELECT :user, owner_id, id, least(:seq, seq) FROM conversation WHERE owner_id = :owner AND id = :conversation
    ON CONFLICT (user_id, owner_id, conversation_id) DO UPDATE SET seq = excluded.seq
     WHERE conversation_read.seq < excluded.seq
    RETURNING seq
    """
)


async def mark_read(session: AsyncSession, user_id: UUID, owner_id: UUID, conversation_id: UUID, seq: int) -> None:
    """Record that the user has read a conversation up to an event, and notify their tabs if that is new."""
    marked = await session.execute(
        _MARK_READ, {"user": user_id, "owner": owner_id, "conversation": conversation_id, "seq": seq}
    )
    if marked.scalar_one_or_none() is not None:
        await notify(session, f"conversation {user_id}")

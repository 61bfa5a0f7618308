"""How far users have read their conversations."""

from __future__ import annotations

from uuid import UUID

from rxchat.db.chat import conversation_lists as rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.authorization import require_scope
from rxchat.domain.permissions import Scope
from rxchat.services.chat.conversations import readable_conversation


class ConversationReads:
    """Remembers which answers a user has seen, so that all their devices mark the others."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def mark(self, current_user: CurrentUser, conversation_id: UUID, seq: int) -> None:
        """Record that the user has read a conversation up to the event with this seq; never less than before.

        Raises:
            NotFound: when it does not exist, or the user may not read it.
            NotAllowed: when the API key lacks the scope.
        """
        require_scope(current_user, Scope.CHAT)
        async with self._database.begin(current_user.user_id) as session:
            conversation = await readable_conversation(session, current_user, conversation_id)
            await rows.mark_read(session, current_user.user_id, conversation.owner_id, conversation_id, seq)

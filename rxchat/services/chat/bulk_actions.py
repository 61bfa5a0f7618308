"""Actions on several conversations at once: all of them, or none."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from rxchat.db.chat import bulk_actions as rows
from rxchat.db.chat import conversation_lists as list_rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.authorization import require_scope
from rxchat.domain.bulk_actions import MOST_AT_ONCE, BulkAction
from rxchat.domain.conversations import ConversationList
from rxchat.domain.errors import InvalidInput, NotFound
from rxchat.domain.permissions import Scope
from rxchat.services.chat.conversations import MOST_PINNED
from rxchat.services.chat.messages import stop_answer

_NOT_ALL = "One of these conversations does not exist. Nothing was changed: reload the page, and choose again."


class BulkActions:
    """Archives, pins, deletes and restores conversations, any number in one statement."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def change(
        self, current_user: CurrentUser, conversation_ids: Sequence[UUID], action: BulkAction
    ) -> list[UUID]:
        """Do it with these conversations, and return the IDs of those that were not in this state before.

        Deleted ones can only be restored, and stay as they are otherwise.

        Raises:
            InvalidInput: when there are too many, or too many would be pinned.
            NotFound: when one of them does not exist or is another user's; nothing is changed then.
        """
        require_scope(current_user, Scope.CHAT)
        owner_id, wanted = current_user.user_id, list(dict.fromkeys(conversation_ids))
        require_few(wanted)
        # First, so that stopping answers does not send queued messages.
        async with self._database.begin(owner_id) as session:
            if action is BulkAction.PIN:
                pinned = await list_rows.list_owned(session, owner_id, ConversationList.PINNED)
                if len({item.id for item in pinned}.union(wanted)) > MOST_PINNED:
                    raise InvalidInput(f"At most {MOST_PINNED} conversations can be pinned. Unpin some first.")
            changed = await rows.append_to_all(session, wanted, action.event)
        if changed is None:
            raise NotFound(_NOT_ALL)
        if action is BulkAction.REMOVE and changed:
            await self._stop_answers(owner_id, changed)
        return changed

    async def _stop_answers(self, owner_id: UUID, conversation_ids: Sequence[UUID]) -> None:
        async with self._database.begin(owner_id) as session:
            for conversation_id in await rows.with_answers(session, owner_id, conversation_ids):
                await stop_answer(session, owner_id, conversation_id)


def require_few(conversation_ids: Sequence[UUID]) -> None:
    """Refuse an action on no conversation, or on too many.

    Raises:
        InvalidInput: with what to do.
    """
    if not conversation_ids:
        raise InvalidInput("Choose conversations first.")
    if len(conversation_ids) > MOST_AT_ONCE:
        raise InvalidInput(f"Choose at most {MOST_AT_ONCE:,} conversations at once.")

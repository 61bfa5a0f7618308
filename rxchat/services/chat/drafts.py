"""Drafts: what users have typed and not sent, for their other devices."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from rxchat.db.chat import conversations as conversation_rows
from rxchat.db.chat import drafts as rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.authorization import require_scope
from rxchat.domain.errors import InvalidInput, NotFound
from rxchat.domain.permissions import Scope
from rxchat.domain.text import sanitize

DRAFT_CHARACTERS = 10_000
"""Longer ones stay in the browser in which they are typed."""


class Drafts:
    """Keeps one draft for each conversation of a user; it has the protection of messages."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, current_user: CurrentUser, conversation_id: UUID) -> str:
        """Return the draft in a conversation; "" if there is none.

        Raises:
            NotFound: when the conversation does not exist, is deleted or another user's.
        """
        require_scope(current_user, Scope.CHAT)
        async with self._database.begin(current_user.user_id) as session:
            await _require_own(session, current_user, conversation_id)
            return await rows.get(session, current_user.user_id, conversation_id)

    async def save(
        self, current_user: CurrentUser, conversation_id: UUID, text: str, *, base: str | None = None
    ) -> str | None:
        """Store the draft in a conversation in place of the last one; a blank one is deleted.

        Args:
            current_user: whose draft it is.
            conversation_id: where it was typed.
            text: the draft.
            base: the stored draft that it replaces, as its device knows it. One of another device stays, unless the
                new draft contains it. None replaces every draft.

        Returns:
            None if it was stored; else the draft of another device, which is still stored.

        Raises:
            InvalidInput: when it is too long.
            NotFound: when the conversation does not exist, is deleted or another user's.
        """
        require_scope(current_user, Scope.CHAT)
        if len(text) > DRAFT_CHARACTERS:
            raise InvalidInput(f"Drafts of at most {DRAFT_CHARACTERS:,} characters are kept for other devices.")
        async with self._database.begin(current_user.user_id) as session:
            await _require_own(session, current_user, conversation_id)
            known = None if base is None else sanitize(base)
            return await rows.save(session, current_user.user_id, conversation_id, sanitize(text), known)


async def _require_own(session: AsyncSession, current_user: CurrentUser, conversation_id: UUID) -> None:
    if await conversation_rows.get_owned(session, current_user.user_id, conversation_id) is None:
        raise NotFound

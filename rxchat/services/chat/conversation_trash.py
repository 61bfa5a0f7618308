"""Deleted conversations: they can be restored for 30 days, or deleted permanently before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import structlog

from rxchat.db.chat import conversations as rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.authorization import require_scope
from rxchat.domain.errors import NotFound
from rxchat.domain.permissions import Scope

log = structlog.get_logger(__name__)

KEPT = timedelta(days=30)
"""How long a deleted conversation can be restored."""


class ConversationTrash:
    """Deletes conversations permanently, with their messages and events."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def delete_for_good(self, current_user: CurrentUser, conversation_ids: Sequence[UUID]) -> int:
        """Delete conversations permanently that are in the user's trash; return how many were there.

        Raises:
            NotFound: when none of them is there.
            NotAllowed: when the API key lacks the scope.
        """
        require_scope(current_user, Scope.CHAT)
        async with self._database.begin(current_user.user_id) as session:
            count = await rows.delete_for_good(session, conversation_ids)
        if not count:
            raise NotFound
        return count

    async def empty(self, current_user: CurrentUser) -> int:
        """Delete everything in the user's trash permanently; return the number of conversations.

        Raises:
            NotAllowed: when the API key lacks the scope.
        """
        require_scope(current_user, Scope.CHAT)
        count = 0
        # In steps, each of which is far from the limit of a statement's time.
        while True:
            async with self._database.begin(current_user.user_id) as session:
                deleted = await rows.delete_for_good(session, None)
            count += deleted
            if not deleted:
                return count

    async def purge(self) -> None:
        """Delete the conversations of all users whose time in the trash is over."""
        while True:
            async with self._database.begin(None) as session:
                purged = await rows.purge(session, KEPT)
            if not purged:
                return
            log.info("deleted conversations were purged", count=purged)

"""Searches a user's conversations by title and text, and the names of documents."""

from __future__ import annotations

from rxchat.db.chat import conversation_search as rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.authorization import require_scope
from rxchat.domain.conversation_search import Found, parsed
from rxchat.domain.permissions import Scope


class ConversationSearch:
    """One query over titles, messages and documents."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def search(self, current_user: CurrentUser, query: str) -> list[Found]:
        """Return what matches: conversations and documents by likeness, the user's own messages newest first.

        All words must occur in a message, in the form written, in another one, or as the beginning of a longer word. Titles and
        names are found in spite of typing errors. `domain/conversation_search.py` has the filters.

        Raises:
            NotAllowed: when an API key lacks a scope: conversations and files are both searched.
        """
        require_scope(current_user, Scope.READ)
        require_scope(current_user, Scope.FILES)
        asked = parsed(query)
        if asked.is_empty:
            return []
        return await rows.search(self._database.reading(current_user.user_id), current_user.user_id, asked)

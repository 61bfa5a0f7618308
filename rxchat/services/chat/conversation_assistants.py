"""The assistant of a conversation: the version that it has, and the way to a newer one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from rxchat.db.chat import conversations as rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.api_errors import VersionMismatch
from rxchat.domain.assistants import AssistantMark, ChosenAssistant
from rxchat.domain.authorization import require_scope
from rxchat.domain.conversation_events import AssistantChosen
from rxchat.domain.errors import NotFound
from rxchat.domain.permissions import Scope
from rxchat.services.chat.assistants import chosen
from rxchat.services.chat.event_appender import opened

_GONE = "This assistant was deleted, or is no longer shared with you. The conversation keeps the version that it has."


class ConversationAssistants:
    """Use cases for the owner of a conversation."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, current_user: CurrentUser, conversation_id: UUID) -> AssistantMark | None:
        """Return the assistant of one of the user's conversations; None if it has none.

        Raises:
            NotFound: when the conversation does not exist or is another user's.
            NotAllowed: when the API key lacks the scope.
        """
        require_scope(current_user, Scope.READ)
        async with self._database.begin(current_user.user_id) as session:
            conversation = await rows.get_owned(session, current_user.user_id, conversation_id)
            if conversation is None:
                raise NotFound
            return await assistant_mark(session, current_user, conversation.assistant)

    async def choose(
        self,
        current_user: CurrentUser,
        conversation_id: UUID,
        assistant_id: UUID | None,
        *,
        expected_seq: int | None = None,
    ) -> AssistantMark | None:
        """Give a conversation the newest version of an assistant, from its next answer on; none for None.

        Its model stays: that is chosen for the conversation.

        Raises:
            NotFound: when the conversation or the assistant does not exist, or the user may not use it.
            VersionMismatch: when the conversation's last event is not `expected_seq`.
            NotAllowed: when the API key lacks the scope.
        """
        require_scope(current_user, Scope.CHAT)
        async with self._database.begin(current_user.user_id) as session:
            begun = await opened(session, current_user, conversation_id)
            if expected_seq not in {None, begun.seq}:
                raise VersionMismatch
            conversation = await rows.get_owned(session, current_user.user_id, conversation_id)
            found = await usable(session, current_user, assistant_id) if assistant_id else None
            wanted = found.data if found else {}
            if conversation is not None and conversation.assistant != wanted:
                await begun.append(AssistantChosen(assistant=wanted))
        return AssistantMark.of(found, found.version) if found else None


async def usable(session: AsyncSession, current_user: CurrentUser, assistant_id: UUID) -> ChosenAssistant:
    """Return the newest version of an assistant for a conversation.

    Raises:
        NotFound: with a sentence, when it does not exist or the user may not use it.
        NotAllowed: when it searches collections, and the API key lacks the scope.
    """
    try:
        found = await chosen(session, current_user, assistant_id)
    except NotFound as error:
        raise NotFound(_GONE) from error
    if found.content.collection_ids:
        # Its answers quote them.
        require_scope(current_user, Scope.FILES)
    return found


async def assistant_mark(
    session: AsyncSession, current_user: CurrentUser, data: Mapping[str, Any]
) -> AssistantMark | None:
    """Return the assistant of a conversation as its owner sees it; None if it has none."""
    found = ChosenAssistant.of(data)
    if found is None:
        return None
    try:
        newest = (await chosen(session, current_user, found.id)).version
    except NotFound:
        newest = 0
    return AssistantMark.of(found, newest)

"""How the answers of a conversation are to be: its system prompt and parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from rxchat.db.chat import conversations as rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.api_errors import VersionMismatch
from rxchat.domain.authorization import require_scope
from rxchat.domain.conversation_events import ConversationConfigured
from rxchat.domain.errors import NotFound
from rxchat.domain.model_parameters import Configuration, ParameterSupport, options_of, valid_configuration
from rxchat.domain.permissions import Scope
from rxchat.domain.ports import ChatModel
from rxchat.services.chat.event_appender import opened
from rxchat.services.models.parameters import require_taken


@dataclass(frozen=True, slots=True)
class Configured:
    """What is set for a conversation, and its version."""

    configuration: Configuration
    seq: int
    """The seq of the conversation's last event."""


class Configurations:
    """Use cases for the owner of a conversation. Readers of a shared one do not see how it is set."""

    def __init__(self, database: Database, model: ChatModel) -> None:
        self._database = database
        self._model = model

    async def support(self, current_user: CurrentUser, model: str) -> ParameterSupport:
        """Return which parameters a model takes.

        Raises:
            NotAllowed: when the API key lacks the scope.
        """
        require_scope(current_user, Scope.READ)
        return await self._model.parameters(model)

    async def valid(
        self, current_user: CurrentUser, model: str, system_prompt: str, parameters: Mapping[str, Any]
    ) -> Configuration:
        """Return what a user has set for a conversation with this model, as it would be stored.

        Raises:
            InvalidInput: when something is not allowed, or the model does not take it; with its name as the field.
            NotAllowed: when the API key lacks the scope.
        """
        require_scope(current_user, Scope.CHAT)
        found = valid_configuration(system_prompt, parameters)
        await require_taken(self._model, model, options_of(found.parameters), current_user)
        return found

    async def of(self, current_user: CurrentUser, conversation_id: UUID) -> Configured:
        """Return what is set for one of the user's conversations.

        Raises:
            NotFound: when it does not exist or is another user's.
            NotAllowed: when the API key lacks the scope.
        """
        require_scope(current_user, Scope.READ)
        async with self._database.begin(current_user.user_id) as session:
            found = await rows.get_owned(session, current_user.user_id, conversation_id)
        if found is None:
            raise NotFound
        return Configured(Configuration(found.system_prompt, found.parameters), found.seq)

    async def change(
        self,
        current_user: CurrentUser,
        conversation_id: UUID,
        system_prompt: str,
        parameters: Mapping[str, Any],
        *,
        model: str = "",
        expected_seq: int | None = None,
    ) -> Configured:
        """Set them for a conversation, from its next answer on; what is unchanged adds no event. Empty values reset them.

        They are checked with `model`, by default the one of the conversation.

        Raises:
            InvalidInput: when something is not allowed, or the model does not take it; with its name as the field.
            NotFound: when it does not exist or is another user's.
            VersionMismatch: when its last event is not `expected_seq`.
            NotAllowed: when the API key lacks the scope.
        """
        require_scope(current_user, Scope.CHAT)
        if not model:
            async with self._database.begin(current_user.user_id) as session:
                known = await rows.get_owned(session, current_user.user_id, conversation_id)
            model = known.model if known else ""
        wanted = await self.valid(current_user, model, system_prompt, parameters)
        async with self._database.begin(current_user.user_id) as session:
            begun = await opened(session, current_user, conversation_id)
            if expected_seq not in {None, begun.seq}:
                raise VersionMismatch
            found = await rows.get_owned(session, current_user.user_id, conversation_id)
            now = Configuration(found.system_prompt, found.parameters) if found else Configuration()
            if wanted != now:
                event = ConversationConfigured(system_prompt=wanted.system_prompt, parameters=dict(wanted.parameters))
                await begun.append(event)
        return Configured(wanted, begun.seq)

"""A conversation of a user, and what tests do in it."""

from __future__ import annotations

from uuid import UUID

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.chat import Role
from rxchat.domain.ids import new_id
from rxchat.domain.messages import ThreadMessage
from rxchat.services.app.container import Services
from tests.services.answering import ended

BRIEF = "scripted:tokens=3"
"""A model that answers with three words."""


class Conversation:
    """One conversation of a user, and what is done in it."""

    def __init__(self, services: Services, user: CurrentUser, conversation_id: UUID) -> None:
        self.services, self.user, self.id = services, user, conversation_id
        self.branches = services.chat.branches

    async def ask(self, text: str) -> None:
        await self.services.chat.messages.send_message(self.user, self.id, text, BRIEF)
        await ended(self.services, self.user, self.id)

    async def shown(self) -> list[ThreadMessage]:
        page = await self.services.chat.conversations.open(self.user, self.id, limit=100)
        history = await self.services.chat.conversations.history(self.user, self.id)
        assert [message.id for message in page.messages] == [message.id for message in history.branch]
        return list(page.messages)

    async def texts(self) -> list[str]:
        return [message.text.strip() for message in await self.shown() if message.role is Role.USER]

    async def edit(self, message: ThreadMessage, text: str, model: str = BRIEF) -> None:
        await self.branches.edit_question(self.user, self.id, message.id, text, model, question_id=new_id())
        await ended(self.services, self.user, self.id)

    async def regenerate(self, message: ThreadMessage, model: str = BRIEF) -> None:
        await self.branches.regenerate(self.user, self.id, message.id, model)
        await ended(self.services, self.user, self.id)

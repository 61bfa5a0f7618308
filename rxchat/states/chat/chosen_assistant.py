"""The assistant of the conversation on screen, or of the one that the page begins (`/?assistant=ID`)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.assistants import AssistantMark
from rxchat.domain.errors import NotFound
from rxchat.domain.ids import parse_id, require_id
from rxchat.services.app import container
from rxchat.states.platform.auth_guard import requires_user
from rxchat.states.platform.changes import set_changed

_GONE = "This assistant was deleted, or is not shared with you. You can begin a chat without it."
_CHOICES = 6


@dataclass
class AssistantChoice:
    """An assistant in the menu of a new chat."""

    id: str
    name: str
    sign: str


class ChosenAssistantState(rx.State):
    """What the top bar and the page for a new conversation show of an assistant."""

    id: str = ""
    name: str = ""
    sign: str = ""
    description: str = ""
    starters: list[str] = []
    version: int = 0
    newest: int = 0
    """The newest version; 0 if the user may not use the assistant any more."""
    notice: str = ""
    """Why the page cannot begin a conversation with the assistant of its address."""
    choices: list[AssistantChoice] = []
    """Some assistants, for a new conversation."""
    _of: str = ""
    _wanted: str = ""
    """The ID in the address of the page for a new conversation."""

    def _is_other(self, wanted: str) -> bool:
        """Whether the address of the page for a new conversation names another assistant than the shown one."""
        return wanted != self._wanted

    async def _show_new(self, current_user: CurrentUser, wanted: str) -> str:
        """Show the page for a new conversation with this assistant, or with none, and return its model."""
        self._of, self._wanted, model = "", wanted, ""
        self._show_mark(None)
        assistants = container.get_services().chat.assistants
        assistant_id = parse_id(wanted)
        if wanted:
            try:
                found = await assistants.get(current_user, require_id(wanted) if assistant_id is None else assistant_id)
            except NotFound:
                self.notice = _GONE
            else:
                said, model = found.content, found.content.model
                self._show_mark(AssistantMark(found.id, said.name, said.sign, found.version, found.version))
                set_changed(self, description=said.description, starters=list(said.starters))
        listed = await assistants.readable(current_user, limit=_CHOICES)
        set_changed(self, choices=[AssistantChoice(str(it.id), it.content.name, it.content.sign) for it in listed])
        return model

    def _show(self, conversation_id: str, mark: AssistantMark | None) -> None:
        """Show the assistant of a conversation."""
        self._of, self._wanted = conversation_id, ""
        self._show_mark(mark)

    def _show_mark(self, mark: AssistantMark | None) -> None:
        set_changed(
            self,
            id=str(mark.id) if mark else "",
            name=mark.name if mark else "",
            sign=mark.sign if mark else "",
            version=mark.version if mark else 0,
            newest=mark.newest if mark else 0,
            description="",
            starters=[],
            notice="",
        )

    def _for_new(self) -> UUID | None:
        """Return the assistant of the conversation that the page begins."""
        return parse_id(self.id)

    @rx.event
    @requires_user
    async def use_newest(self, current_user: CurrentUser, conversation_id: str) -> None:
        """Give the conversation on screen the newest version of its assistant."""
        await self._choose(current_user, conversation_id, parse_id(self.id))

    @rx.event
    @requires_user
    async def leave(self, current_user: CurrentUser, conversation_id: str) -> None:
        """Take the assistant from the conversation on screen."""
        await self._choose(current_user, conversation_id, None)

    async def _choose(self, current_user: CurrentUser, conversation_id: str, assistant_id: UUID | None) -> None:
        service = container.get_services().chat.conversation_assistants
        mark = await service.choose(current_user, require_id(conversation_id), assistant_id)
        if conversation_id == self._of:
            self._show_mark(mark)

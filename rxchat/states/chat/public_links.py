"""The public links of one conversation, as its dialog lists them. Their tokens never pass this state."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.ids import require_id
from rxchat.services.app import container
from rxchat.states.platform.auth_guard import requires_user
from rxchat.states.platform.dialogs import DialogState, show_problem
from rxchat.states.platform.field_views import milliseconds
from rxchat.states.platform.request_context import client_info_of


@dataclass
class PublicLinkView:
    """A link without its token."""

    id: str
    created_at: int
    expires_at: int
    """0: never."""
    has_password: bool


class PublicLinksState(DialogState, rx.State):
    """The links of the conversation whose dialog was opened last."""

    of: str = ""
    """The conversation that they belong to."""
    links: list[PublicLinkView] = []

    @rx.event
    @partial(requires_user, refuse=show_problem)
    async def load(self, current_user: CurrentUser, conversation_id: str) -> None:
        """Show the links of a conversation."""
        await self._show(current_user, conversation_id)
        self._done()

    async def _show(self, current_user: CurrentUser, conversation_id: str) -> None:
        found = await container.get_services().chat.public_links.of_conversation(
            current_user, require_id(conversation_id)
        )
        self.of = conversation_id
        self.links = [
            PublicLinkView(
                str(item.id), milliseconds(item.created_at), milliseconds(item.expires_at), item.has_password
            )
            for item in found
        ]

    @rx.event
    @partial(requires_user, refuse=show_problem)
    async def revoke(self, current_user: CurrentUser, link_id: str) -> None:
        """Revoke a link; it shows nothing from then on."""
        await container.get_services().chat.public_links.revoke(current_user, require_id(link_id), client_info_of(self))
        await self._show(current_user, self.of)
        self._done()

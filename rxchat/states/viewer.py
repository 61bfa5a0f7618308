"""Who looks at the page."""

from __future__ import annotations

import reflex as rx

from rxchat.domain.accounts import Viewer
from rxchat.states.access import signed_in


class ViewerState(rx.State):
    """The person who is signed in, as far as the page shows them."""

    name: str = ""
    email: str = ""
    is_admin: bool = False
    ready: bool = False

    @rx.event
    @signed_in
    async def enter(self, viewer: Viewer) -> None:
        """Say who is signed in, or send to the sign-in page."""
        self.name = viewer.name
        self.email = viewer.email
        self.is_admin = viewer.is_admin
        self.ready = True

"""Who looks at the page."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.permissions import ADMINISTRATIVE, Permission, is_permitted
from rxchat.services.app import container
from rxchat.states.platform.auth_guard import requires_user


@dataclass
class Section:
    """One of the pages for administrators, as their navigation shows it."""

    label: str
    path: str


SECTIONS = {
    "Users": ("/admin/users", Permission.USERS_READ),
    "Groups": ("/admin/groups", Permission.USERS_READ),
    "Roles": ("/admin/roles", Permission.USERS_READ),
    "Access": ("/admin/access", Permission.GRANTS_MANAGE),
    "Registration": ("/admin/registration", Permission.SETTINGS_MANAGE),
    "Audit": ("/admin/audit", Permission.AUDIT_READ),
}
"""The pages for administrators: where each is, and which permission opens it."""


class CurrentUserState(rx.State):
    """The person who is signed in, as far as the page shows them."""

    name: str = ""
    email: str = ""
    is_admin: bool = False
    needs_second_factor: bool = False
    """Whether they administer, and cannot just now for want of a second factor."""
    must_enrol: bool = False
    """Whether nothing but setting up a second factor is open to them."""
    permissions: list[str] = []
    """What they may administer, by name: for what the page offers; services ask again."""
    sections: list[Section] = []
    admin_home: str = ""
    """Where administering begins for this person; "" when there is nothing for them."""
    readings: str = ""
    """That administrators have read conversations of theirs, in a sentence, until they have seen which and why."""
    ready: bool = False

    @rx.event
    @partial(requires_user, enrolling=True)
    async def enter(self, current_user: CurrentUser) -> None:
        """Say who is signed in, or send to the sign-in page."""
        self._look_at(current_user)
        if current_user.must_enrol:
            return
        fresh = [item for item in await container.get_services().app.profiles.readings(current_user) if item.is_new]
        self.readings = _told(len(fresh), fresh[0].reader) if fresh else ""

    def _look_at(self, current_user: CurrentUser) -> None:
        """Show this person."""
        self.name = current_user.name
        self.email = current_user.email
        self.is_admin = current_user.is_admin
        self.needs_second_factor = current_user.needs_second_factor
        self.must_enrol = current_user.must_enrol
        self.permissions = sorted(current_user.permissions & ADMINISTRATIVE)
        self.sections = [
            Section(label, path) for label, (path, needed) in SECTIONS.items() if is_permitted(current_user, needed)
        ]
        first = self.sections[0].path if self.sections else ""
        self.admin_home = first or ("/admin/users" if current_user.needs_second_factor else "")
        self.ready = True


def _told(count: int, reader: str) -> str:
    times = "" if count == 1 else f" ({count} times)"
    return f"{reader}, who administers RxChat, has looked at your conversations{times} and gave a reason."

"""The state of the signed-in user."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.authorization import is_permitted
from rxchat.domain.permissions import ADMINISTRATIVE, Permission
from rxchat.services.app import container
from rxchat.states.platform.auth_guard import current_path, requires_user


@dataclass
class Section:
    """An administration page in the navigation."""

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
"""The administration pages: path, and required permission."""


class CurrentUserState(rx.State):
    """The signed-in user, as the pages show them."""

    name: str = ""
    email: str = ""
    is_admin: bool = False
    needs_second_factor: bool = False
    """Whether administrative permissions are missing because the session has no second factor."""
    must_enrol: bool = False
    """Whether the user has to set up a second factor first."""
    permissions: list[str] = []
    """The administrative permissions, to decide what the page offers; services check again."""
    sections: list[Section] = []
    admin_home: str = ""
    """The first administration page for this user; "" if there is none."""
    readings: str = ""
    """A sentence about access by administrators that the user has not seen yet."""
    ready: bool = False
    _is_shown: bool = False
    """Whether the page shows everything that is at its address already; the handlers that load it look here."""
    _is_followed: bool = False
    """Whether it was shown before the browser went there, and is followed since then."""
    _at: tuple[str, str] = ("", "")
    """The socket and the address of the last page."""
    _shown_before: tuple[str, str] = ("", "")
    """The same of a page of which everything is shown before the browser goes there."""

    @rx.event
    @partial(requires_user, enrolling=True)
    async def enter(self, current_user: CurrentUser) -> None:
        """Load the signed-in user, or redirect to the sign-in page."""
        self._is_shown = self._arrive()
        if self._is_shown:
            return
        self._look_at(current_user)
        if current_user.must_enrol:
            return
        fresh = [item for item in await container.get_services().app.profiles.readings(current_user) if item.is_new]
        self.readings = _access_notice(len(fresh), fresh[0].reader) if fresh else ""

    def _show_before(self, path: str) -> None:
        """Say that the page shows what is at a path before it goes there, and follows it, so that arriving loads nothing."""
        self._shown_before = (self.router.session.session_id, path)

    def _arrive(self) -> bool:
        """Note where the page is; returns whether it shows what is there already, as when only its query has changed.

        A page that was loaded again, or disconnected, has another socket and needs everything.
        """
        before, shown_before = self._at, self._shown_before
        self._at = (self.router.session.session_id, current_path(self).partition("#")[0])
        self._shown_before = ("", "")
        (socket, address), (last_socket, last_address) = self._at, before
        is_same_page = socket == last_socket and address.partition("?")[0] == last_address.partition("?")[0]
        self._is_followed = self._at == shown_before
        return self._is_followed or (is_same_page and address != last_address)

    def _look_at(self, current_user: CurrentUser) -> None:
        """Show this user."""
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


def _access_notice(count: int, reader: str) -> str:
    times = "" if count == 1 else f" ({count} times)"
    return f"The administrator {reader} opened your conversations{times} and gave a reason."

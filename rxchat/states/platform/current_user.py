"""The state of the signed-in user."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
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
    "Providers": ("/admin/providers", Permission.MODELS_MANAGE),
    "Hosts": ("/admin/hosts", Permission.MODELS_MANAGE),
    "Models": ("/admin/models", Permission.SYSTEM_READ),
    "Quotas": ("/admin/quotas", Permission.SYSTEM_QUOTAS),
    "Usage": ("/admin/usage", Permission.SYSTEM_READ),
    "Feedback": ("/admin/feedback", Permission.FEEDBACK_READ),
    "System": ("/admin/system", Permission.SYSTEM_READ),
    "Audit": ("/admin/audit", Permission.AUDIT_READ),
}
"""The administration pages: path, and required permission."""


class Navigation(StrEnum):
    """What a navigation means for what the page shows."""

    LOADS = "loads"
    """The page loads everything."""
    CHANGES_QUERY = "changes query"
    """Only the query of the address has changed; what is shown stays."""
    EXPECTED = "expected"
    """Everything was shown before the browser went there, and is followed since then."""


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
    _navigation: Navigation = Navigation.LOADS
    """The last navigation; the handlers that load a page look here."""
    _at: tuple[str, str] = ("", "")
    """The socket and the address of the page."""
    _shown: tuple[str, str] = ("", "")
    """The socket and the path of the page whose loading is complete: a navigation cancels the loading of the one before."""
    _expected: tuple[str, str] = ("", "")
    """The socket and the address of a page that the browser will go to and that is shown already."""

    @rx.event
    @partial(requires_user, enrolling=True)
    async def enter(self, current_user: CurrentUser) -> None:
        """Load the signed-in user, or redirect to the sign-in page."""
        self._navigation = self._arrive()
        if self._navigation is not Navigation.LOADS:
            return
        self._look_at(current_user)
        if current_user.must_enrol:
            return
        fresh = [item for item in await container.get_services().app.profiles.readings(current_user) if item.is_new]
        self.readings = _access_notice(len(fresh), fresh[0].reader) if fresh else ""

    def _expect(self, path: str) -> None:
        """Announce that the browser will go to a path whose page is shown and followed already."""
        self._expected = (self.router.session.session_id, path)

    def _complete(self) -> None:
        """Store that the page is loaded."""
        socket, address = self._at
        self._shown = socket, address.partition("?")[0]

    def _arrive(self) -> Navigation:
        """Store where the page is, and return the kind of navigation that led there.

        A page that was reloaded or disconnected has another socket, and loads everything.
        """
        last, expected = self._at, self._expected
        socket, address = self.router.session.session_id, current_path(self).partition("#")[0]
        self._at, self._expected = (socket, address), ("", "")
        if expected == self._at:
            self._complete()
            return Navigation.EXPECTED
        if self._shown == (socket, address.partition("?")[0]) and last != self._at:
            return Navigation.CHANGES_QUERY
        self._shown = "", ""
        return Navigation.LOADS

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

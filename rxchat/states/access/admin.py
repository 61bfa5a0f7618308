"""Shared parts of the administration pages: where errors are shown, and how form fields are read."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.authorization import is_permitted
from rxchat.domain.errors import InvalidInput
from rxchat.domain.ids import parse_id
from rxchat.domain.permissions import Permission
from rxchat.services.app import container
from rxchat.states.platform.auth_guard import requires_user
from rxchat.states.platform.dialogs import DialogState, show_problem

administering = partial(requires_user, refuse=show_problem)
"""`requires_user` for administration pages; services check the permission at each call."""


class AdminPage(DialogState, mixin=True):
    """The variables of every administration page."""

    loaded: bool = False
    flash: str = ""
    """A confirmation of what was done, shown unobtrusively."""

    def _confirm(self, flash: str, form: dict[str, Any] | None = None) -> None:
        """Close the dialog that sent the form, and confirm the action."""
        self._done(form)
        self.flash = flash


def id_of(value: str, sentence: str = "This no longer exists. Reload the page.") -> UUID:
    """Return the identifier that the page sent.

    Raises:
        InvalidInput: when it is invalid.
    """
    identifier = parse_id(value)
    if identifier is None:
        raise InvalidInput(sentence)
    return identifier


def chosen_in(form: dict[str, Any], prefix: str) -> list[str]:
    """Return the checked checkboxes of a form whose names begin with `prefix`."""
    return [name.removeprefix(prefix) for name in form if isinstance(name, str) and name.startswith(prefix)]


async def role_titles(current_user: CurrentUser) -> dict[str, str]:
    """Return the titles of the roles by name, as far as the user may see them."""
    if not is_permitted(current_user, Permission.USERS_READ):
        return {}
    return {role.name: role.title for role in await container.get_services().access.roles.all(current_user)}

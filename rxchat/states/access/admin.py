"""What the pages for administrators have in common: where a failure is said, how what was sent is read."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.errors import InvalidInput, RxChatError
from rxchat.domain.ids import parse_id
from rxchat.domain.permissions import Permission, is_permitted
from rxchat.services.app import container
from rxchat.states.platform.auth_guard import requires_user


def _say(state: Any, error: RxChatError, _given: dict[str, Any]) -> bool:
    """Say what went wrong on the page itself, or in the dialog that is open: what was typed stays there."""
    state.problem = error.message
    return True


administering = partial(requires_user, refuse=_say)
"""`signed_in` for the pages here; whether the person may do it is for the services to say, each time."""


class AdminPage(rx.State, mixin=True):
    """The vars that each of these pages has."""

    loaded: bool = False
    problem: str = ""
    done: str = ""
    """What was done, said quietly where the eye is."""
    dialog: str = ""
    """Which dialog is open; "" when none is."""
    link: str = ""
    """A link to hand over, for as long as the dialog that made it is open."""

    def _open(self, dialog: str) -> None:
        self.dialog, self.problem, self.done, self.link = dialog, "", "", ""

    def _close(self, done: str = "") -> None:
        self.dialog, self.problem, self.done, self.link = "", "", done, ""

    @rx.event
    @administering
    async def close(self, current_user: CurrentUser) -> None:
        """Close the dialog; nothing happens."""
        del current_user
        self._close(self.done)


def id_of(value: str, sentence: str = "There is nothing here (any more); please reload the page.") -> UUID:
    """Return the identifier that was sent.

    Raises:
        InvalidInput: when it is none.
    """
    identifier = parse_id(value)
    if identifier is None:
        raise InvalidInput(sentence)
    return identifier


def text_in(form: dict[str, Any], name: str) -> str:
    """Return what was written into a form's field; "" when that is no text."""
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def chosen_in(form: dict[str, Any], prefix: str) -> list[str]:
    """Return which of a form's checkboxes were ticked, of those whose names begin so."""
    return [name.removeprefix(prefix) for name in form if isinstance(name, str) and name.startswith(prefix)]


def moment(at: datetime | None) -> int:
    """Return a moment in milliseconds since 1970, as browsers count; 0 for never."""
    return int(at.timestamp() * 1000) if at else 0


async def role_titles(current_user: CurrentUser) -> dict[str, str]:
    """Return what the roles are called, by name, as far as the person may see them."""
    if not is_permitted(current_user, Permission.USERS_READ):
        return {}
    return {role.name: role.title for role in await container.get_services().access.roles.all(current_user)}

"""Who someone is, and the rules for what they may call themselves and use as a password."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from rxchat.domain.errors import InvalidInput
from rxchat.domain.text import storable

PASSWORD_MINIMUM = 10
PASSWORD_MAXIMUM = 1_000

# One @, something on both sides, no white space: whether it exists only a mail can tell.
_EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,189}")


class UserRole(StrEnum):
    """What a user may do in this installation."""

    ADMIN = "admin"
    MEMBER = "member"


@dataclass(frozen=True, slots=True)
class Viewer:
    """The signed-in person behind a request: the one argument that every use case starts with."""

    user_id: UUID
    session_id: UUID
    name: str
    email: str
    role: UserRole

    @property
    def is_admin(self) -> bool:
        """Whether this person administers the installation."""
        return self.role is UserRole.ADMIN


def valid_email(email: str) -> str:
    """Return the address without surrounding space.

    Raises:
        InvalidInput: when it cannot be an e-mail address.
    """
    email = email.strip()
    if not _EMAIL.fullmatch(email) or storable(email) != email:
        raise InvalidInput("This does not look like an e-mail address.")
    return email


def valid_name(name: str) -> str:
    """Return the name on one line.

    Raises:
        InvalidInput: when it is blank or longer than 100 characters.
    """
    name = " ".join(storable(name).split())
    if not name or len(name) > 100:
        raise InvalidInput("Please give a name of at most 100 characters.")
    return name


def valid_password(password: str) -> str:
    """Return the password unchanged.

    Raises:
        InvalidInput: when it is too short to be safe, or absurdly long.
    """
    if len(password) < PASSWORD_MINIMUM:
        raise InvalidInput(f"Please choose a password of at least {PASSWORD_MINIMUM} characters.")
    if len(password) > PASSWORD_MAXIMUM:
        raise InvalidInput(f"Please choose a password of at most {PASSWORD_MAXIMUM} characters.")
    return password

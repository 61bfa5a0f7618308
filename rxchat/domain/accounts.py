"""Users and their sessions, and the rules for names, addresses and passwords."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from rxchat.domain.email_addresses import canonical_email, is_plain_email
from rxchat.domain.errors import InvalidInput
from rxchat.domain.invisible import has_invisible
from rxchat.domain.permissions import ADMINISTRATIVE, Permission, Scope
from rxchat.domain.text import clean_line

PASSWORD_MINIMUM = 10
PASSWORD_MAXIMUM = 1_000

# Everything but letters and digits, and everything but letters.
_SIGNS = re.compile(r"[\W_]+")
_LETTERS = re.compile(r"[\W\d_]+")
_SHORTEST_WORD = 3
_LETTERS_LEFT = 4
_DIGITS_LEFT = 6
"""A year or a date appended to a name is easy to guess, too."""
# One @ and text on both sides, of a length that mail servers accept. Only an e-mail can show whether the address
# exists.
_EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,189}")


ADMIN, MODERATOR, MEMBER, GUEST = "admin", "moderator", "member", "guest"
"""The built-in roles. Administrators can create others."""


class SecondFactorPolicy(StrEnum):
    """Which users must have a second factor."""

    NOBODY = "nobody"
    ADMINS = "admins"
    """Administration requires a second factor; everything else does not."""
    EVERYBODY = "everybody"
    """Everything except setting up a second factor requires one."""


class RegistrationMode(StrEnum):
    """Who can create an account."""

    OPEN = "open"
    INVITATION = "invitation"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """The origin of a request, for the audit log and rate limits."""

    address: str = ""
    user_agent: str = ""
    device_id: UUID | None = None
    """The id that a browser keeps after a user has signed in with it."""


@dataclass(frozen=True, slots=True)
class CurrentUser:
    """The signed-in user of a request: the first argument of every use case."""

    user_id: UUID
    session_id: UUID
    name: str
    email: str
    role: str
    permissions: frozenset[Permission] = frozenset()
    """The role's permissions that apply in this session; administrative ones may require a second factor."""
    groups: frozenset[UUID] = frozenset()
    scopes: frozenset[Scope] | None = None
    """The scopes of an API key or access token; None for a browser session."""
    needs_second_factor: bool = False
    """Whether administrative permissions are missing because the session has no second factor."""
    lacks_second_factor: bool = False
    """Whether the installation requires a second factor for administration, and this session has none."""
    owes_second_factor: bool = False
    """Whether the account has a second factor that this session did not use, because the session is older."""
    password_version: str = ""
    """The version of the account's password when the session was checked: see `password_version`."""
    must_enrol: bool = False
    """Whether the user has to set up a second factor before anything else."""

    @property
    def is_admin(self) -> bool:
        """Whether the user may open at least one administration page."""
        return bool(self.permissions & ADMINISTRATIVE)


def password_version(changed_at: datetime | None) -> str:
    """Return a value that changes with each password, so that a confirmation with an earlier one is refused."""
    return changed_at.isoformat() if changed_at else ""


def valid_email(email: str) -> str:
    """Return the address in its canonical spelling, without surrounding space.

    Raises:
        InvalidInput: when it cannot be an e-mail address.
    """
    given = email.strip()
    email = canonical_email(given)
    is_address = _EMAIL.fullmatch(unicodedata.normalize("NFC", given)) and _EMAIL.fullmatch(email)
    # IDNA would silently remove some invisible characters from a domain.
    if not is_address or has_invisible(given) or not is_plain_email(email):
        raise InvalidInput("This is not a valid e-mail address.", field="email")
    return email


def valid_name(name: str) -> str:
    """Return the name on one line.

    Raises:
        InvalidInput: when it is blank or longer than 100 characters.
    """
    name = clean_line(name)
    if not name or len(name) > 100:
        raise InvalidInput("Enter a name of at most 100 characters.", field="name")
    return name


def valid_password(password: str, *, email: str = "", name: str = "") -> str:
    """Return the password unchanged.

    `services.accounts.breached_passwords` checks whether it is a known stolen password.

    Raises:
        InvalidInput: when it is too short to be safe, or too long.
    """
    if len(password) < PASSWORD_MINIMUM:
        raise InvalidInput(f"Choose a password of at least {PASSWORD_MINIMUM} characters.")
    if len(password) > PASSWORD_MAXIMUM:
        raise InvalidInput(f"Choose a password of at most {PASSWORD_MAXIMUM} characters.")
    if _is_about_oneself(password, email, name):
        raise InvalidInput(
            "This password consists of your e-mail address, your name or “RxChat”, which is easy to guess. Choose another one."
        )
    return password


def _is_about_oneself(password: str, email: str, name: str) -> bool:
    """Whether a password consists mostly of the user's address and name, "RxChat" and digits."""
    local, _, domain = _plain(email).partition("@")
    parts = {
        local,
        domain,
        domain.partition(".")[0],
        *re.split(r"[^\w]|_", local),
        *_plain(name).split(),
        "rxchat",
        "chat",
    }
    parts |= {_plain(name), _plain(email)}
    words = {pattern.sub("", part) for part in parts for pattern in (_SIGNS, _LETTERS)}
    left = whole = _SIGNS.sub("", _plain(password))
    for word in sorted((word for word in words if len(word) >= _SHORTEST_WORD), key=len, reverse=True):
        left = left.replace(word, "")
    letters = len(_LETTERS.sub("", left))
    return left != whole and letters < _LETTERS_LEFT and len(left) - letters <= _DIGITS_LEFT


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()

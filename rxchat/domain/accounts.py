"""Who someone is, and the rules for what they may call themselves and use as a password."""

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
"""A year or a date behind a name is guessed, too."""
# One @ and something on both sides, of a length that mail servers take: whether it exists only a mail can tell.
_EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,189}")


ADMIN, MODERATOR, MEMBER, GUEST = "admin", "moderator", "member", "guest"
"""The names of the roles that every installation has; others can be added beside them."""


class SecondFactorPolicy(StrEnum):
    """Who must have a second factor."""

    NOBODY = "nobody"
    ADMINS = "admins"
    """Administering is only possible with one; everything else is without."""
    EVERYBODY = "everybody"
    """Nothing but setting one up is possible without."""


class RegistrationMode(StrEnum):
    """Who can make an account."""

    OPEN = "open"
    INVITATION = "invitation"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """Where a request comes from, for the record and for limits."""

    address: str = ""
    user_agent: str = ""
    device_id: UUID | None = None
    """The browser's own mark, when it has signed somebody in before."""


@dataclass(frozen=True, slots=True)
class CurrentUser:
    """The signed-in person behind a request: the one argument that every use case starts with."""

    user_id: UUID
    session_id: UUID
    name: str
    email: str
    role: str
    permissions: frozenset[Permission] = frozenset()
    """What the role allows and is in force: administering may want a second factor first."""
    groups: frozenset[UUID] = frozenset()
    scopes: frozenset[Scope] | None = None
    """What an API key or a program's token is limited to; None: a person in a browser."""
    needs_second_factor: bool = False
    """Whether the role allows more than is in force, for want of a second factor."""
    lacks_second_factor: bool = False
    """Whether the installation wants a second factor for administering, and none was shown in this sign-in."""
    owes_second_factor: bool = False
    """Whether the account has a second factor that was not shown in this sign-in: it began before there was one."""
    password_version: str = ""
    """Which of the account's passwords counted when the session was checked: see `password_version`."""
    must_enrol: bool = False
    """Whether nothing but setting up a second factor is open to them."""

    @property
    def is_admin(self) -> bool:
        """Whether any of the pages for administrators is for this person."""
        return bool(self.permissions & ADMINISTRATIVE)


def password_version(changed_at: datetime | None) -> str:
    """Return what tells one password of an account from the next one: a proof of the former is none of the latter."""
    return changed_at.isoformat() if changed_at else ""


def valid_email(email: str) -> str:
    """Return the address without surrounding space, in the one spelling that it has here.

    Raises:
        InvalidInput: when it cannot be an e-mail address.
    """
    given = email.strip()
    email = canonical_email(given)
    is_address = _EMAIL.fullmatch(unicodedata.normalize("NFC", given)) and _EMAIL.fullmatch(email)
    # IDNA would remove some invisible characters of a domain; where they are, something is wrong.
    if not is_address or has_invisible(given) or not is_plain_email(email):
        raise InvalidInput("This does not look like an e-mail address.")
    return email


def valid_name(name: str) -> str:
    """Return the name on one line.

    Raises:
        InvalidInput: when it is blank or longer than 100 characters.
    """
    name = clean_line(name)
    if not name or len(name) > 100:
        raise InvalidInput("Please give a name of at most 100 characters.")
    return name


def valid_password(password: str, *, email: str = "", name: str = "") -> str:
    """Return the password unchanged.

    Whether it is one that everybody tries is for services.breached to say.

    Raises:
        InvalidInput: when it is too short to be safe, or absurdly long.
    """
    if len(password) < PASSWORD_MINIMUM:
        raise InvalidInput(f"Please choose a password of at least {PASSWORD_MINIMUM} characters.")
    if len(password) > PASSWORD_MAXIMUM:
        raise InvalidInput(f"Please choose a password of at most {PASSWORD_MAXIMUM} characters.")
    if _is_about_oneself(password, email, name):
        raise InvalidInput(
            "This password is made of your e-mail address, your name or “RxChat”, which is what anyone tries first. Choose"
            " another one."
        )
    return password


def _is_about_oneself(password: str, email: str, name: str) -> bool:
    """Whether hardly anything is left of a password without its owner's address and name, the product's, and digits."""
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

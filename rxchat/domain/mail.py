"""The mails that RxChat sends, as plain text: what happened, what to do, and that nothing else is needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class MailUnavailable(Exception):
    """The mail server does not answer, or does not take the letter."""


@dataclass(frozen=True, slots=True, repr=False)
class Letter:
    """A mail to one person."""

    to: str
    subject: str
    text: str
    id: str = ""
    """Part of its Message-ID: mail servers recognize one that is sent a second time."""


class Mailer(Protocol):
    """Sends mail."""

    async def send(self, letter: Letter) -> None:
        """Hand a letter to the server.

        Raises:
            MailUnavailable: when it could not be handed over.
        """
        ...


_FOOT = "\n\nThis mail was sent by RxChat at {base}. If you did not expect it, you need not do anything.\n"


def invitation(to: str, inviter: str, link: str, base: str) -> Letter:
    """Return the mail that invites somebody."""
    body = f"{inviter} invites you to RxChat, your team's private AI chat.\n\nCreate your account here:\n{link}\n\nThe link works once, for 7 days."
    return Letter(to, f"{inviter} invites you to RxChat", body + _FOOT.format(base=base))


def confirmation(to: str, link: str, base: str) -> Letter:
    """Return the mail that proves an address."""
    body = f"Welcome to RxChat. Please confirm that this is your address:\n{link}\n\nThe link works once, for 3 days."
    return Letter(to, "Confirm your address for RxChat", body + _FOOT.format(base=base))


def reset(to: str, link: str, base: str) -> Letter:
    """Return the mail with which a forgotten password is replaced."""
    body = f"Choose a new password for RxChat here:\n{link}\n\nThe link works once, for 1 hour. Your present password works until you have chosen the new one."
    return Letter(to, "Choose a new password for RxChat", body + _FOOT.format(base=base))


def registered_already(to: str, base: str) -> Letter:
    """Return the mail to somebody who has an account already and tried to make one."""
    body = f"Somebody, probably you, wanted to create an RxChat account with this address. You have one already: sign in at\n{base}/sign-in\n\nIf you forgot the password, choose a new one at\n{base}/forgot"
    return Letter(to, "You have an RxChat account already", body + _FOOT.format(base=base))


def identity_linked(to: str, provider: str, base: str) -> Letter:
    """Return the mail that says that one can sign in with an account elsewhere from now on."""
    body = f"An account at {provider} was connected to your RxChat account just now: whoever has it can sign in as you.\n\nIf this was not you, disconnect it at\n{base}/account/security\nand change your password."
    return Letter(to, f"{provider} was connected to your RxChat account", body + _FOOT.format(base=base))


def password_changed(to: str, base: str) -> Letter:
    """Return the mail that says that a password was changed."""
    body = f"The password of your RxChat account was changed just now, and everything that was signed in with it was signed out.\n\nIf this was not you, choose a new one at once:\n{base}/forgot\nand tell your administrator."
    return Letter(to, "Your RxChat password was changed", body + _FOOT.format(base=base))

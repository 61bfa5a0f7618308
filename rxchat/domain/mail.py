"""The e-mails that RxChat sends, as plain text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class MailUnavailable(Exception):
    """The mail server does not respond, or refuses the e-mail."""


@dataclass(frozen=True, slots=True, repr=False)
class Letter:
    """An e-mail to one recipient."""

    to: str
    subject: str
    text: str
    id: str = ""
    """Part of its Message-ID, by which mail servers recognize a duplicate."""


class Mailer(Protocol):
    """Sends e-mail."""

    async def send(self, letter: Letter) -> None:
        """Send an e-mail.

        Raises:
            MailUnavailable: when the server did not accept it.
        """
        ...


_FOOT = "\n\nRxChat at {base} sent this e-mail. If you did not expect it, you can ignore it.\n"


def invitation(to: str, inviter: str, link: str, base: str) -> Letter:
    """Return the e-mail with an invitation."""
    body = f"{inviter} invites you to RxChat, your team's private AI chat.\n\nCreate your account here:\n{link}\n\nThe link works once, for 7 days."
    return Letter(to, f"{inviter} invites you to RxChat", body + _FOOT.format(base=base))


def confirmation(to: str, link: str, base: str) -> Letter:
    """Return the e-mail that confirms an address."""
    body = f"Welcome to RxChat. Confirm your address:\n{link}\n\nThe link works once, for 3 days."
    return Letter(to, "Confirm your address for RxChat", body + _FOOT.format(base=base))


def reset(to: str, link: str, base: str) -> Letter:
    """Return the e-mail with a link to reset a password."""
    body = f"Choose a new password for RxChat here:\n{link}\n\nThe link works once, for 1 hour. Your current password works until you have chosen the new one."
    return Letter(to, "Choose a new password for RxChat", body + _FOOT.format(base=base))


def registered_already(to: str, base: str) -> Letter:
    """Return the e-mail for a user who already has an account and tried to register."""
    body = f"Someone, probably you, tried to create an RxChat account with this address. You already have one: sign in at\n{base}/sign-in\n\nIf you forgot the password, choose a new one at\n{base}/forgot"
    return Letter(to, "You already have an RxChat account", body + _FOOT.format(base=base))


def identity_linked(to: str, provider: str, base: str) -> Letter:
    """Return the e-mail that reports a newly connected external account."""
    body = f"An account at {provider} was connected to your RxChat account. It can now be used to sign in as you.\n\nIf this was not you, disconnect it at\n{base}/account/security\nand change your password."
    return Letter(to, f"{provider} was connected to your RxChat account", body + _FOOT.format(base=base))


def password_changed(to: str, base: str) -> Letter:
    """Return the e-mail that reports a changed password."""
    body = f"The password of your RxChat account was changed, and all sessions were signed out.\n\nIf this was not you, choose a new password now:\n{base}/forgot\nand inform your administrator."
    return Letter(to, "Your RxChat password was changed", body + _FOOT.format(base=base))

"""Mail through an SMTP server (RFC 5321), as the Mailer port."""

from __future__ import annotations

from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from urllib.parse import unquote, urlsplit

import aiosmtplib

from rxchat.domain.email_addresses import ascii_email
from rxchat.domain.mail import Letter, MailUnavailable

_TIMEOUT_SECONDS = 20
_PORTS = {"smtp": 587, "smtps": 465}


class SmtpMailer:
    """Sends each message over a new connection, with STARTTLS if the server offers it."""

    def __init__(self, url: str, sender: str) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or "localhost"
        self._port = parts.port or _PORTS.get(parts.scheme, 587)
        self._is_tls = parts.scheme == "smtps"
        self._user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None
        self._sender = sender

    async def send(self, letter: Letter) -> None:
        """Send a message to the SMTP server.

        Raises:
            MailUnavailable: if the server does not respond or refuses the message.
        """
        username, _, domain = ascii_email(letter.to).rpartition("@")
        # The library does not parse an Address again: a string that looks like two addresses would add a recipient.
        recipient = Address(username=username, domain=domain)
        message = EmailMessage()
        # The library refuses line breaks in headers, so that a user's text cannot add recipients.
        message["From"], message["To"], message["Subject"] = self._sender, recipient, letter.subject
        message["Date"] = formatdate(localtime=False)
        domain = self._sender.rpartition("@")[2].strip("> ") or "localhost"
        message["Message-ID"] = f"<{letter.id}@{domain}>" if letter.id else make_msgid(domain=domain)
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text)
        try:
            await aiosmtplib.send(
                message,
                recipients=[recipient.addr_spec],
                hostname=self._host,
                port=self._port,
                use_tls=self._is_tls,
                start_tls=False if self._is_tls else None,
                username=self._user,
                password=self._password,
                timeout=_TIMEOUT_SECONDS,
            )
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise MailUnavailable(f"{type(error).__name__}: {error}"[:200]) from error

"""A real SMTP server on this machine that stores received mails."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message as Mail

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message

from tests.ports import free_port


class Mailbox(Message):
    """Stores the recipient, subject and text of every mail."""

    def __init__(self, port: int) -> None:
        """`mailbox` starts to listen on this port."""
        super().__init__()
        self.url = f"smtp://127.0.0.1:{port}"
        self.mails: list[tuple[str, str, str]] = []
        self._arrived = threading.Condition()

    def handle_message(self, message: Mail) -> None:
        """Store a mail."""
        payload = message.get_payload(decode=True)
        assert isinstance(payload, bytes)
        with self._arrived:
            self.mails.append((str(message["X-RcptTo"]), str(message["Subject"]), payload.decode()))
            self._arrived.notify_all()

    def link(self, page: str, seconds: float = 60) -> str:
        """Wait for a mail with a link to a page, and return the token of the newest one."""
        marker = f"/{page}#token="
        with self._arrived:
            assert self._arrived.wait_for(lambda: any(marker in text for _, _, text in self.mails), seconds)
            newest = next(text for _, _, text in reversed(self.mails) if marker in text)
        return newest.partition(marker)[2].split()[0]


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """Run the server while the context is open."""
    port = free_port()
    found = Mailbox(port)
    controller = Controller(found, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield found
    finally:
        controller.stop()

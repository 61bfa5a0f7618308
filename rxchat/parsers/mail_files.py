"""The files that are attached to a mail, or to the mails of a mailbox; `mail` says in its notes which are left out."""

from __future__ import annotations

from rxchat.domain.documents import AttachedFile
from rxchat.parsers import mail


def parse(content: bytes, suffix: str) -> list[AttachedFile]:
    """Return the files that can be documents of their own, in their order."""
    return mail.read(content, suffix).files

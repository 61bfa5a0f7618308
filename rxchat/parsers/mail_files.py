"""The attached files of a mail or mailbox; the notes of `mail` list those left out."""

from __future__ import annotations

from rxchat.domain.documents import AttachedFile
from rxchat.parsers import mail


def parse(content: bytes, suffix: str) -> list[AttachedFile]:
    """Return the files that can become documents, in order."""
    return mail.read(content, suffix).files

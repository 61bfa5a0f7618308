"""Pictures: there is no text in them that a parser could take out."""

from __future__ import annotations

from rxchat.domain.documents import ParsedDocument
from rxchat.domain.errors import NoTextLayer


def parse(content: bytes, suffix: str) -> ParsedDocument:
    """Say that there is nothing to read."""
    del content, suffix
    raise NoTextLayer("This is a picture, and has no text to read: attach it to a message to a model that sees.")

"""Pictures: there is no text in them that a parser could take out."""

from __future__ import annotations

from rxchat.domain.documents import ParsedDocument
from rxchat.domain.errors import NoTextLayer


def parse(content: bytes, suffix: str) -> ParsedDocument:
    """Say that there is nothing to read."""
    del content, suffix
    raise NoTextLayer("This picture contains no text. Attach it to a message for a vision model.")

"""Images, which contain no text that a parser can extract."""

from __future__ import annotations

from rxchat.domain.documents import ParsedDocument
from rxchat.domain.errors import NoTextLayer


def parse(content: bytes, suffix: str) -> ParsedDocument:
    """Raise NoTextLayer."""
    del content, suffix
    raise NoTextLayer("This picture contains no text. Attach it to a message for a vision model.")

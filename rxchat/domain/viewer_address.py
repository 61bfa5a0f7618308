"""The address of the page that shows a document at a passage."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from rxchat.domain.passages import LONGEST_QUOTE


def viewer_address(document_id: UUID, start: int, end: int, page: int, quote: str) -> str:
    """Return the address; `start` and `end` count code points of the text, `page` counts from 1.

    `quote` is what the text says there: without it, a change of the document since then would not be noticed. It stands
    behind the hash, which browsers do not send: the text of documents is not for the logs of proxies.
    """
    places = {name: value for name, value in (("start", start), ("end", end), ("page", page)) if value > 0}
    query = f"?{urlencode(places)}" if places else ""
    return f"/documents/view/{document_id}{query}#{urlencode({'quote': quote.strip()[:LONGEST_QUOTE]})}"

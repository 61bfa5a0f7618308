"""Keyset pages: a cursor names the last item of a page, so pages stay right while items come and go."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime
from urllib.parse import urlencode

from fastapi import Response

from rxchat.domain.conversations import ListPosition
from rxchat.domain.errors import InvalidInput
from rxchat.domain.ids import parse_id


def cursor_of(position: ListPosition) -> str:
    """Return a position as an opaque text."""
    moment, identifier = position
    return base64.urlsafe_b64encode(json.dumps([moment.isoformat(), str(identifier)]).encode()).decode().rstrip("=")


def position_of(cursor: str) -> ListPosition | None:
    """Return the position that a cursor names; None for "".

    Raises:
        InvalidInput: when it is none of `cursor_of`.
    """
    if not cursor:
        return None
    try:
        moment, name = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        found, identifier = datetime.fromisoformat(moment), parse_id(name)
    except (binascii.Error, ValueError, TypeError, RecursionError) as error:
        raise InvalidInput("This cursor is invalid. Follow the link of the previous page.", field="cursor") from error
    if identifier is None or found.tzinfo is None:
        raise InvalidInput("This cursor is invalid. Follow the link of the previous page.", field="cursor")
    return found, identifier


def link_next(response: Response, path: str, **parameters: object) -> None:
    """Add the link to the next page (RFC 8288)."""
    response.headers["Link"] = f'<{path}?{urlencode(parameters)}>; rel="next"'

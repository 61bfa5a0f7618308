"""Keyset pages: a cursor names the last item of a page, so pages stay right while items come and go."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Response

from rxchat.domain.conversations import ListPosition
from rxchat.domain.errors import InvalidInput
from rxchat.domain.ids import parse_id
from rxchat.domain.text import sanitize

_INVALID = "This cursor is invalid. Follow the link of the previous page."


def cursor_of(position: ListPosition) -> str:
    """Return a position as an opaque text."""
    moment, identifier = position
    return name_cursor_of(moment.isoformat(), identifier)


def name_cursor_of(name: str, identifier: UUID) -> str:
    """Return a position in a list by name as an opaque text."""
    return base64.urlsafe_b64encode(json.dumps([name, str(identifier)]).encode()).decode().rstrip("=")


def position_of(cursor: str) -> ListPosition | None:
    """Return the position that a cursor names; None for "".

    Raises:
        InvalidInput: when it is none of `cursor_of`.
    """
    named = name_position_of(cursor)
    if named is None:
        return None
    try:
        found = datetime.fromisoformat(named[0])
    except ValueError as error:
        raise InvalidInput(_INVALID, field="cursor") from error
    if found.tzinfo is None:
        raise InvalidInput(_INVALID, field="cursor")
    return found, named[1]


def name_position_of(cursor: str) -> tuple[str, UUID] | None:
    """Return the position in a list by name that a cursor names; None for "".

    Raises:
        InvalidInput: when it is none of `name_cursor_of`.
    """
    if not cursor:
        return None
    try:
        name, found = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        identifier = parse_id(found)
    except (binascii.Error, ValueError, TypeError, RecursionError, AttributeError) as error:
        raise InvalidInput(_INVALID, field="cursor") from error
    if identifier is None or not isinstance(name, str) or sanitize(name) != name:
        raise InvalidInput(_INVALID, field="cursor")
    return name, identifier


def link_next(response: Response, path: str, **parameters: object) -> None:
    """Add the link to the next page (RFC 8288)."""
    response.headers["Link"] = f'<{path}?{urlencode(parameters)}>; rel="next"'

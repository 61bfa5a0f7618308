"""Identifiers: UUIDv7, so that keys sort by time and indexes stay dense (RFC 9562)."""

from __future__ import annotations

import re
from uuid import UUID

from uuid_utils.compat import uuid7

from rxchat.domain.errors import NotFound

# Python accepts braces, "urn:uuid:" and hyphens anywhere; the database and comparisons of text do not.
_ID = re.compile("[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def new_id() -> UUID:
    """Return a new identifier that is greater than all previous ones of this machine."""
    return uuid7()


def parse_id(value: object) -> UUID | None:
    """Return an identifier sent by a client, or None if it is invalid."""
    return UUID(value) if isinstance(value, str) and _ID.fullmatch(value) else None


def require_id(value: object) -> UUID:
    """Return an identifier sent by a client.

    Raises:
        NotFound: when it is invalid, so that nothing has it.
    """
    identifier = parse_id(value)
    if identifier is None:
        raise NotFound
    return identifier


def made_at(identifier: UUID) -> float:
    """Return when an identifier was generated, in seconds since 1970: the first 48 bits of a UUIDv7."""
    return (identifier.int >> 80) / 1000

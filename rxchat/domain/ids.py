"""Identifiers: UUIDv7, so that keys sort by time and indexes stay dense (RFC 9562)."""

from __future__ import annotations

import re
from uuid import UUID

from uuid_utils.compat import uuid7

# Python takes braces, "urn:uuid:" and hyphens anywhere; the database, and what compares texts, do not.
_ID = re.compile("[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def new_id() -> UUID:
    """Return a new identifier, later than every one made before it on this machine."""
    return uuid7()


def parse_id(value: object) -> UUID | None:
    """Return the identifier that a stranger sent, or None when it is not one."""
    return UUID(value) if isinstance(value, str) and _ID.fullmatch(value) else None


def made_at(identifier: UUID) -> float:
    """Return when one of our identifiers was made, in seconds since 1970: the first 48 bits of a UUIDv7."""
    return (identifier.int >> 80) / 1000

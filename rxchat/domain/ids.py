"""Identifiers: UUIDv7, so that keys sort by time and indexes stay dense (RFC 9562)."""

from __future__ import annotations

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """Return a new identifier, later than every one made before it on this machine."""
    return uuid7()


def parse_id(value: object) -> UUID | None:
    """Return the identifier that a stranger sent, or None when it is not one."""
    if not isinstance(value, str) or len(value) != 36:
        return None
    try:
        return UUID(value)
    except ValueError:
        return None


def made_at(identifier: UUID) -> float:
    """Return when one of our identifiers was made, in seconds since 1970: the first 48 bits of a UUIDv7."""
    return (identifier.int >> 80) / 1000

"""Values of files that other systems wrote: what is not of the expected kind counts as missing."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from rxchat.domain.text import clean_line, sanitize

_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)
_MILLISECONDS_FROM = 1e11
"""Numbers from here on are milliseconds: as seconds they would be in the year 5138."""
_LONGEST_NAME = 200


def text(value: Any) -> str:
    """Return a text as it can be stored."""
    return sanitize(value) if isinstance(value, str) else ""


def name(value: Any) -> str:
    """Return a name, model or ID on one line of at most 200 characters."""
    return clean_line(value)[:_LONGEST_NAME] if isinstance(value, str) else ""


def mapping(value: Any) -> dict[str, Any]:
    """Return an object."""
    return value if isinstance(value, dict) else {}


def objects(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def number(value: Any) -> float:
    """Return a number that is not negative."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) and 0 < value < 1e9 else 0.0


def moment(value: Any) -> datetime | None:
    """Return a moment that is given as ISO 8601, or in seconds or milliseconds since 1970; None if it makes no sense."""
    try:
        if isinstance(value, str):
            found = datetime.fromisoformat(value)
            found = found if found.tzinfo else found.replace(tzinfo=UTC)
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            found = datetime.fromtimestamp(value / 1000 if value >= _MILLISECONDS_FROM else value, UTC)
        else:
            return None
        return found if _EARLIEST < found < _LATEST else None
    except (ValueError, OverflowError, OSError):
        return None


def fenced(content: str, language: str = "") -> str:
    """Return a text as a block of code, whatever it contains."""
    ticks = "```"
    while ticks in content:
        ticks += "`"
    return f"{ticks}{language}\n{content.rstrip()}\n{ticks}"

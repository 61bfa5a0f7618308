"""Values that servers send, read as what they have to be: anything else is data of a broken or malicious server."""

from __future__ import annotations

import json
from typing import Any

_MOST_TOKENS = 1_000_000_000


def parsed_arguments(text: str) -> dict[str, Any]:
    """Return the arguments of a tool's call from their JSON text; none for anything else."""
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def count(value: Any) -> int:
    """Return a number of tokens that a server sent, within reason; 0 for anything else."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return int(min(max(0, value), _MOST_TOKENS)) if is_number and value == value else 0  # noqa: PLR0124 - not for NaN

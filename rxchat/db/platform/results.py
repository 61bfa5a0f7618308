"""What a statement did, from its result."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CursorResult, Result


def row_count(result: Result[Any]) -> int:
    """Return how many rows an INSERT, UPDATE or DELETE matched.

    SQLAlchemy's async session types its results as those of queries, which have no count.

    Raises:
        TypeError: when the result is that of a query.
    """
    if not isinstance(result, CursorResult):
        raise TypeError("a query matches no rows: count what it returns")
    return result.rowcount

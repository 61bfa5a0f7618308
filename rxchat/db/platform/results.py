"""Row counts of statements."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CursorResult, Result


def row_count(result: Result[Any]) -> int:
    """Return the number of rows that an INSERT, UPDATE or DELETE matched.

    SQLAlchemy's async session annotates results as those of queries, which have no count.

    Raises:
        TypeError: if the result is that of a query.
    """
    if not isinstance(result, CursorResult):
        raise TypeError("a query matches no rows: count what it returns")
    return result.rowcount

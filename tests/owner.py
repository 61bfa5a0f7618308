"""A persistent connection as the database's owner: a new one for each test would cost more than its statements."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

_open: dict[str, psycopg.Connection[Any]] = {}


@contextmanager
def transaction(owner_url: str) -> Iterator[psycopg.Connection[Any]]:
    """Open a transaction, which is committed at the end of the context."""
    connection = _living(owner_url)
    with connection.transaction():
        yield connection


def close() -> None:
    """Close the connection."""
    for connection in _open.values():
        connection.close()
    _open.clear()


def _living(owner_url: str) -> psycopg.Connection[Any]:
    """Return the connection, or a new one if a test has stopped the server or closed its connections."""
    if owner_url in _open:
        try:
            _open[owner_url].execute("SELECT 1")
        except psycopg.OperationalError:
            _open.pop(owner_url).close()
    if owner_url not in _open:
        _open[owner_url] = psycopg.connect(owner_url, autocommit=True)
    return _open[owner_url]

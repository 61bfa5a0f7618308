"""A connection of the owner of the database that stays open: making one for each test costs more than what it is for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

_open: dict[str, psycopg.Connection[Any]] = {}


@contextmanager
def transaction(owner_url: str) -> Iterator[psycopg.Connection[Any]]:
    """Begin a transaction, and commit it when the context ends."""
    connection = _living(owner_url)
    with connection.transaction():
        yield connection


def close() -> None:
    """Close what is open."""
    for connection in _open.values():
        connection.close()
    _open.clear()


def _living(owner_url: str) -> psycopg.Connection[Any]:
    """Return the connection, or another one where a test has ended the server or its connections."""
    if owner_url in _open:
        try:
            _open[owner_url].execute("SELECT 1")
        except psycopg.OperationalError:
            _open.pop(owner_url).close()
    if owner_url not in _open:
        _open[owner_url] = psycopg.connect(owner_url, autocommit=True)
    return _open[owner_url]

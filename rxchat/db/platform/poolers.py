"""Detects whether a URL connects to Postgres itself or to a transaction pooler."""

from __future__ import annotations

import re
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.rows import dict_row

from rxchat.db.platform.database import LINE, SESSION_OPTIONS, SESSION_SETTINGS, libpq_url

PROBLEM = (
    "leads to a connection pooler (like pgbouncer) that does not keep the state of a session between transactions."
)
REMEDY = "RxChat needs a direct connection: it uses LISTEN, SET ROLE, session options and prepared statements, and has its own pool. Set the address of Postgres itself (usually port 5432 rather than the pooler's 6432)."
_ROUNDS = 3
# The messages of pgbouncer and of Amazon RDS Proxy.
_REFUSES_OPTIONS = re.compile("unsupported startup parameter|command-line options", re.IGNORECASE)


def is_pooled(url: str) -> bool:
    """Return whether a pooler between RxChat and Postgres loses session state.

    Raises:
        psycopg.Error: if the database does not respond, or refuses this role.
    """
    try:
        with _connected(url) as one, _connected(url) as other:
            return not _keeps_options(one) or _share_backends(one, other)
    except psycopg.OperationalError as error:
        if refuses_options(error):
            return True
        raise


def refuses_options(error: psycopg.OperationalError) -> bool:
    """Return whether a pooler refused a connection because of its session options."""
    return bool(_REFUSES_OPTIONS.search(str(error)))


def _connected(url: str) -> Connection[dict[str, Any]]:
    # Poolers break prepared statements, too, so the check uses none.
    options: dict[str, Any] = {**LINE, "options": SESSION_OPTIONS, "application_name": "rxchat check"}
    return Connection[dict[str, Any]].connect(
        libpq_url(url), autocommit=True, prepare_threshold=None, row_factory=dict_row, **options
    )


def _keeps_options(connection: Connection[dict[str, Any]]) -> bool:
    """Whether the session has the options of its start, which poolers can be configured to drop."""
    rows = connection.execute("SELECT name, setting FROM pg_settings WHERE source = 'client'").fetchall()
    return {(row["name"], row["setting"]) for row in rows} >= SESSION_SETTINGS.items()


def _share_backends(one: Connection[dict[str, Any]], other: Connection[dict[str, Any]]) -> bool:
    """Whether one server process serves both open sessions, or several serve one of them."""
    # Twice in a row: a round-robin pooler differs there, and one that reuses the last connection differs in between.
    pids = [(_pid(one), _pid(one), _pid(other)) for _ in range(_ROUNDS)]
    ones = {pid for first, second, _ in pids for pid in (first, second)}
    others = {pid for *_, pid in pids}
    return len(ones) > 1 or len(others) > 1 or bool(ones & others)


def _pid(connection: Connection[dict[str, Any]]) -> int:
    return connection.execute("SELECT pg_backend_pid() AS pid").fetchall()[0]["pid"]

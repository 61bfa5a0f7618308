"""Whether a URL leads to Postgres itself, or to a pooler that lends each connection for one transaction only."""

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
# pgbouncer's words, and those of Amazon's RDS Proxy.
_REFUSES_OPTIONS = re.compile("unsupported startup parameter|command-line options", re.IGNORECASE)


def is_pooled(url: str) -> bool:
    """Return whether a pooler between RxChat and Postgres loses what a session sets.

    Raises:
        psycopg.Error: when the database does not respond, or does not let this role in.
    """
    try:
        with _connected(url) as one, _connected(url) as other:
            return not _keeps_options(one) or _share_backends(one, other)
    except psycopg.OperationalError as error:
        if refuses_options(error):
            return True
        raise


def refuses_options(error: psycopg.OperationalError) -> bool:
    """Return whether a connection was refused by a pooler because it asked for session options."""
    return bool(_REFUSES_OPTIONS.search(str(error)))


def _connected(url: str) -> Connection[dict[str, Any]]:
    # Prepared statements are what a pooler breaks, too: the question itself uses none.
    options: dict[str, Any] = {**LINE, "options": SESSION_OPTIONS, "application_name": "rxchat check"}
    return Connection[dict[str, Any]].connect(
        libpq_url(url), autocommit=True, prepare_threshold=None, row_factory=dict_row, **options
    )


def _keeps_options(connection: Connection[dict[str, Any]]) -> bool:
    """Whether the session has the options that were sent at its start; poolers can be told to drop them."""
    rows = connection.execute("SELECT name, setting FROM pg_settings WHERE source = 'client'").fetchall()
    return {(row["name"], row["setting"]) for row in rows} >= SESSION_SETTINGS.items()


def _share_backends(one: Connection[dict[str, Any]], other: Connection[dict[str, Any]]) -> bool:
    """Whether two open sessions are ever served by the same process, or one of them by several."""
    # Twice in a row: a pooler that takes its connections in turns shows it there, one that takes the last used in between.
    pids = [(_pid(one), _pid(one), _pid(other)) for _ in range(_ROUNDS)]
    ones = {pid for first, second, _ in pids for pid in (first, second)}
    others = {pid for *_, pid in pids}
    return len(ones) > 1 or len(others) > 1 or bool(ones & others)


def _pid(connection: Connection[dict[str, Any]]) -> int:
    return connection.execute("SELECT pg_backend_pid() AS pid").fetchall()[0]["pid"]

"""Finds other databases to which the runtime role can connect, in which no limits protect the disk."""

from __future__ import annotations

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from rxchat.db.platform.database import LINE, SESSION_OPTIONS, libpq_url

# A superuser can connect to all databases, even if the right is revoked.
_OPEN_TO = """
    SELECT datname::text FROM pg_database CROSS JOIN pg_roles
     WHERE rolname = %s AND NOT rolsuper AND datallowconn AND datname <> current_database()
       AND has_database_privilege(pg_roles.oid, pg_database.oid, 'CONNECT')
     ORDER BY datname
"""


def open_to(owner_url: str, login_url: str) -> list[str]:
    """Return the names of databases, other than RxChat's, to which the role of `login_url` can connect.

    Raises:
        psycopg.Error: if the database does not respond.
    """
    role = conninfo_to_dict(libpq_url(login_url)).get("user")
    with psycopg.connect(libpq_url(owner_url), autocommit=True, options=SESSION_OPTIONS, **LINE) as connection:
        return [name for (name,) in connection.execute(_OPEN_TO, [role]).fetchall()]


def closing_statement(names: list[str]) -> str:
    """Return the SQL that revokes the right to connect to these databases from PUBLIC."""
    databases = sql.SQL(", ").join(map(sql.Identifier, names))
    return sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC;").format(databases).as_string()

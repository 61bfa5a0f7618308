"""Settings that a role of Postgres has of its own (ALTER ROLE ... SET), which hold for each of its connections.

A role may change its own settings, the runtime role too. RxChat needs none, so each that is found is removed or named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg import Connection, sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import class_row

from rxchat.db.platform.database import LINE, SESSION_OPTIONS, libpq_url


@dataclass(frozen=True, slots=True)
class RoleSetting:
    """One setting of a role, in one database or in all."""

    role: str
    database: str
    """Empty for all databases."""
    name: str
    value: str

    @property
    def statement(self) -> str:
        """The SQL that removes it."""
        where = sql.SQL(" IN DATABASE {}").format(sql.Identifier(self.database)) if self.database else sql.SQL("")
        reset = sql.SQL("ALTER ROLE {}{} RESET {};")
        return reset.format(sql.Identifier(self.role), where, sql.Identifier(self.name)).as_string()


_FOUND = """
    SELECT role.rolname::text AS role, coalesce(datname::text, '') AS database,
           split_part(setting, '=', 1) AS name, substr(setting, strpos(setting, '=') + 1) AS value
      FROM pg_db_role_setting JOIN pg_roles AS role ON role.oid = setrole
      LEFT JOIN pg_database ON pg_database.oid = setdatabase
      CROSS JOIN unnest(setconfig) AS setting
     WHERE role.rolname = %s AND (setdatabase = 0 OR datname = current_database())
     ORDER BY database, name
"""
_IS_SUPERUSER = "SELECT rolsuper FROM pg_roles WHERE rolname = %s"


def find_role_settings(owner_url: str, login_url: str) -> list[RoleSetting]:
    """Return the settings of the role of `login_url` that hold in its database, as the owner reads them.

    Raises:
        psycopg.Error: when the database does not respond.
    """
    with _connected(owner_url) as connection:
        return _found(connection, _role(login_url))


def reset(owner_url: str, login_url: str) -> list[RoleSetting]:
    """Remove the settings of the role of `login_url`, as far as the owner or the role itself may; return what was removed.

    The settings of a superuser, and of a role that is the owner too, are left alone: others may rely on them.

    Raises:
        psycopg.Error: when the database does not respond.
    """
    role = _role(login_url)
    if role == _role(owner_url):
        return []
    with _connected(owner_url) as connection:
        before = _found(connection, role)
        if not before or connection.execute(_IS_SUPERUSER, [role]).fetchone() == (True,):
            return []
        # The owner first: some settings let the role itself run no statement.
        if not _run(connection, before):
            with _connected(login_url) as own:
                _run(own, before)
        left = _found(connection, role)
    return [setting for setting in before if setting not in left]


def _connected(url: str) -> Connection:
    # With options: they win over what the role has been set to.
    return psycopg.connect(libpq_url(url), autocommit=True, options=SESSION_OPTIONS, **LINE)


def _role(url: str) -> str:
    return str(conninfo_to_dict(libpq_url(url)).get("user") or "")


def _found(connection: Connection, role: str) -> list[RoleSetting]:
    with connection.cursor(row_factory=class_row(RoleSetting)) as cursor:
        return cursor.execute(_FOUND, [role]).fetchall()


def _run(connection: Connection, settings: Sequence[RoleSetting]) -> bool:
    """Run the statements that remove these settings; returns whether the role was allowed to run all of them."""
    try:
        for setting in settings:
            connection.execute(setting.statement.encode())
    except psycopg.errors.InsufficientPrivilege:
        return False
    return True

"""Prerequisites of migrations that the owner may not be allowed to create: role, members, extensions, rights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg import Connection, sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row

from rxchat.db.platform import poolers
from rxchat.db.platform.database import RUNTIME_ROLE, SESSION_OPTIONS, libpq_url

EXTENSIONS = ("vector", "unaccent", "pg_trgm")
# Since Postgres 16, the creator of a role is its member without the right to SET ROLE.
_SET_ROLE_SINCE = 160_000
_DATABASE_RIGHTS = """
    SELECT current_user AS owner, current_database() AS database, to_regrole(%(role)s) IS NOT NULL AS has_role,
           to_regclass('public.user_account') IS NOT NULL AS is_migrated,
           has_schema_privilege(current_user, 'public', 'CREATE') AS may_create_tables,
           ARRAY(SELECT extname::text FROM pg_extension) AS extensions
"""


def encoding_problem(url: str) -> str | None:
    """Return the problem with the database's encoding, or None: only UTF8 stores and searches every text.

    Raises:
        psycopg.Error: when the database does not respond.
    """
    try:
        with psycopg.connect(libpq_url(url), connect_timeout=5, options=SESSION_OPTIONS) as connection:
            encoding = connection.info.parameter_status("server_encoding")
            name = connection.info.dbname
    except psycopg.OperationalError as error:
        if poolers.refuses_options(error):
            # A pooler, which another check reports.
            return None
        raise
    if encoding == "UTF8":
        return None
    return (
        f"The database {name} has the encoding {encoding}, and RxChat needs UTF8. Ask an administrator of Postgres for a"
        f" new database: CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0;"
    )


def create_missing(owner_url: str, login_url: str) -> list[str]:
    """Create missing prerequisites; return SQL for an administrator for those that the owner may not create.

    Existing ones are not changed.

    Raises:
        psycopg.Error: when the database does not respond.
    """
    login = conninfo_to_dict(libpq_url(login_url)).get("user")
    with Connection[dict[str, Any]].connect(
        libpq_url(owner_url), autocommit=True, row_factory=dict_row, connect_timeout=5
    ) as connection:
        statements = list(_missing(connection, str(login) if login else None))
        return [statement for statement in statements if not _is_done(connection, statement)]


def _missing(connection: Connection[dict[str, Any]], login: str | None) -> Iterator[str]:
    facts = connection.execute(_DATABASE_RIGHTS, {"role": RUNTIME_ROLE}).fetchall()[0]
    if not facts["has_role"]:
        yield f"CREATE ROLE {RUNTIME_ROLE} NOLOGIN;"
    for name in dict.fromkeys([facts["owner"], login or facts["owner"]]):
        if not facts["has_role"] or not _may_act_as_runtime_role(connection, name):
            yield f"GRANT {RUNTIME_ROLE} TO {_quoted(connection, name)};"
    for extension in EXTENSIONS:
        if extension not in facts["extensions"]:
            yield f"CREATE EXTENSION {extension};"
    if not facts["may_create_tables"] and not facts["is_migrated"]:
        yield f"GRANT USAGE, CREATE ON SCHEMA public TO {_quoted(connection, facts['owner'])};"


def _may_act_as_runtime_role(connection: Connection[dict[str, Any]], name: str) -> bool:
    kind = "SET" if connection.info.server_version >= _SET_ROLE_SINCE else "MEMBER"
    asked = connection.execute("SELECT pg_has_role(%s, %s, %s) AS it_may", [name, RUNTIME_ROLE, kind])
    return asked.fetchall()[0]["it_may"]


def _is_done(connection: Connection[dict[str, Any]], statement: str) -> bool:
    try:
        connection.execute(statement.encode())
    except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
        # Another process created it at the same time.
        return True
    except psycopg.DatabaseError as error:
        # Insufficient rights, an extension that is not installed, or a role that could not be created before.
        if isinstance(error, psycopg.OperationalError):
            raise
        return False
    # A GRANT without the right to it is only a warning if the role has some other right on the object.
    return not statement.startswith("GRANT USAGE")


def _quoted(connection: Connection[dict[str, Any]], name: str) -> str:
    return sql.Identifier(name).as_string(connection)

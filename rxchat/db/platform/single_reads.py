"""Reads of one statement: its transaction costs one round trip to Postgres instead of three."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy import TextClause
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.types import NullType

Read = Callable[[TextClause, Mapping[str, object]], Awaitable[Sequence[Any]]]
"""Runs one statement that only reads, for a user; returns its rows as named tuples."""


async def rows_of(
    engine: AsyncEngine, user_id: UUID | None, statement: TextClause, parameters: Mapping[str, object]
) -> Sequence[Any]:
    """Run a statement in a transaction that acts for a user and cannot write; returns its rows as named tuples.

    Tries once more on another connection if the first one was dead.

    Raises:
        psycopg.Error: as Postgres or the connection say.
    """
    is_second = False
    while True:
        async with engine.connect() as connection:
            try:
                return await _pipelined(connection, user_id, statement, parameters)
            except asyncio.CancelledError:
                # Postgres may hear of it late, and would cancel the statement that runs on the connection then.
                await connection.invalidate()
                raise
            except psycopg.OperationalError as error:
                if (await _driver_of(connection)).closed:
                    with suppress(DBAPIError):
                        # SQLAlchemy learns from it that all connections of the pool may be dead, as after a restart.
                        await connection.exec_driver_sql("SELECT 1")
                elif isinstance(error, psycopg.errors.PipelineAborted):
                    # Of an earlier pipeline that did not end in order: nothing has run.
                    await connection.invalidate()
                else:
                    raise
                if is_second:
                    raise
                is_second = True


async def _pipelined(
    connection: AsyncConnection, user_id: UUID | None, statement: TextClause, parameters: Mapping[str, object]
) -> Sequence[Any]:
    driver = await _driver_of(connection)
    async with driver.cursor(row_factory=namedtuple_row) as cursor:
        # Postgres runs them in order, and psycopg waits for all of their results together.
        async with driver.pipeline():
            await driver.execute("BEGIN READ ONLY")
            await driver.execute("SELECT set_config('rxchat.user_id', %s, true)", (str(user_id or ""),))
            await cursor.execute(_compiled(statement), parameters)
            await driver.execute("COMMIT")
        return await cursor.fetchall()


async def _driver_of(connection: AsyncConnection) -> psycopg.AsyncConnection[Any]:
    """Return psycopg's own connection: SQLAlchemy has no pipelines."""
    driver = (await connection.get_raw_connection()).driver_connection
    if not isinstance(driver, psycopg.AsyncConnection):
        raise TypeError("the driver of the database is not psycopg")
    return driver


@lru_cache(maxsize=64)
def _compiled(statement: TextClause) -> bytes:
    """Return the statement with psycopg's placeholders.

    Raises:
        TypeError: if it has parameters whose values SQLAlchemy would convert.
    """
    compiled = statement.compile(dialect=PGDialect_psycopg())
    if any(item.expanding or not isinstance(item.type, NullType) for item in compiled.binds.values()):
        raise TypeError("parameters of a single read have no types: psycopg converts their values")
    return str(compiled).encode()

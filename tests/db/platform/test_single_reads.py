"""Reads of one statement: for whom they act, and what is left of them on the pooled connection."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import AsyncExitStack

import psycopg
import pytest
from sqlalchemy import bindparam, text

from rxchat.db.platform.database import Database
from rxchat.domain.errors import DatabaseUnavailable
from rxchat.domain.ids import new_id
from tests.factories import add_user

pytestmark = pytest.mark.anyio

_MINE = text("SELECT title FROM conversation WHERE title LIKE :like ORDER BY title")
_BEGIN = text(
    "INSERT INTO conversation (owner_id, id, leaf_id, title, model, seq) VALUES (:owner, :id, :id, :title, '', 0)"
)
_WHO = text("SELECT current_setting('rxchat.user_id', true) AS who, pg_backend_pid() AS pid")


async def test_a_read_acts_for_one_user_and_leaves_nothing_behind(database_url: str, owner_url: str) -> None:
    ada, grace = add_user(owner_url), add_user(owner_url)
    database = Database(database_url, pool_size=1)
    try:
        for user in (ada, grace):
            async with database.begin(user.user_id) as session:
                values = {"owner": user.user_id, "id": new_id(), "title": f"100% {user.name}"}
                await session.execute(_BEGIN, values)
        for _ in range(8):
            # More often than psycopg runs a statement before it prepares it.
            found = await database.reading(ada.user_id)(_MINE, {"like": "100\\%%"})
            assert [row.title for row in found] == [f"100% {ada.name}"]
        assert await database.reading(None)(_MINE, {"like": "%"}) == []
        async with database.engine.connect() as connection:
            assert (await connection.execute(_WHO)).one().who in {"", None}
    finally:
        await database.aclose()


async def test_a_read_cannot_write_and_a_failed_one_leaves_its_connection_usable(
    database_url: str, owner_url: str
) -> None:
    ada = add_user(owner_url)
    database = Database(database_url, pool_size=1)
    read = database.reading(ada.user_id)
    try:
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            await read(text("DELETE FROM conversation WHERE title = :title"), {"title": "x"})
        with pytest.raises(psycopg.errors.DivisionByZero):
            await read(text("SELECT 1 / :zero"), {"zero": 0})
        assert (await read(_WHO, {}))[0].who == str(ada.user_id)
        async with database.begin(ada.user_id) as session:
            assert (await session.execute(text("SELECT 1"))).scalar_one() == 1
    finally:
        await database.aclose()


async def test_after_a_restart_all_dead_connections_are_replaced(database_url: str) -> None:
    database = Database(database_url, pool_size=3)
    read = database.reading(None)
    try:
        async with AsyncExitStack() as held:
            for connection in [await held.enter_async_context(database.engine.connect()) for _ in range(3)]:
                driver = (await connection.get_raw_connection()).driver_connection
                assert isinstance(driver, psycopg.AsyncConnection)
                with socket.socket(fileno=os.dup(driver.fileno())) as line:
                    line.shutdown(socket.SHUT_RDWR)
        for _ in range(4):
            assert len(await read(_WHO, {})) == 1
    finally:
        await database.aclose()


async def test_a_cancelled_read_leaves_its_connection_to_nobody(database_url: str) -> None:
    database = Database(database_url, pool_size=1)
    read = database.reading(None)
    try:
        pid = (await read(_WHO, {}))[0].pid
        sleeping = asyncio.ensure_future(read(text("SELECT pg_sleep(:seconds)"), {"seconds": 600}))
        await asyncio.sleep(0.1)
        sleeping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sleeping
        assert (await read(_WHO, {}))[0].pid != pid
    finally:
        await database.aclose()


async def test_reads_are_cancelled_at_any_step_and_the_next_ones_work(database_url: str) -> None:
    database = Database(database_url, pool_size=1)
    read = database.reading(None)
    try:
        for steps in range(40):
            reading = asyncio.ensure_future(read(_WHO, {}))
            for _ in range(steps):
                await asyncio.sleep(0)
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            assert len(await read(_WHO, {})) == 1
    finally:
        await database.aclose()


async def test_parameters_that_sqlalchemy_would_convert_are_refused(database_url: str) -> None:
    database = Database(database_url)
    statement = text("SELECT 1 WHERE 1 IN :numbers").bindparams(bindparam("numbers", expanding=True))
    with pytest.raises(TypeError, match="types"):
        await database.reading(None)(statement, {"numbers": [1]})
    await database.aclose()


async def test_a_database_that_is_away_is_said() -> None:
    database = Database("postgresql://rxchat@127.0.0.1:9/none", pool_size=1)
    try:
        with pytest.raises(DatabaseUnavailable):
            await database.reading(None)(_WHO, {})
    finally:
        await database.aclose()

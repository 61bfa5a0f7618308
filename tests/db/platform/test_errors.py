"""What the driver raises, as one of ours, and without the words that were in the statement."""

from __future__ import annotations

import logging

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from rxchat.db.platform.database import Database
from rxchat.domain.errors import DatabaseBusy, DatabaseUnavailable

pytestmark = pytest.mark.anyio


async def test_a_failed_statement_says_nothing_of_its_values(database: Database) -> None:
    canary = "canary words"
    with pytest.raises(SQLAlchemyError) as failure:
        async with database.begin(None) as session:
            await session.execute(text("SELECT CAST(:words AS text) FROM nowhere"), {"words": canary})
    printed = logging.Formatter().formatException((type(failure.value), failure.value, failure.value.__traceback__))
    assert "nowhere" in printed and canary not in printed


@pytest.mark.parametrize("sqlstate", ["25006", "57P01", "08006", "53200"])
async def test_what_may_do_the_next_time_counts_as_away(database: Database, sqlstate: str) -> None:
    with pytest.raises(DatabaseUnavailable) as failure:
        async with database.begin(None) as session:
            await session.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{sqlstate}'; END $$"))
    assert type(failure.value) is DatabaseUnavailable


@pytest.mark.parametrize("sqlstate", ["57014", "40P01", "40001", "55P03", "53300"])
async def test_what_has_too_much_to_do_is_busy_and_not_away(database: Database, sqlstate: str) -> None:
    with pytest.raises(DatabaseBusy):
        async with database.begin(None) as session:
            await session.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{sqlstate}'; END $$"))


async def test_what_never_will_do_does_not(database: Database) -> None:
    with pytest.raises(SQLAlchemyError):
        async with database.begin(None) as session:
            await session.execute(text("SELECT nonsense FROM nowhere"))

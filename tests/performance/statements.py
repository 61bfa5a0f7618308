"""What a thousand tokens have the database do, at conversations of any length: pg_stat_statements counts it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

import psycopg

from rxchat.connections import connections
from tests.performance.figures import Figure
from tests.performance.processes import command_of, cpu_seconds, family
from tests.performance.seeding import add_conversation, add_person
from tests.performance.stage import COUNTED, Stage, rxchat_up, settings_of, web_processes
from tests.performance.tab import open_tab
from tests.performance.topologies import count_statements, superuser_url

HISTORIES = (10, 1_000, 10_000)
_TOKENS = 1_000
_IDLE_SECONDS = 6.0
_SETTLE_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class Work:
    """What a database has done so far."""

    at: float
    statements: int
    rows: int
    cpu: float

    def __sub__(self, other: Work) -> Work:
        """Return what was done since."""
        return Work(
            self.at - other.at, self.statements - other.statements, self.rows - other.rows, self.cpu - other.cpu
        )


async def statement_figures(data: Path, ollama: str, say: Callable[[str], None]) -> list[Figure]:
    """Count what one answer of a thousand tokens costs beside conversations of different lengths."""
    say("statements, counted by Postgres")
    await count_statements(data, ollama)
    async with rxchat_up(data, ollama=ollama) as (url, pid):
        at = connections(settings_of(data, ollama))
        stage = Stage(url, at, ollama, pid, web_processes(pid), data)
        with psycopg.connect(superuser_url(data), autocommit=True) as counting:
            counting.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
            postgres = next(child for child in family(pid) if "postgres -D" in command_of(child))
            return [await _history_figure(stage, counting, postgres, messages) for messages in HISTORIES]


async def _history_figure(stage: Stage, counting: psycopg.Connection, postgres: int, messages: int) -> Figure:
    person = add_person(stage.at)
    conversation = add_conversation(stage.at, person, messages, model=COUNTED)
    async with open_tab(stage.url, person.cookie, conversation) as tab:
        await asyncio.sleep(_SETTLE_SECONDS)
        idle_from = _work(counting, postgres)
        await asyncio.sleep(_IDLE_SECONDS)
        begin = _work(counting, postgres)
        idle = begin - idle_from
        turn = await tab.ask()
        await asyncio.sleep(_SETTLE_SECONDS)
        done = _work(counting, postgres) - begin
    if len(turn.text) != _TOKENS * len("word "):
        raise ValueError(f"a turn brought {len(turn.text)} characters")
    share = done.at / idle.at
    statements, rows, cpu = (
        getattr(done, name) - getattr(idle, name) * share for name in ("statements", "rows", "cpu")
    )
    return Figure(
        f"SQL for 1,000 tokens at 100 tokens/s, {messages:,} messages of history",
        "the same at each length",
        f"{statements:.0f} statements (BEGIN, COMMIT and the like included), {rows:.0f} rows written,"
        f" Postgres {cpu:.2f} s",
        f"{idle.statements / idle.at:.1f} statements/s without a question, taken off",
    )


def _work(counting: psycopg.Connection, postgres: int) -> Work:
    """Return the statistics by now; a backend reports its rows after it has been idle for a moment."""
    (statements,) = _one(
        counting,
        "SELECT coalesce(sum(calls), 0) FROM pg_stat_statements"
        " WHERE userid <> (SELECT oid FROM pg_roles WHERE rolname = current_user)",
    )
    (rows,) = _one(counting, "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_user_tables")
    return Work(time.monotonic(), int(statements), int(rows), cpu_seconds(family(postgres)))


def _one(counting: psycopg.Connection, query: LiteralString) -> tuple[int, ...]:
    row = counting.execute(query).fetchone()
    if row is None:
        raise ValueError("Postgres says nothing")
    return row

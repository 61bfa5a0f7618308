"""The database: a pool of connections in the runtime role, and transactions that act for one person."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from rxchat.domain.errors import (
    Conflict,
    DatabaseAway,
    LastAdministrator,
    NotAllowed,
    NotFound,
    RxChatError,
    StaleConversation,
)

RUNTIME_ROLE = "rxchat_app"
# What procedures and policies say, in our own words.
_REFUSALS: dict[str, type[RxChatError]] = {
    "RX001": StaleConversation,
    "RX002": LastAdministrator,
    "42501": NotAllowed,
    # What something belongs to is not there (any more), or is there already: somebody else was quicker.
    "23503": NotFound,
    "23505": Conflict,
}


def driver_url(url: str) -> str:
    """Return the URL as SQLAlchemy wants it, from the form that everyone else uses."""
    scheme, separator, rest = url.partition("://")
    if scheme in {"postgres", "postgresql"}:
        return f"postgresql+psycopg{separator}{rest}"
    return url


def libpq_url(url: str) -> str:
    """Return the URL as psycopg itself wants it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


class Database:
    """Where truth lives. One for each process, made after forking."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        """Prepare the pool; nothing is connected yet."""
        self.url = libpq_url(url)
        self.engine = runtime_engine(url, pool_size=pool_size)

    @classmethod
    def as_owner(cls, url: str) -> Database:
        """Reach the database with all the rights of its owner: for commands that its operator types."""
        found = cls.__new__(cls)
        found.url = libpq_url(url)
        found.engine = create_async_engine(driver_url(url), hide_parameters=True, connect_args={"connect_timeout": 5})
        return found

    @asynccontextmanager
    async def begin(self, user_id: UUID | None, *, snapshot: bool = False) -> AsyncGenerator[AsyncSession]:
        """Open a transaction that acts for this person (None: for nobody, and sees no one's rows).

        With `snapshot`, all its queries see the database as it was at the first one: what they return fits together.

        Raises:
            DatabaseAway: when Postgres does not answer.
            StaleConversation: when an event was appended by someone else meanwhile.
            NotAllowed: when row-level security or a procedure does not let the person do it.
            LastAdministrator: when nobody would administer the installation any more.
        """
        with translated_errors():
            async with self._session() as session, session.begin():
                if snapshot:
                    await self._take_snapshot(session)
                # Bound, never written into the statement; local to the transaction, so a pooled connection forgets it.
                await session.execute(
                    text("SELECT set_config('rxchat.user_id', :user_id, true)"),
                    {"user_id": str(user_id) if user_id else ""},
                )
                yield session

    @asynccontextmanager
    async def each(self) -> AsyncGenerator[AsyncSession]:
        """Let every statement be a transaction of its own that acts for nobody: what engines and sweeps do.

        One that never hears of its commit holds no lock: Postgres has committed, or it has not.

        Raises:
            DatabaseAway: when Postgres does not answer.
        """
        with translated_errors():
            async with self.engine.connect() as connection:
                alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
                async with AsyncSession(alone, expire_on_commit=False) as session:
                    yield session

    async def _take_snapshot(self, session: AsyncSession) -> None:
        await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})

    def _session(self) -> AsyncSession:
        return AsyncSession(self.engine, expire_on_commit=False)

    async def aclose(self) -> None:
        """Close all connections."""
        await self.engine.dispose()


class translated_errors:  # noqa: N801 - reads as a statement where it is used
    """Turns what the driver raises into errors of ours; everything else passes through."""

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Raise our own error in place of the driver's."""
        if isinstance(error, DBAPIError) and (ours := _REFUSALS.get(getattr(error.orig, "sqlstate", None) or "")):
            raise ours() from error
        if is_away(error):
            raise DatabaseAway from error


def is_away(error: BaseException | None) -> bool:
    """Whether the error says that there is no database to talk to, rather than that it refused a statement."""
    if isinstance(error, (PoolTimeout, InterfaceError, psycopg.InterfaceError)):
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    if isinstance(error, DBAPIError):
        state = getattr(error.orig, "sqlstate", None)
        return state in _PASSING or (isinstance(error, OperationalError) and _is_away_state(state))
    return isinstance(error, psycopg.OperationalError) and _is_away_state(error.sqlstate)


def _is_away_state(sqlstate: str | None) -> bool:
    # None: no answer at all; 08: connection; 57P: shutting down or starting up; 53: no room for another connection.
    return sqlstate is None or sqlstate[:2] in {"08", "53"} or sqlstate[:3] == "57P" or sqlstate in _PASSING


# Statement timeout, deadlock, serialization, lock not available, read-only after a failover: the same again may do.
_PASSING = frozenset({"57014", "40P01", "40001", "55P03", "25006"})


def runtime_engine(url: str, *, pool_size: int) -> AsyncEngine:
    """Return a pool whose connections have given up every right but the runtime role's."""
    engine = create_async_engine(
        driver_url(url),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=5,
        pool_pre_ping=True,
        pool_recycle=900,
        # Else an error prints the values of its statement: messages, addresses.
        hide_parameters=True,
        connect_args={
            "connect_timeout": 5,
            "application_name": "rxchat",
            # A process that is cut off in the middle of a transaction keeps its locks from others for so long.
            "options": "-c statement_timeout=30000 -c idle_in_transaction_session_timeout=10000",
            # And it notices a dead line about as soon.
            "tcp_user_timeout": 8000,
            "keepalives_idle": 4,
            "keepalives_interval": 2,
            "keepalives_count": 2,
        },
    )
    event.listen(engine.sync_engine, "connect", _take_runtime_role)
    return engine


def _take_runtime_role(connection: Any, _record: object) -> None:
    previous = connection.autocommit
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute(f"SET ROLE {RUNTIME_ROLE}")
    cursor.close()
    connection.autocommit = previous

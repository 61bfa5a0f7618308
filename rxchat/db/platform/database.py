"""The database: a pool of connections in the runtime role, and transactions that act for one user."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
import structlog
from sqlalchemy import TextClause, event
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from rxchat.db.platform import single_reads
from rxchat.db.platform.connection_queue import ConnectionQueue
from rxchat.domain.errors import (
    Conflict,
    DatabaseBusy,
    DatabaseUnavailable,
    LastAdministrator,
    NotAllowed,
    NotFound,
    RxChatError,
    StaleConversation,
)

log = structlog.get_logger(__name__)

RUNTIME_ROLE = "rxchat_app"
_ENGINES_CONNECTIONS = 2
_REASON_CHARACTERS = 300
# SQLAlchemy's default limit.
_OWNERS_CONNECTIONS = 15
# Detects a dead connection in 8 s.
LINE: dict[str, Any] = {
    "connect_timeout": 5,
    "tcp_user_timeout": 8000,
    "keepalives_idle": 4,
    "keepalives_interval": 2,
    "keepalives_count": 2,
}
# A role can change its own defaults for later connections (ALTER ROLE ... SET). Options of a connection override
# them, so each connection sets all options on which statements or the driver rely.
SESSION_SETTINGS: dict[str, str] = {
    "statement_timeout": "30000",
    # Limits how long a disconnected process keeps the locks of a transaction: less than a lease (domain/runs.py), or
    # engines would lose theirs while they wait.
    "idle_in_transaction_session_timeout": "5000",
    "idle_session_timeout": "0",
    "lock_timeout": "0",
    "search_path": "public",
    "row_security": "on",
    "default_transaction_read_only": "off",
    "default_transaction_deferrable": "off",
    "default_transaction_isolation": "read committed",
    # A missing library would make the server refuse every connection.
    "local_preload_libraries": "",
    "client_encoding": "UTF8",
    "standard_conforming_strings": "on",
    "bytea_output": "hex",
    "array_nulls": "on",
    "transform_null_equals": "off",
    "extra_float_digits": "1",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
}
SESSION_OPTIONS = " ".join(f"-c {name}={value.replace(' ', chr(92) + ' ')}" for name, value in SESSION_SETTINGS.items())
# The first statement of each connection resets all other settings of its role. There are 200, and a server refuses
# connections with an option that it does not know (a limit for transactions: since Postgres 17).
WITHOUT_ROLE_SETTINGS = """
SELECT set_config('transaction_timeout', '0', false) WHERE current_setting('transaction_timeout', true) <> '0';
SELECT set_config(name, coalesce(boot_val, ''), false) FROM pg_catalog.pg_settings
 WHERE EXISTS (SELECT FROM pg_catalog.pg_db_role_setting WHERE setrole = quote_ident(session_user)::regrole)
   AND context = 'user' AND source IN ('user', 'database user') AND name <> 'role'
"""
# SQLSTATEs of procedures and policies, and RxChat's errors for them.
_REFUSALS: dict[str, type[RxChatError]] = {
    "RX001": StaleConversation,
    "RX002": LastAdministrator,
    "42501": NotAllowed,
    # The parent row does not exist, or the row exists: another transaction was first.
    "23503": NotFound,
    "23505": Conflict,
}


def driver_url(url: str) -> str:
    """Return a Postgres URL with SQLAlchemy's driver name."""
    scheme, separator, rest = url.partition("://")
    if scheme in {"postgres", "postgresql"}:
        return f"postgresql+psycopg{separator}{rest}"
    return url


def libpq_url(url: str) -> str:
    """Return a Postgres URL without SQLAlchemy's driver name, for psycopg."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


class Database:
    """The connection pools and transactions of a process. Create it after forking."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        """Create the pools, which connect at first use."""
        self.url = libpq_url(url)
        self.engine = runtime_engine(url, pool_size=pool_size)
        self._queue = ConnectionQueue(pool_size)
        # A separate pool, so that the leases of answers never wait for users' transactions.
        self._engines_own = runtime_engine(url, pool_size=_ENGINES_CONNECTIONS)

    @classmethod
    def as_owner(cls, url: str) -> Database:
        """Connect with the rights of the database's owner, for commands of operators."""
        found = cls.__new__(cls)
        found.url = libpq_url(url)
        found.engine = create_async_engine(driver_url(url), hide_parameters=True, connect_args={"connect_timeout": 5})
        found._engines_own = found.engine
        found._queue = ConnectionQueue(_OWNERS_CONNECTIONS)
        return found

    @asynccontextmanager
    async def begin(self, user_id: UUID | None, *, snapshot: bool = False) -> AsyncGenerator[AsyncSession]:
        """Open a transaction that acts for a user (None: for no user, and sees no user's rows).

        With `snapshot`, all of its queries see the same state of the database.

        Raises:
            DatabaseUnavailable: if Postgres does not respond.
            DatabaseBusy: if no connection was free for too long.
            StaleConversation: if another transaction has appended an event meanwhile.
            NotAllowed: if row-level security or a procedure refuses the user's action.
            LastAdministrator: if no administrator would be left.
        """
        with translated_errors():
            async with self._queue.slot(), AsyncExitStack() as leaving:
                with self._noting_failure():
                    session = await self._opened(leaving, _beginning(user_id, snapshot=snapshot))
                yield session

    def reading(self, user_id: UUID | None) -> single_reads.Read:
        """Return a function that runs one statement for a user, which only reads, in one round trip.

        It raises DatabaseUnavailable and DatabaseBusy as `begin` does.
        """
        return partial(self._read, user_id)

    async def _read(
        self, user_id: UUID | None, statement: TextClause, parameters: Mapping[str, object]
    ) -> Sequence[Any]:
        with translated_errors():
            async with self._queue.slot():
                with self._noting_failure():
                    return await single_reads.rows_of(self.engine, user_id, statement, parameters)

    @contextmanager
    def _noting_failure(self) -> Generator[None]:
        """Note whether the database was there, for those who wait for a connection."""
        try:
            yield
        except Exception as error:
            self._queue.has_failed = is_unavailable(error) and not is_busy(error)
            raise
        self._queue.has_failed = False

    async def _opened(self, leaving: AsyncExitStack, beginning: str) -> AsyncSession:
        """Begin a transaction; retries on another connection if the first one was dead."""
        is_second = False
        while True:
            try:
                async with AsyncExitStack() as trying:
                    session = await self._begun(trying, beginning)
                    leaving.push_async_exit(trying.pop_all())
                    return session
            except DBAPIError as error:
                if is_second or not error.connection_invalidated:
                    raise
                is_second = True

    async def _begun(self, leaving: AsyncExitStack, beginning: str) -> AsyncSession:
        session = await leaving.enter_async_context(AsyncSession(self.engine, expire_on_commit=False))
        await leaving.enter_async_context(session.begin())
        await (await session.connection()).exec_driver_sql(beginning)
        return session

    @asynccontextmanager
    async def autocommit(self) -> AsyncGenerator[AsyncSession]:
        """Open a session in which every statement is a transaction that acts for no user, for run engines.

        If the connection breaks, no lock is held: Postgres has committed the statement or not.

        Raises:
                    DatabaseUnavailable: if Postgres does not respond.
        """
        with translated_errors():
            async with AsyncSession(self._engines_own, expire_on_commit=False) as session:
                yield session

    async def aclose(self) -> None:
        """Close all connections."""
        await self.engine.dispose()
        await self._engines_own.dispose()


def _beginning(user_id: UUID | None, *, snapshot: bool) -> str:
    """Return the statements that begin a transaction, in one string to save a round trip.

    The ID is a UUID's text, so it needs no quoting. It is set for this transaction only, not for the pooled connection.
    """
    level = " ISOLATION LEVEL REPEATABLE READ" if snapshot else ""
    who = UUID(int=user_id.int) if user_id else ""
    return f"BEGIN{level}; SELECT set_config('rxchat.user_id', '{who}', true)"


class translated_errors:  # noqa: N801 - reads as a statement where it is used
    """Maps errors of the driver to RxChat's errors; other exceptions are unchanged."""

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Raise RxChat's error from the driver's."""
        if isinstance(error, (DBAPIError, psycopg.Error)) and (ours := _REFUSALS.get(_sqlstate(error) or "")):
            raise ours() from error
        if is_busy(error):
            raise DatabaseBusy from error
        if is_unavailable(error):
            cause = error.orig if isinstance(error, DBAPIError) else error
            log.warning(
                "the database does not respond", error=type(cause).__name__, reason=str(cause)[:_REASON_CHARACTERS]
            )
            raise DatabaseUnavailable from error


def is_busy(error: BaseException | None) -> bool:
    """Whether the error says that the database is overloaded."""
    if isinstance(error, PoolTimeout):
        return True
    is_dead = isinstance(error, DBAPIError) and error.connection_invalidated
    return isinstance(error, (DBAPIError, psycopg.Error)) and not is_dead and _sqlstate(error) in _BUSY


def is_unavailable(error: BaseException | None) -> bool:
    """Whether the error says that the database is unavailable, and not that it refused a statement."""
    if isinstance(error, (InterfaceError, psycopg.InterfaceError)):
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    if isinstance(error, DBAPIError):
        state = _sqlstate(error)
        return state in _PASSING or (isinstance(error, OperationalError) and _is_away_state(state))
    return isinstance(error, psycopg.OperationalError) and _is_away_state(error.sqlstate)


def _sqlstate(error: DBAPIError | psycopg.Error) -> str | None:
    """Return Postgres' code of an error; None if there was no answer."""
    return getattr(error.orig if isinstance(error, DBAPIError) else error, "sqlstate", None)


def _is_away_state(sqlstate: str | None) -> bool:
    # None: no answer at all; 08: connection; 57P: shutting down or starting up; 53: too many connections.
    return sqlstate is None or sqlstate[:2] in {"08", "53"} or sqlstate[:3] == "57P" or sqlstate in _PASSING


# Statement timeout, deadlock, serialization, lock not available, too many connections: a retry may succeed.
_BUSY = frozenset({"57014", "40P01", "40001", "55P03", "53300"})
# Also read-only, after a failover.
_PASSING = _BUSY | {"25006"}


def runtime_engine(url: str, *, pool_size: int) -> AsyncEngine:
    """Return a pool whose connections act as the runtime role."""
    engine = create_async_engine(
        driver_url(url),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=5,
        pool_recycle=900,
        # Otherwise errors contain the values of their statements, such as messages and addresses.
        hide_parameters=True,
        connect_args={
            **LINE,
            "application_name": "rxchat",
            "options": SESSION_OPTIONS,
        },
    )
    event.listen(engine.sync_engine, "connect", _take_runtime_role)
    return engine


def _take_runtime_role(connection: Any, _record: object) -> None:
    # Permanently: transactions send BEGIN themselves, and single statements need none.
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute(f"{WITHOUT_ROLE_SETTINGS}; SET ROLE {RUNTIME_ROLE}")
    cursor.close()

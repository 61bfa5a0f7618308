"""A database for one test: everything happens in one transaction, and never happened when the test ends."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from rxchat.db.platform.database import Database


class RolledBackDatabase(Database):
    """Every `begin` is a savepoint in the one transaction; so only one may be open at a time."""

    def __init__(self, url: str, connection: AsyncConnection | None = None) -> None:
        """Use this connection for everything."""
        super().__init__(url, pool_size=2)
        self._connection = connection

    @classmethod
    @asynccontextmanager
    async def opened(cls, url: str) -> AsyncGenerator[RolledBackDatabase]:
        """Open the connection and the transaction around all others, and take all of it back in the end."""
        database = cls(url)
        async with database.engine.connect() as connection:
            outer = await connection.begin()
            await connection.exec_driver_sql("BEGIN")
            # One transaction for a whole test: that it rests between two steps is no fault of whoever tests.
            await connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
            database._connection = connection
            try:
                yield database
            finally:
                await outer.rollback()
        await database.aclose()

    @asynccontextmanager
    async def each(self) -> AsyncGenerator[AsyncSession]:
        """All of it happens in the one transaction."""
        async with self.begin(None) as session:
            yield session

    async def _begun(self, leaving: AsyncExitStack, beginning: str) -> AsyncSession:
        """Be a savepoint; the one transaction has its isolation already, and nobody else writes into it."""
        session = await leaving.enter_async_context(
            AsyncSession(self._connection, expire_on_commit=False, join_transaction_mode="create_savepoint")
        )
        await leaving.enter_async_context(session.begin())
        await (await session.connection()).exec_driver_sql(beginning.partition("; ")[2])
        return session

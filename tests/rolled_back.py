"""A database for one test: everything runs in one transaction, which is rolled back at the end."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from rxchat.db.platform.database import Database


class RolledBackDatabase(Database):
    """Every `begin` is a savepoint in one transaction, so only one can be open at a time."""

    def __init__(self, url: str, connection: AsyncConnection | None = None) -> None:
        """Use this connection for everything."""
        super().__init__(url, pool_size=2)
        self._connection = connection

    @classmethod
    @asynccontextmanager
    async def opened(cls, url: str) -> AsyncGenerator[RolledBackDatabase]:
        """Open the connection and the outer transaction, and roll it back at the end."""
        database = cls(url)
        async with database.engine.connect() as connection:
            outer = await connection.begin()
            await connection.exec_driver_sql("BEGIN")
            # The transaction lasts for the whole test, and may be idle between two steps.
            await connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
            database._connection = connection
            try:
                yield database
            finally:
                await outer.rollback()
        await database.aclose()

    @asynccontextmanager
    async def each(self) -> AsyncGenerator[AsyncSession]:
        """Return a session in the outer transaction."""
        async with self.begin(None) as session:
            yield session

    async def _begun(self, leaving: AsyncExitStack, beginning: str) -> AsyncSession:
        """Open a savepoint; the outer transaction has set its isolation level, and has no concurrent writers."""
        session = await leaving.enter_async_context(
            AsyncSession(self._connection, expire_on_commit=False, join_transaction_mode="create_savepoint")
        )
        await leaving.enter_async_context(session.begin())
        await (await session.connection()).exec_driver_sql(beginning.partition("; ")[2])
        return session

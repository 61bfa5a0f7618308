"""Postgres telling this process that something happened (LISTEN)."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import psycopg
from psycopg import sql

from rxchat.db.database import translated_errors


async def listen(url: str, channel: str) -> AsyncGenerator[str]:
    """Yield "" once it listens, and then each payload sent to the channel.

    Raises:
        DatabaseAway: when the connection is lost; what was sent meanwhile is lost with it.
    """
    with translated_errors():
        async with await psycopg.AsyncConnection.connect(
            url, autocommit=True, connect_timeout=5, application_name="rxchat listener"
        ) as connection:
            await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            yield ""
            async for notification in connection.notifies():
                yield notification.payload

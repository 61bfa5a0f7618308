"""Postgres notifications to all processes (NOTIFY and LISTEN).

Payloads are words: "run queued", "run stop <run>", "conversation <owner> <conversation>" (sent by the procedure
that appends events). They only say where to look; listeners read the changes from the tables.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

import psycopg
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from rxchat.db.platform.database import LINE, SESSION_OPTIONS, WITHOUT_ROLE_SETTINGS, translated_errors

CHANNEL = "rxchat"
_NOTIFY = text("SELECT pg_notify(:channel, :payload)")


async def notify(session: AsyncSession, payload: str) -> None:
    """Notify all listeners when the transaction commits."""
    await session.execute(_NOTIFY, {"channel": CHANNEL, "payload": payload})


async def listen(url: str) -> AsyncGenerator[str]:
    """Yield "" when the connection listens, and then each payload.

    Raises:
        DatabaseUnavailable: if the connection is lost; notifications are lost until the next call.
    """
    with translated_errors():
        async with await psycopg.AsyncConnection.connect(
            url, autocommit=True, application_name="rxchat listener", options=SESSION_OPTIONS, **LINE
        ) as connection:
            await connection.execute(WITHOUT_ROLE_SETTINGS)
            await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(CHANNEL)))
            yield ""
            async for notification in connection.notifies():
                yield notification.payload

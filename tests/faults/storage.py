"""What is stored, as the database's owner sees it, asked directly and again and again beside whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

import psycopg

_PATIENCE_SECONDS = 1.0
_EVERY_SECONDS = 0.05

_RUNS = """
SELECT run.conversation_id, run.id, run.state, run.engine_id,
       CASE WHEN run.state IN ('queued', 'running')
            -- An answer that goes on begins with what its message said before.
            THEN message.text || coalesce((SELECT string_agg(chunk.text, '' ORDER BY chunk.seq) FROM run_chunk AS chunk
                            WHERE chunk.owner_id = run.owner_id AND chunk.run_id = run.id AND chunk.kind = 'text'), '')
            ELSE message.text END
  FROM run JOIN message ON message.owner_id = run.owner_id AND message.id = run.message_id
 WHERE run.conversation_id = ANY(%s)
"""
_MESSAGES = "SELECT id, role, state, text FROM message WHERE conversation_id = %s ORDER BY seq"


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run as it is stored at a moment."""

    conversation_id: UUID
    id: UUID
    state: str
    engine_id: UUID | None
    text: str

    @property
    def is_active(self) -> bool:
        """Whether it is waited for or written."""
        return self.state in {"queued", "running"}


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message as it is stored."""

    id: UUID
    role: str
    state: str
    text: str


@dataclass
class Storage:
    """A connection that is made again when it is lost."""

    owner_url: str
    _connection: psycopg.AsyncConnection | None = field(default=None)

    async def runs(self, conversations: Sequence[UUID]) -> list[StoredRun] | None:
        """The runs of these conversations; None while the database does not answer."""
        rows = await self._rows(_RUNS, [list(conversations)])
        return None if rows is None else [StoredRun(*row) for row in rows]

    async def messages(self, conversation: UUID) -> list[StoredMessage]:
        """The messages of a conversation; waits for the database."""
        async with asyncio.timeout(60):
            while (rows := await self._rows(_MESSAGES, [conversation])) is None:
                await asyncio.sleep(_EVERY_SECONDS)
        return [StoredMessage(*row) for row in rows]

    async def _rows(self, query: str, values: list[object]) -> list[tuple] | None:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                if self._connection is None or self._connection.closed:
                    self._connection = await psycopg.AsyncConnection.connect(self.owner_url, autocommit=True)
                return await (await self._connection.execute(query, values)).fetchall()  # pyright: ignore[reportArgumentType]
        except (TimeoutError, psycopg.Error):
            await self.aclose()
            return None

    async def aclose(self) -> None:
        """Close the connection, also one whose other end is silent."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error, TimeoutError):
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    await connection.close()

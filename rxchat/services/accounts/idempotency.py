"""Requests that are made once, however often they are sent: the answer of the first one is given to all with its key."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from uuid import UUID

from rxchat.background import background_task
from rxchat.db.accounts import idempotency_keys as rows
from rxchat.db.accounts.idempotency_keys import KeptAnswer
from rxchat.db.platform.database import Database
from rxchat.domain.api_errors import IdempotencyMismatch, StillInProgress
from rxchat.domain.errors import DatabaseUnavailable, TooManyAttempts

_LEASE_SECONDS = 30.0
_RENEW_SECONDS = 10.0
_WAIT_SECONDS = 20.0
"""How long a repeated request waits for the first one; then its client has to ask again."""
_LOOK_SECONDS = 0.1
_MOST_KEYS = 1_000
LARGEST_ANSWER_BYTES = 1_000_000


class Claim:
    """A request in progress, whose answer is to be kept."""

    def __init__(self) -> None:
        self.answer: tuple[int, dict[str, str], bytes] | None = None

    def keep(self, status: int, headers: dict[str, str], body: bytes) -> None:
        """Keep this answer when the context ends; a very large one is not kept."""
        if len(body) <= LARGEST_ANSWER_BYTES:
            self.answer = status, headers, body


class IdempotencyKeys:
    """The keys of all requests, each for 24 hours."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find_or_claim(self, user_id: UUID, key: str, request_hash: bytes) -> KeptAnswer | None:
        """Return the answer that was given to this request, waiting for it if it is in progress; None: make the request.

        Then call `held`, which ends the claim.

        Raises:
            IdempotencyMismatch: when the key was used for another request.
            StillInProgress: when the first request takes long.
            TooManyAttempts: when the user has used too many keys within 24 hours.
        """
        deadline = time.monotonic() + _WAIT_SECONDS
        while True:
            async with self._database.begin(user_id) as session:
                is_claimed = await rows.claim(
                    session, user_id, key, request_hash, lease_seconds=_LEASE_SECONDS, most=_MOST_KEYS
                )
                known = None if is_claimed else await rows.find(session, user_id, key)
            if is_claimed:
                return None
            if known is None:
                raise TooManyAttempts(
                    f"You have used {_MOST_KEYS:,} idempotency keys within 24 hours.", retry_after_seconds=3600
                )
            if known.request_hash != request_hash:
                raise IdempotencyMismatch
            if known.status is not None:
                return known
            if time.monotonic() > deadline:
                raise StillInProgress
            await asyncio.sleep(_LOOK_SECONDS)

    @asynccontextmanager
    async def held(self, user_id: UUID, key: str) -> AsyncGenerator[Claim]:
        """Hold a claimed key while the request is made; then keep its answer, or release the key if there is none."""
        claim = Claim()
        try:
            async with background_task(self._renew(user_id, key), "an idempotency key"):
                yield claim
        finally:
            # Also when the client disconnected: the release must not be cancelled with the request.
            await asyncio.shield(asyncio.ensure_future(self._end(user_id, key, claim)))

    async def _renew(self, user_id: UUID, key: str) -> None:
        while True:
            await asyncio.sleep(_RENEW_SECONDS)
            with suppress(DatabaseUnavailable):
                async with self._database.begin(user_id) as session:
                    await rows.renew(session, user_id, key, _LEASE_SECONDS)

    async def _end(self, user_id: UUID, key: str, claim: Claim) -> None:
        with suppress(DatabaseUnavailable):
            async with self._database.begin(user_id) as session:
                if claim.answer is None:
                    await rows.release(session, user_id, key)
                else:
                    await rows.finish(session, user_id, key, *claim.answer)

    async def purge(self) -> None:
        """Delete the answers of all users that were kept for a day."""
        while True:
            async with self._database.begin(None) as session:
                if not await rows.purge(session):
                    return

"""Requests that are made once, however often they are sent: the answer of the first one is given to all with its key."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from uuid import UUID

from rxchat.background import background_task
from rxchat.db.accounts import idempotency_keys as rows
from rxchat.db.platform.database import Database
from rxchat.domain.api_errors import IdempotencyMismatch, StillInProgress
from rxchat.domain.errors import DatabaseUnavailable, TooManyAttempts
from rxchat.domain.idempotency import KeptAnswer, KeyClaim

_LEASE_SECONDS = 30.0
_RENEW_SECONDS = 10.0
_WAIT_SECONDS = 20.0
"""How long a repeated request waits for the first one; then its client has to ask again."""
_LOOK_SECONDS = 0.1
_LONGEST_LOOK_SECONDS = 1.0
_MOST_WAITERS, _MOST_WAITERS_OF_ALL = 120, 400
"""How many requests of a user, and of all, wait in this process for one with the same key."""
_MOST_KEYS = 1_000
LARGEST_ANSWER_BYTES = 1_000_000


class Claim:
    """A request in progress, whose answer is to be kept."""

    def __init__(self, held: KeyClaim) -> None:
        self.held = held
        self.answer: tuple[int, dict[str, str], bytes] | None = None

    def keep(self, status: int, headers: dict[str, str], body: bytes) -> None:
        """Keep this answer when the context ends; a very large one is not kept."""
        if len(body) <= LARGEST_ANSWER_BYTES:
            self.answer = status, headers, body


class IdempotencyKeys:
    """The keys of all requests, each for 24 hours."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: Counter[UUID] = Counter()

    async def find_or_claim(self, user_id: UUID, key: str, request_hash: bytes) -> KeptAnswer | KeyClaim:
        """Return the answer that was given to this request, waiting for it if it is in progress; a claim: make the request.

        Then call `holding`, which ends the claim.

        Raises:
            IdempotencyMismatch: when the key was used for another request.
            StillInProgress: when the first request takes long.
            TooManyAttempts: when the user has used too many keys within 24 hours.
        """
        found = await self._look(user_id, key, request_hash)
        if found is not None:
            return found
        deadline, pause = time.monotonic() + _WAIT_SECONDS, _LOOK_SECONDS
        with self._waiter(user_id):
            while time.monotonic() < deadline:
                await asyncio.sleep(pause)
                found = await self._look(user_id, key, request_hash)
                if found is not None:
                    return found
                pause = min(2 * pause, _LONGEST_LOOK_SECONDS)
        raise StillInProgress

    async def _look(self, user_id: UUID, key: str, request_hash: bytes) -> KeptAnswer | KeyClaim | None:
        """Return the claim of the request or its answer; None while another one is in progress."""
        async with self._database.begin(user_id) as session:
            claimed = await rows.claim(
                session, user_id, key, request_hash, lease_seconds=_LEASE_SECONDS, most=_MOST_KEYS
            )
            known = None if claimed else await rows.find(session, user_id, key)
        if claimed is not None:
            return claimed
        if known is None:
            raise TooManyAttempts(
                f"You have used {_MOST_KEYS:,} idempotency keys within 24 hours.", retry_after_seconds=3600
            )
        if known.request_hash != request_hash:
            raise IdempotencyMismatch
        return known if known.status is not None else None

    @contextmanager
    def _waiter(self, user_id: UUID) -> Iterator[None]:
        """Count a request that waits for another one of its user; too many are refused at once."""
        if self._waiting[user_id] >= _MOST_WAITERS or self._waiting.total() >= _MOST_WAITERS_OF_ALL:
            raise StillInProgress
        self._waiting[user_id] += 1
        try:
            yield
        finally:
            self._waiting[user_id] -= 1
            if not self._waiting[user_id]:
                del self._waiting[user_id]

    @asynccontextmanager
    async def holding(self, held: KeyClaim) -> AsyncGenerator[Claim]:
        """Hold a claimed key while the request is made; then keep its answer, or release the key if there is none."""
        claim = Claim(held)
        try:
            async with background_task(self._renew(held), "an idempotency key"):
                yield claim
        finally:
            # Also when the client disconnected: the release must not be cancelled with the request.
            await asyncio.shield(asyncio.ensure_future(self._end(claim)))

    async def _renew(self, held: KeyClaim) -> None:
        while True:
            await asyncio.sleep(_RENEW_SECONDS)
            with suppress(DatabaseUnavailable):
                async with self._database.begin(held.owner_id) as session:
                    await rows.renew(session, held, _LEASE_SECONDS)

    async def _end(self, claim: Claim) -> None:
        with suppress(DatabaseUnavailable):
            async with self._database.begin(claim.held.owner_id) as session:
                if claim.answer is None:
                    await rows.release(session, claim.held)
                else:
                    await rows.finish(session, claim.held, *claim.answer)

    async def purge(self) -> None:
        """Delete the answers of all users that were kept for a day."""
        while True:
            async with self._database.begin(None) as session:
                if not await rows.purge(session):
                    return

"""Rate limits that slow attackers down without locking users out.

An attempt counts for its target (an account), for its address and for its network. A browser that has signed the user
in before has a separate counter, so attempts from elsewhere never lock the user out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog

from rxchat import observability
from rxchat.db.accounts import rate_limits as rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import ClientInfo
from rxchat.domain.errors import TooManyAttempts
from rxchat.domain.rate_limits import (
    Backoff,
    CountersUnavailable,
    RateLimit,
    RateLimitCounters,
    format_wait,
    host_of,
    network_of,
)

_QUEUED_AGAIN = RateLimit(subject=60)
"""How many documents a user can ingest again, or versions restore, before pauses: each costs a whole ingestion."""
_SHARES = RateLimit(subject=60)
"""How many shares of their own resources users can make before pauses."""
_IMPORTS = RateLimit(subject=60)
"""How many files of conversations users can import before pauses."""

log = structlog.get_logger(__name__)


class PostgresCounters:
    """Counts attempts in Postgres: slower than Redis, and always available."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self, keys: Sequence[str], free: Sequence[int], pace: Backoff) -> float:
        """Count an attempt under each key. Returns for how many seconds it is refused, or 0.

        Raises:
            DatabaseUnavailable: when Postgres does not respond.
        """
        async with self._database.begin(None) as session:
            return await rows.record_attempt(
                session,
                keys,
                free,
                base_seconds=pace.base_seconds,
                cap_seconds=pace.cap_seconds,
                forget_seconds=pace.forget_seconds,
            )

    async def forgive(self, clean: Sequence[str], lessen: Sequence[str]) -> None:
        """Reset the counts of some keys, and subtract the last attempt from others."""
        async with self._database.begin(None) as session:
            await rows.refund_attempts(session, clean, lessen)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A counted attempt, to be subtracted when it succeeds."""

    own: tuple[str, ...]
    shared: tuple[str, ...]


class RateLimits:
    """Counts attempts, and refuses them for a while after too many."""

    def __init__(self, quick: RateLimitCounters | None, sure: RateLimitCounters, pace: Backoff = Backoff()) -> None:  # noqa: B008 - a frozen value
        """Use `quick` counters (Redis) first, and `sure` ones (Postgres) when those do not respond."""
        self._quick = quick
        self._sure = sure
        self._pace = pace

    async def attempt(
        self,
        action: str,
        client_info: ClientInfo,
        subject: str = "",
        *,
        is_known_device: bool = False,
        counts_alone: bool = False,
        allowance: RateLimit = RateLimit(),  # noqa: B008 - a frozen value
    ) -> Attempt:
        """Count an attempt before it is made.

        With `counts_alone`, it counts for the subject and not for the address, so that users behind one address do
        not affect each other.

        Raises:
            TooManyAttempts: when it must wait; the message says how long, and so does `retry_after_seconds`.
        """
        who = hashlib.sha256(subject.encode("utf-8", "surrogatepass")).hexdigest()[:32] if subject else ""
        if is_known_device:
            own, shared = {f"{action}:device:{who}:{client_info.device_id}": allowance.device}, {}
        else:
            own = {f"{action}:subject:{who}": allowance.subject} if who else {}
            both = () if counts_alone and own else (allowance.address, allowance.network)
            shared = dict(zip(_shared(action, client_info), both, strict=False))
        free = own | shared
        waiting = await self._count(list(free), list(free.values()))
        if waiting > 0:
            observability.SLOWED.labels(action).inc()
            log.info("slowed down", action=action, address=client_info.address, seconds=round(waiting, 1))
            raise TooManyAttempts(
                f"Too many attempts. Try again in {format_wait(waiting)}.", retry_after_seconds=waiting
            )
        return Attempt(tuple(own), tuple(shared))

    async def attempt_to_queue(self, user_id: UUID, client_info: ClientInfo) -> None:
        """Count that a user ingests a document again.

        Raises:
            TooManyAttempts: after too many.
        """
        await self.attempt("ingest", client_info, str(user_id), counts_alone=True, allowance=_QUEUED_AGAIN)

    async def attempt_to_share(self, user_id: UUID, client_info: ClientInfo) -> None:
        """Count that a user shares a collection or conversation.

        Raises:
            TooManyAttempts: after too many.
        """
        await self.attempt("grant", client_info, str(user_id), counts_alone=True, allowance=_SHARES)

    async def attempt_to_import(self, user_id: UUID, client_info: ClientInfo) -> None:
        """Count that a user imports a file of conversations.

        Raises:
            TooManyAttempts: after too many.
        """
        await self.attempt("import", client_info, str(user_id), counts_alone=True, allowance=_IMPORTS)

    async def refund(self, action: str, client_info: ClientInfo) -> None:
        """Subtract one attempt from an address, when what it started succeeds."""
        await self.reset(Attempt((), _shared(action, client_info)))

    async def reset(self, attempt: Attempt) -> None:
        """Reset the account's count after a success, and subtract one attempt from its address."""
        if self._quick is not None:
            try:
                await self._quick.forgive(attempt.own, attempt.shared)
            except CountersUnavailable:
                pass
            else:
                return
        await self._sure.forgive(attempt.own, attempt.shared)

    async def _count(self, keys: Sequence[str], free: Sequence[int]) -> float:
        if self._quick is not None:
            try:
                return await self._quick.count(keys, free, self._pace)
            except CountersUnavailable:
                pass
        return await self._sure.count(keys, free, self._pace)


def _shared(action: str, client_info: ClientInfo) -> tuple[str, str]:
    """Return the keys of an address and of its network."""
    return f"{action}:address:{host_of(client_info.address)}", f"{action}:network:{network_of(client_info.address)}"

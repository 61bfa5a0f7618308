"""Requests that were refused: one row in the audit each, and those beyond what a person could mean in one row together."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from uuid import UUID

from rxchat.db.access import audit_log
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.errors import (
    DatabaseUnavailable,
    NotAllowed,
    NotFound,
    NotSignedIn,
    ProviderError,
    RxChatError,
    SecondFactorNeeded,
    TooManyAttempts,
)
from rxchat.domain.limits import RateLimit, network_of
from rxchat.domain.text import sanitize
from rxchat.observability import correlation_id
from rxchat.services.accounts.rate_limits import RateLimits

# Whoever tries more doors than this in an hour is known by then; the audit is not theirs to fill.
_ALLOWANCE = RateLimit(subject=30, address=100, network=300)

_MOST_SUMS = 10_000


class AccessDenials:
    """Writes down who was refused what."""

    def __init__(self, database: Database, rate_limits: RateLimits) -> None:
        """Know where truth lives and who counts."""
        self._database = database
        self._rate_limits = rate_limits
        self._left_out: Counter[tuple[UUID | None, str]] = Counter()

    async def record(
        self, current_user: CurrentUser | None, client_info: ClientInfo, door: str, error: RxChatError
    ) -> None:
        """Write down that a door stayed closed: for want of a right, or since what is behind it is not theirs."""
        is_denial = isinstance(error, (NotAllowed, NotFound, NotSignedIn, ProviderError))
        if error.is_audited or not is_denial or isinstance(error, SecondFactorNeeded):
            return
        actor = current_user.user_id if current_user else None
        try:
            # A user counts alone: what others send from their address (a page of another site does it with pictures)
            # keeps none of it out of the audit.
            await self._rate_limits.attempt(
                "denied", client_info, str(actor or ""), counts_alone=actor is not None, allowance=_ALLOWANCE
            )
            await self._append(actor, client_info.address, door=sanitize(door)[:200], code=error.code)
        except TooManyAttempts:
            # One row for all of a user's, else for all of a network's: an address of IPv6 is quickly another one.
            key = (actor, client_info.address if actor else network_of(client_info.address))
            is_known = key in self._left_out or len(self._left_out) < _MOST_SUMS or actor is not None
            self._left_out[key if is_known else (None, "other networks")] += 1
        except DatabaseUnavailable:
            return

    async def write_sums(self) -> None:
        """Write one row for all refusals of a user or an address that were too many for rows of their own."""
        for (actor, address), count in list(self._left_out.items()):
            with suppress(DatabaseUnavailable):
                await self._append(actor, address, door=f"{count:,} more", code="too_many", count=count)
                self._left_out[actor, address] -= count
                if not self._left_out[actor, address]:
                    del self._left_out[actor, address]

    async def _append(self, actor: UUID | None, address: str, **data: str | int) -> None:
        async with self._database.begin(actor) as session:
            await audit_log.append(session, actor, "denied", address, correlation_id(), **data)

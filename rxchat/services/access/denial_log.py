"""Records refused requests in the audit log: one entry each, and a sum for requests beyond a rate limit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

from rxchat.db.access import audit_log as rows
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
from rxchat.domain.rate_limits import RateLimit, network_of
from rxchat.domain.text import sanitize
from rxchat.services.accounts.rate_limits import RateLimits
from rxchat.services.platform.audit import record

# More refused requests than this in an hour are recorded as a sum, so that they cannot fill the audit log.
_ALLOWANCE = RateLimit(subject=30, address=100, network=300)

_MOST_SUMS = 10_000


class AccessDenials:
    """Records refused requests in the audit log, rate-limited per user, address and network."""

    def __init__(self, database: Database, rate_limits: RateLimits) -> None:
        self._database = database
        self._rate_limits = rate_limits
        self._left_out: Counter[tuple[UUID | None, str]] = Counter()

    async def record(
        self,
        current_user: CurrentUser | None,
        client_info: ClientInfo,
        door: str,
        error: RxChatError,
        linked: Sequence[UUID] | None = None,
    ) -> None:
        """Record a refused request: missing permission, or a resource of another user.

        `linked` are the IDs in the address that a signed-in user has opened. If nothing of another user has one of them, the
        link is only wrong, and is not recorded.
        """
        is_denial = isinstance(error, (NotAllowed, NotFound, NotSignedIn, ProviderError))
        if error.is_audited or not is_denial or isinstance(error, SecondFactorNeeded):
            return
        actor = current_user.user_id if current_user else None
        try:
            if isinstance(error, NotFound) and linked is not None and not await self._belong_to_others(actor, linked):
                return
            # A user is counted alone: refused requests of others at the same address (a page of another site can cause
            # them with images) must not hide entries of this user.
            await self._rate_limits.attempt(
                "denied", client_info, str(actor or ""), counts_alone=actor is not None, allowance=_ALLOWANCE
            )
            await self._append(actor, client_info.address, door=sanitize(door)[:200], code=error.code)
        except TooManyAttempts:
            # One sum for each user, otherwise for each network, because an IPv6 client changes its address easily.
            key = (actor, client_info.address if actor else network_of(client_info.address))
            is_known = key in self._left_out or len(self._left_out) < _MOST_SUMS or actor is not None
            self._left_out[key if is_known else (None, "other networks")] += 1
        except DatabaseUnavailable:
            return

    async def write_sums(self) -> None:
        """Record one sum for all refused requests of a user or network that exceeded the rate limit."""
        for (actor, address), count in list(self._left_out.items()):
            with suppress(DatabaseUnavailable):
                await self._append(actor, address, door=f"{count:,} more", code="too_many", count=count)
                self._left_out[actor, address] -= count
                if not self._left_out[actor, address]:
                    del self._left_out[actor, address]

    async def _belong_to_others(self, actor: UUID | None, ids: Sequence[UUID]) -> bool:
        if actor is None or not ids:
            return actor is None
        async with self._database.begin(actor) as session:
            return await rows.belong_to_others(session, ids)

    async def _append(self, actor: UUID | None, address: str, **data: str | int) -> None:
        async with self._database.begin(actor) as session:
            await record(session, actor, "denied", ClientInfo(address), **data)

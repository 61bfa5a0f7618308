"""Closed doors that somebody tried: one row in the audit each, and no more than a person could mean."""

from __future__ import annotations

from contextlib import suppress

from rxchat.db import audit
from rxchat.db.database import Database
from rxchat.domain.accounts import Caller, Viewer
from rxchat.domain.errors import (
    DatabaseAway,
    NotAllowed,
    NotFound,
    NotSignedIn,
    ProviderError,
    RxChatError,
    SecondFactorNeeded,
    TooManyAttempts,
)
from rxchat.domain.limits import Allowance
from rxchat.domain.text import storable
from rxchat.observability import correlation_id
from rxchat.services.limits import Limits

# Whoever tries more doors than this in an hour is known by then; the audit is not theirs to fill.
_ALLOWANCE = Allowance(subject=30, address=100, network=300)


class Denials:
    """Writes down who was refused what."""

    def __init__(self, database: Database, limits: Limits) -> None:
        """Know where truth lives and who counts."""
        self._database = database
        self._limits = limits

    async def note(self, viewer: Viewer | None, caller: Caller, door: str, error: RxChatError) -> None:
        """Write down that a door stayed closed: for want of a right, or since what is behind it is not theirs."""
        is_denial = isinstance(error, (NotAllowed, NotFound, NotSignedIn, ProviderError))
        if error.is_audited or not is_denial or isinstance(error, SecondFactorNeeded):
            return
        actor = viewer.user_id if viewer else None
        with suppress(TooManyAttempts, DatabaseAway):
            await self._limits.attempt("denied", caller, str(actor or ""), allowance=_ALLOWANCE)
            async with self._database.begin(actor) as session:
                await audit.append(
                    session,
                    actor,
                    "denied",
                    caller.address,
                    correlation_id(),
                    door=storable(door)[:200],
                    code=error.code,
                )

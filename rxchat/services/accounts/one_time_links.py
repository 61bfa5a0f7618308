"""Links that work once: random tokens, stored as keyed hashes, with an expiry."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from rxchat.db.access import roles
from rxchat.db.accounts import one_time_links as rows
from rxchat.db.accounts.one_time_links import Link
from rxchat.services.platform.encryption import SecretBox
from rxchat.tables import AccountToken

_PURPOSE = "account link"


class LinkKind(StrEnum):
    """The purpose of a link."""

    INVITATION = "invitation"
    RESET = "reset"
    CONFIRMATION = "confirmation"


_PAGES = {LinkKind.INVITATION: "join", LinkKind.RESET: "reset", LinkKind.CONFIRMATION: "confirm"}
_LIFETIMES = {
    LinkKind.INVITATION: timedelta(days=7),
    LinkKind.RESET: timedelta(hours=1),
    LinkKind.CONFIRMATION: timedelta(days=3),
}


class OneTimeLinks:
    """Creates, checks and consumes links, within the caller's transaction."""

    def __init__(self, secret_box: SecretBox, base_url: str) -> None:
        """Store the keys, and the address that links begin with."""
        self._secret_box = secret_box
        self._base_url = base_url

    async def make(
        self,
        session: AsyncSession,
        kind: LinkKind,
        *,
        email: str,
        user_id: UUID | None = None,
        role: str = "",
        group_ids: Sequence[UUID] = (),
        is_mailed: bool,
        created_by: UUID | None = None,
        lifetime: timedelta | None = None,
    ) -> str:
        """Return the address of a new link; earlier ones of the user become invalid."""
        if user_id is not None:
            await self.remove_all(session, kind, user_id)
        token = secrets.token_urlsafe(32)
        link = AccountToken(
            kind=kind,
            hash=self._digest(kind, token),
            user_id=user_id,
            email=email,
            role=role,
            group_ids=[str(group) for group in group_ids],
            is_mailed=is_mailed,
            created_by=created_by,
            expires_at=datetime.now(UTC) + (lifetime or _LIFETIMES[kind]),
        )
        await rows.add(session, link)
        return f"{self._base_url}/{_PAGES[kind]}#token={token}"

    async def remove_all(self, session: AsyncSession, kind: LinkKind, user_id: UUID) -> None:
        """Delete a user's unused links of a kind. Other transactions that create or delete them wait until this one ends."""
        await rows.lock_all_for_user(session, kind, user_id)
        await rows.remove_all_for_user(session, kind, user_id)

    async def peek(self, session: AsyncSession, kind: LinkKind, token: str) -> Link | None:
        """Return what a link is for, without consuming it."""
        return await rows.find(session, kind, self._digest(kind, token))

    async def consume(self, session: AsyncSession, kind: LinkKind, token: str) -> Link | None:
        """Consume a link and return what it is for; None if it is not valid, or its role was deleted."""
        link = await rows.consume(session, kind, self._digest(kind, token))
        if link is not None and link.role and await roles.get(session, link.role) is None:
            return None
        return link

    async def consume_of(self, session: AsyncSession, email: str) -> Link | None:
        """Consume the invitation of an address that its owner has confirmed; None if there is none."""
        link = await rows.consume_invitation(session, email)
        return link if link is not None and await roles.get(session, link.role) is not None else None

    def _digest(self, kind: LinkKind, token: str) -> bytes:
        return self._secret_box.digest(_PURPOSE, f"{kind} {token[:200]}")

"""Records audit events: every capability does so in its own transaction."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from rxchat.db.access import audit_log
from rxchat.domain.accounts import ClientInfo
from rxchat.domain.audit_actions import AuditAction
from rxchat.observability import correlation_id


async def record(
    session: AsyncSession, actor_id: UUID | None, action: AuditAction, client_info: ClientInfo, /, **data: Any
) -> None:
    """Append an event to the audit log, with the current transaction.

    `actor_id` is None if the user is unknown, as in a failed sign-in.
    """
    await audit_log.append(session, actor_id, action, client_info.address, correlation_id(), **data)

"""Queries about shares: grants that owners give on their own things."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ARRAY, Text, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import bindparam
from sqlmodel import col

from rxchat.db.access.roles import as_grant
from rxchat.domain.email_addresses import email_spellings
from rxchat.domain.permissions import Grant, ResourceKind
from rxchat.tables import GrantRow

_NAMES = text("SELECT principal, name FROM principal_names(:kind, :id)")
_OF_ADDRESS = text(
    """
    SELECT found.id, found.name FROM unnest(:emails) WITH ORDINALITY AS spelling (email, number)
     CROSS JOIN LATERAL find_user_by_email(spelling.email) AS found
     ORDER BY spelling.number LIMIT 1
    """
).bindparams(bindparam("emails", type_=ARRAY(Text())))


async def find_user_by_email(session: AsyncSession, email: str) -> tuple[UUID, str] | None:
    """Return the user with this address, if the acting user may create collections."""
    row = (await session.execute(_OF_ADDRESS, {"emails": email_spellings(email)})).one_or_none()
    return (row.id, row.name) if row else None


async def grants_of(session: AsyncSession, kind: ResourceKind, resource_id: UUID) -> list[tuple[UUID, Grant]]:
    """Return the grants on one thing that the acting user may see, with their IDs."""
    found = await session.execute(
        select(GrantRow)
        .where(col(GrantRow.resource_kind) == kind, col(GrantRow.resource) == str(resource_id))
        .order_by(col(GrantRow.id))
    )
    return [(row.id, as_grant(row)) for row in found.scalars()]


async def principal_names(session: AsyncSession, kind: ResourceKind, resource_id: UUID) -> dict[str, str]:
    """Return the names of the principals with whom the acting user shares a thing of theirs."""
    found = await session.execute(_NAMES, {"kind": kind.value, "id": resource_id})
    return {row.principal: row.name for row in found}

"""Checks whether a user may use a model, at the moment of use."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from rxchat.db.access import roles as role_rows
from rxchat.domain.authorization import is_allowed
from rxchat.domain.permissions import Action, Resource, ResourceKind


async def may_use_model(session: AsyncSession, owner_id: UUID, model: str) -> bool:
    """Return whether `owner_id` is the acting user and may still use the model."""
    user = await role_rows.get_current_user(session)
    if user is None or user.user_id != owner_id:
        return False
    grants = await role_rows.grants_on(session, ResourceKind.MODEL, [model])
    return is_allowed(user, Action.USE, Resource(ResourceKind.MODEL, model), grants)

"""Use cases for quotas: what users have left, and what administrators set."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from rxchat.db.models import quotas as rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.audit_actions import AuditAction
from rxchat.domain.authorization import require
from rxchat.domain.errors import InvalidInput, NotFound
from rxchat.domain.ids import new_id
from rxchat.domain.permissions import Permission
from rxchat.domain.quotas import (
    MOST_QUOTAS,
    ModelPrice,
    Quota,
    QuotaLimits,
    QuotaPeriod,
    QuotaState,
    QuotaSubject,
    checked_model,
    refusal,
    require_possible,
)
from rxchat.services.access.grants import Grants
from rxchat.services.platform.audit import record


class ModelGate(Protocol):
    """Decides whether a user may ask a model now."""

    async def require_model(self, current_user: CurrentUser, model: str) -> None:
        """Require that the user may ask the model.

        Raises:
            NotAllowed: when the user's role and grants do not allow it.
            QuotaExceeded: when a quota of the user is used up.
        """
        ...


class Quotas:
    """Shows users what they have left of their quotas, and lets administrators set them and the prices of models."""

    def __init__(self, database: Database, grants: Grants, currency: str) -> None:
        self._database = database
        self._grants = grants
        self.currency = currency

    async def require_model(self, current_user: CurrentUser, model: str) -> None:
        """Require that the user may ask the model, and that none of their quotas is used up: before anything is stored.

        Raises:
            NotAllowed: when the user's role and grants do not allow it.
            QuotaExceeded: when a quota of the user is used up.
        """
        await self._grants.require_model(current_user, model)
        if not model:
            return
        require_possible(model)
        used_up = [item for item in await self._states(current_user, model) if item.is_used_up]
        if used_up:
            raise refusal(max(used_up, key=lambda item: item.resets_at), self.currency)

    async def own(self, current_user: CurrentUser) -> list[QuotaState]:
        """Return each limit that holds for the user, and how much of it is used."""
        return await self._states(current_user, None)

    async def _states(self, current_user: CurrentUser, model: str | None) -> list[QuotaState]:
        async with self._database.begin(current_user.user_id) as session:
            return await rows.own_states(session, model)

    async def all(self, current_user: CurrentUser) -> list[Quota]:
        """Return all quotas.

        Raises:
            NotAllowed: without the permission.
        """
        require(current_user, Permission.SYSTEM_QUOTAS)
        async with self._database.begin(current_user.user_id) as session:
            return await rows.all_quotas(session)

    async def add(
        self,
        current_user: CurrentUser,
        subject: QuotaSubject,
        model: str,
        period: QuotaPeriod,
        limits: QuotaLimits,
        client_info: ClientInfo,
    ) -> Quota:
        """Add a quota. It holds at once, and counts what was used since its period began.

        Raises:
            NotAllowed: without the permission.
            InvalidInput: when the user or group does not exist, or there are too many quotas.
        """
        require(current_user, Permission.SYSTEM_QUOTAS)
        if subject.user_id is not None and subject.is_each:
            subject = QuotaSubject(subject.user_id)
        async with self._database.begin(current_user.user_id) as session:
            if await rows.count(session) >= MOST_QUOTAS:
                raise InvalidInput(f"There can be at most {MOST_QUOTAS} quotas.")
            name = await rows.names_of(session, subject)
            if name is None:
                raise InvalidInput("This user or group does not exist any more. Choose another one.", field="subject")
            quota = Quota(new_id(), subject, name, model, period, limits)
            await rows.add(session, quota)
            await self._record(session, current_user, "quota_set", quota, client_info)
        return quota

    async def change(
        self, current_user: CurrentUser, quota_id: UUID, limits: QuotaLimits, client_info: ClientInfo
    ) -> Quota:
        """Change the limits of a quota; what is used of it stays.

        Raises:
            NotAllowed: without the permission.
            NotFound: when the quota does not exist.
        """
        require(current_user, Permission.SYSTEM_QUOTAS)
        async with self._database.begin(current_user.user_id) as session:
            if not await rows.change(session, quota_id, limits):
                raise NotFound
            quota = await rows.get(session, quota_id)
            if quota is None:
                raise NotFound
            await self._record(session, current_user, "quota_changed", quota, client_info)
        return quota

    async def delete(self, current_user: CurrentUser, quota_id: UUID, client_info: ClientInfo) -> None:
        """Delete a quota.

        Raises:
            NotAllowed: without the permission.
            NotFound: when the quota does not exist.
        """
        require(current_user, Permission.SYSTEM_QUOTAS)
        async with self._database.begin(current_user.user_id) as session:
            quota = await rows.get(session, quota_id)
            if quota is None or not await rows.remove(session, quota_id):
                raise NotFound
            await self._record(session, current_user, "quota_deleted", quota, client_info)

    async def prices(self, current_user: CurrentUser) -> list[ModelPrice]:
        """Return what models cost.

        Raises:
            NotAllowed: without the permission.
        """
        require(current_user, Permission.SYSTEM_QUOTAS)
        async with self._database.begin(current_user.user_id) as session:
            return await rows.prices(session)

    async def set_price(self, current_user: CurrentUser, price: ModelPrice, client_info: ClientInfo) -> None:
        """Set what a model costs from now on; what was asked before keeps its cost.

        Raises:
            NotAllowed: without the permission.
        """
        require(current_user, Permission.SYSTEM_QUOTAS)
        async with self._database.begin(current_user.user_id) as session:
            await rows.set_price(session, price)
            said = {"input_price": str(price.input_price), "output_price": str(price.output_price)}
            await record(session, current_user.user_id, "price_set", client_info, model=price.model, **said)

    async def delete_price(self, current_user: CurrentUser, model: str, client_info: ClientInfo) -> None:
        """Delete the price of a model, which costs nothing from now on.

        Raises:
            NotAllowed: without the permission.
            InvalidInput: when no model has such a name.
            NotFound: when the model has none.
        """
        require(current_user, Permission.SYSTEM_QUOTAS)
        model = checked_model(model)
        async with self._database.begin(current_user.user_id) as session:
            if not await rows.remove_price(session, model):
                raise NotFound
            await record(session, current_user.user_id, "price_deleted", client_info, model=model)

    async def _record(
        self, session: rows.AsyncSession, current_user: CurrentUser, action: AuditAction, quota: Quota,
        client_info: ClientInfo,
    ) -> None:  # fmt: skip
        subject, limits = quota.subject, quota.limits
        kind = "user" if subject.user_id else "group" if subject.group_id else "everyone"
        await record(
            session, current_user.user_id, action, client_info, subject_kind=kind, subject=quota.name,
            is_each=subject.is_each, model=quota.model, period=quota.period.value, requests=limits.requests,
            tokens=limits.tokens, cost=None if limits.cost is None else str(limits.cost),
        )  # fmt: skip

"""Deletion of the user's own account, after a grace period in which it can be canceled."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from rxchat.db.accounts import accounts as rows
from rxchat.db.accounts import sessions as session_rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.errors import Conflict, LastAdministrator
from rxchat.services.accounts.sign_in import SignIn
from rxchat.services.platform.access_invalidator import AccessInvalidator
from rxchat.services.platform.audit import record

_GRACE = timedelta(days=7)


class AccountDeletion:
    """Use cases for deleting the user's own account."""

    def __init__(
        self, database: Database, sign_in: SignIn, access_invalidator: AccessInvalidator, *, grace: timedelta = _GRACE
    ) -> None:
        self._database = database
        self._sign_in = sign_in
        self._access_invalidator = access_invalidator
        self.grace = grace

    async def schedule(self, current_user: CurrentUser, password: str, client_info: ClientInfo) -> datetime:
        """Schedule the deletion of the user's account, and return its time.

        Raises:
            NotAllowed: when the password is wrong.
            LastAdministrator: when no administrator would remain.
        """
        await self._sign_in.reauthenticate(current_user, password, client_info)
        await self._require_own_decision(current_user)
        at = datetime.now(UTC) + self.grace
        async with self._database.begin(current_user.user_id) as session:
            await rows.lock_administrators(session)
            await rows.require_reauthenticated(session, current_user)
            if current_user.role == "admin" and await rows.is_last_administrator(session, current_user.user_id):
                raise LastAdministrator
            await rows.set_deletion(session, current_user.user_id, at)
            await session_rows.end(
                session, current_user.user_id, but=current_user.session_id, reason="account to be deleted"
            )
            await session_rows.revoke_keys(session, current_user.user_id)
            await record(session, current_user.user_id, "deletion_requested", client_info)
        self._access_invalidator.changed(current_user.user_id)
        return at

    async def cancel(self, current_user: CurrentUser, client_info: ClientInfo) -> None:
        """Cancel the deletion.

        Raises:
            Conflict: when an administrator has scheduled it.
        """
        await self._require_own_decision(current_user)
        async with self._database.begin(current_user.user_id) as session:
            await rows.set_deletion(session, current_user.user_id, None)
            await record(session, current_user.user_id, "deletion_withdrawn", client_info)

    async def _require_own_decision(self, current_user: CurrentUser) -> None:
        async with self._database.begin(current_user.user_id) as session:
            user = await rows.get_own(session, current_user.user_id)
        if user is not None and user.deletion_by is not None:
            raise Conflict("An administrator has scheduled the deletion of this account. Ask them to cancel it.")

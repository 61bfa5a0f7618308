"""The installation's own rules: administrators change them while it runs, the settings say how they begin."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from rxchat.db.access import roles as role_rows
from rxchat.db.platform import instance_settings as rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import GUEST, MEMBER, ClientInfo, CurrentUser, RegistrationMode, SecondFactorPolicy
from rxchat.domain.errors import InvalidInput, NotAllowed
from rxchat.domain.permissions import Action, Permission, Resource, ResourceKind, is_allowed, require
from rxchat.services.platform.audit import record
from rxchat.services.platform.change_feeds import AccessInvalidator


@dataclass(frozen=True, slots=True)
class AccountPolicies:
    """What holds for everybody here."""

    registration: RegistrationMode = RegistrationMode.INVITATION
    second_factor: SecondFactorPolicy = SecondFactorPolicy.ADMINS
    default_role: str = MEMBER
    """The role of whoever makes an account without an invitation."""


class InstanceSettings:
    """Reads the rules, remembers them until they change, and changes them."""

    def __init__(self, database: Database, access_invalidator: AccessInvalidator, initial: AccountPolicies) -> None:
        """Know where they are kept, and how they begin."""
        self._database = database
        self._access_invalidator = access_invalidator
        self._initial = initial
        self._known: AccountPolicies | None = None
        self._changes = 0
        access_invalidator.on_change(self._forget)

    def _forget(self, user_id: object) -> None:
        if user_id is None:
            self._known = None
            self._changes += 1

    async def current(self) -> AccountPolicies:
        """Return the rules as they are now."""
        if self._known is not None and self._access_invalidator.is_up_to_date:
            return self._known
        changes = self._changes
        async with self._database.begin(None) as session:
            stored = await rows.all_settings(session)
        rules = _merged(self._initial, stored)
        if changes == self._changes:
            # Else something changed while this was read, and what was read may be from before.
            self._known = rules
        return rules

    async def change(self, current_user: CurrentUser, client_info: ClientInfo, **values: str) -> AccountPolicies:
        """Change rules by name, and return all of them.

        Raises:
            NotAllowed: without the permission to manage settings, or a grant on the very rule.
            InvalidInput: when a value is none of those that can be chosen.
        """
        before = await self.current()
        after = _checked(before, values)
        async with self._database.begin(current_user.user_id) as session:
            grants = await role_rows.grants_on(session, ResourceKind.SETTINGS, list(values))
            for name in values:
                if not is_allowed(current_user, Action.WRITE, Resource(ResourceKind.SETTINGS, name), grants):
                    # The sentence says what is missing.
                    require(current_user, Permission.SETTINGS_MANAGE)
                    raise NotAllowed
            for name, value in values.items():
                await rows.set_setting(session, name, value)
            await record(session, current_user.user_id, "settings_changed", client_info, changes=values)
        self._forget(None)
        return after


def _merged(rules: AccountPolicies, stored: dict[str, Any]) -> AccountPolicies:
    try:
        return _checked(rules, {name: str(value) for name, value in stored.items()})
    except InvalidInput:
        # A row from a newer or older version: what the operator set holds instead.
        return rules


def _checked(rules: AccountPolicies, values: dict[str, str]) -> AccountPolicies:
    for name, value in values.items():
        try:
            match name:
                case "registration":
                    rules = replace(rules, registration=RegistrationMode(value))
                case "second_factor":
                    rules = replace(rules, second_factor=SecondFactorPolicy(value))
                case "default_role" if value in {MEMBER, GUEST}:
                    rules = replace(rules, default_role=value)
                case _:
                    raise InvalidInput("There is no such rule.")
        except ValueError as error:
            raise InvalidInput(f"“{value}” cannot be chosen here.") from error
    return rules

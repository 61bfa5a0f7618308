"""Instance settings that administrators change at runtime; environment variables have the initial values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from rxchat.db.access import roles as role_rows
from rxchat.db.platform import instance_settings as rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import GUEST, MEMBER, ClientInfo, CurrentUser, RegistrationMode, SecondFactorPolicy
from rxchat.domain.authorization import is_allowed, require
from rxchat.domain.errors import InvalidInput, NotAllowed
from rxchat.domain.permissions import Action, Permission, Resource, ResourceKind
from rxchat.services.platform.access_invalidator import AccessInvalidator
from rxchat.services.platform.audit import record


@dataclass(frozen=True, slots=True)
class AccountPolicies:
    """The settings for all accounts."""

    registration: RegistrationMode = RegistrationMode.INVITATION
    second_factor: SecondFactorPolicy = SecondFactorPolicy.ADMINS
    default_role: str = MEMBER
    """The role of users who register without an invitation."""


class InstanceSettings:
    """Reads the settings, caches them until they change, and changes them."""

    def __init__(self, database: Database, access_invalidator: AccessInvalidator, initial: AccountPolicies) -> None:
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
        """Return the current settings."""
        if self._known is not None and self._access_invalidator.is_up_to_date:
            return self._known
        changes = self._changes
        async with self._database.begin(None) as session:
            stored = await rows.all_settings(session)
        rules = _merged(self._initial, stored)
        if changes == self._changes:
            # Otherwise a setting changed during the read, and the result may be outdated.
            self._known = rules
        return rules

    async def change(self, current_user: CurrentUser, client_info: ClientInfo, **values: str) -> AccountPolicies:
        """Change settings by name, and return all of them.

        Raises:
            NotAllowed: without the permission to manage settings, or a grant for this setting.
            InvalidInput: when a value is not one of the choices.
        """
        before = await self.current()
        after = _checked(before, values)
        async with self._database.begin(current_user.user_id) as session:
            grants = await role_rows.grants_on(session, ResourceKind.SETTINGS, list(values))
            for name in values:
                if not is_allowed(current_user, Action.WRITE, Resource(ResourceKind.SETTINGS, name), grants):
                    # Raises with a message about the missing permission.
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
        # A row of another version: use the operator's value.
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
                    raise InvalidInput("This setting does not exist.")
        except ValueError as error:
            raise InvalidInput(f"“{value}” is not a valid value.") from error
    return rules

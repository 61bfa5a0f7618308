"""The page of settings for registration and two-factor authentication."""

from __future__ import annotations

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.authorization import require
from rxchat.domain.errors import InvalidInput
from rxchat.domain.permissions import Permission
from rxchat.services.app import container
from rxchat.services.platform.instance_settings import AccountPolicies
from rxchat.states.access.admin import AdminPage, administering
from rxchat.states.platform.request_context import client_info_of


class RegistrationState(AdminPage, rx.State):
    """The settings, and the last change."""

    registration: str = ""
    second_factor: str = ""
    default_role: str = ""
    changed: str = ""
    """The setting that was just changed, and can be changed back."""
    at_fault: str = ""
    """The setting that could not be changed; the problem is shown beside it."""
    answers: int = 0
    """A counter of responses, so that the page shows the current values again."""
    _before: str = ""

    @rx.event
    @administering
    async def load(self, current_user: CurrentUser) -> None:
        """Show the settings."""
        self.reset()
        require(current_user, Permission.SETTINGS_MANAGE)
        self._show(await container.get_services().platform.instance_settings.current())
        self.loaded = True

    def _show(self, rules: AccountPolicies) -> None:
        self.registration = rules.registration.value
        self.second_factor = rules.second_factor.value
        self.default_role = rules.default_role

    @rx.event
    @administering
    async def choose(self, current_user: CurrentUser, rule: str, value: str) -> None:
        """Change a setting, effective immediately."""
        self.answers += 1
        before = {
            "registration": self.registration,
            "second_factor": self.second_factor,
            "default_role": self.default_role,
        }
        if rule not in before:
            raise InvalidInput("This setting does not exist.")
        self.at_fault, self.changed = rule, ""
        self._show(
            await container.get_services().platform.instance_settings.change(
                current_user, client_info_of(self), **{rule: value}
            )
        )
        self.changed, self._before, self.problem = rule, before[rule], ""

    @rx.event
    @administering
    async def undo(self, current_user: CurrentUser) -> None:
        """Undo the last change."""
        if not self.changed or not self._before:
            return
        self.at_fault = self.changed
        self._show(
            await container.get_services().platform.instance_settings.change(
                current_user, client_info_of(self), **{self.changed: self._before}
            )
        )
        self.changed, self.problem = "", ""

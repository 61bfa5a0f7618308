"""The installation's own rules: who can make an account, and who needs a second factor."""

from __future__ import annotations

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.errors import InvalidInput
from rxchat.domain.permissions import Permission, require
from rxchat.services.app import container
from rxchat.services.platform.instance_settings import AccountPolicies
from rxchat.states.access.admin import AdminPage, administering
from rxchat.states.platform.request_context import client_info_of


class RegistrationState(AdminPage, rx.State):
    """The rules as they are, and the one that was just changed."""

    registration: str = ""
    second_factor: str = ""
    default_role: str = ""
    changed: str = ""
    """Which rule was changed a moment ago, and can be changed back."""
    at_fault: str = ""
    """Which rule could not be changed; the problem stands beside it."""
    answers: int = 0
    """How many choices were answered, so that the page shows again what holds."""
    _before: str = ""

    @rx.event
    @administering
    async def load(self, current_user: CurrentUser) -> None:
        """Show the rules."""
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
        """Change a rule; it holds at once."""
        self.answers += 1
        before = {
            "registration": self.registration,
            "second_factor": self.second_factor,
            "default_role": self.default_role,
        }
        if rule not in before:
            raise InvalidInput("There is no such rule.")
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
        """Change the last rule back."""
        if not self.changed or not self._before:
            return
        self.at_fault = self.changed
        self._show(
            await container.get_services().platform.instance_settings.change(
                current_user, client_info_of(self), **{self.changed: self._before}
            )
        )
        self.changed, self.problem = "", ""

"""The account pages: profile, sign-in, sessions and API keys.

Secrets (the secret of an authenticator app, recovery codes, API keys) never pass this state: the page gets them over
HTTP and shows them once.
"""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.devices import device_name
from rxchat.domain.errors import InvalidInput
from rxchat.domain.ids import parse_id
from rxchat.domain.permissions import Permission
from rxchat.services.app import container
from rxchat.states.app.account_views import (
    ConversationAccessView,
    KeyView,
    PasskeyView,
    Profile,
    ProviderView,
    ScopeChoice,
    SessionView,
    key_row,
    profile_of,
    provider_rows,
    reading_row,
    scope_choices,
    session_rows,
)
from rxchat.states.chat.sidebar import SidebarState
from rxchat.states.platform.auth_guard import requires_user
from rxchat.states.platform.current_user import CurrentUserState
from rxchat.states.platform.dialogs import DialogState, show_problem, text_in
from rxchat.states.platform.field_views import milliseconds
from rxchat.states.platform.request_context import client_info_of

RENAME_FORM = 1
"""The number by which the form for the name recognizes its answer, as dialogs do by theirs."""

mine = partial(requires_user, enrolling=True, refuse=show_problem)
"""The guard of handlers that are open to users who still have to set up a second factor."""
complete = partial(requires_user, refuse=show_problem)
"""The guard of all other handlers."""


class AccountState(DialogState, rx.State):
    """The user's own account, as the pages under /account show it."""

    ready: bool = False
    profile: Profile = Profile()
    providers: list[ProviderView] = []
    passkeys: list[PasskeyView] = []
    this_device: str = ""
    has_app: bool = False
    codes_left: int = 0
    sessions: list[SessionView] = []
    keys: list[KeyView] = []
    may_create_keys: bool = False
    scopes: list[ScopeChoice] = []
    grace_days: int = 0
    confirmed_until: int = 0
    """Until when an authenticator app can be set up without the password, in milliseconds since 1970."""
    has_other_sessions: bool = False
    has_new_readings: bool = False
    readings: list[ConversationAccessView] = []
    """Access by administrators of the user's conversations."""

    @rx.event
    @mine
    async def open(self, current_user: CurrentUser) -> Any:
        """Show the current account; after the second factor was set up, also the rest of the page."""
        self.done_dialog = 0
        was_waiting = (await self.get_state(CurrentUserState)).must_enrol
        await self._show(current_user)
        return SidebarState.load if was_waiting and not current_user.must_enrol else None

    async def _show(self, current_user: CurrentUser) -> None:
        services = container.get_services()
        self.profile = profile_of(await services.app.profiles.get(current_user))
        self.providers = provider_rows(
            services.accounts.external_login.providers, await services.accounts.external_login.mine(current_user)
        )
        status = await services.accounts.second_factors.status(current_user)
        self.passkeys = [PasskeyView(str(identifier), name) for identifier, name in status.passkeys]
        self.this_device = device_name(client_info_of(self).user_agent)
        self.has_app = status.has_totp
        self.codes_left = status.recovery_codes_left
        self.sessions = session_rows(await services.accounts.sessions.mine(current_user))
        self.has_other_sessions = not all(item.is_this for item in self.sessions)
        confirmed = await services.accounts.sign_in.confirmed_until(current_user)
        self.confirmed_until = milliseconds(confirmed)
        self.keys = [key_row(item) for item in await services.accounts.api_credentials.keys(current_user)]
        self.may_create_keys = Permission.KEYS_CREATE in current_user.permissions and not current_user.must_enrol
        self.scopes = scope_choices(current_user)
        self.readings = [reading_row(item) for item in await services.app.profiles.readings(current_user)]
        self.has_new_readings = any(item.is_new for item in self.readings)
        self.grace_days = services.app.account_deletion.grace.days
        self._done()
        self.ready = True
        (await self.get_state(CurrentUserState))._look_at(current_user)

    @rx.event
    @complete
    async def rename(self, current_user: CurrentUser, form: dict) -> None:
        """Change the user's name."""
        name = await container.get_services().app.profiles.rename(current_user, text_in(form, "name"))
        self.profile.name = name
        self._done(form)
        (await self.get_state(CurrentUserState)).name = name

    @rx.event
    @mine
    async def end_session(self, current_user: CurrentUser, session_id: str) -> None:
        """End one of the user's sign-ins."""
        await container.get_services().accounts.sessions.end(current_user, _id(session_id), client_info_of(self))
        await self._show(current_user)

    @rx.event
    @mine
    async def end_others(self, current_user: CurrentUser) -> None:
        """End all of the user's sign-ins but this one."""
        await container.get_services().accounts.sessions.end_others(current_user, client_info_of(self))
        await self._show(current_user)

    @rx.event
    @complete
    async def revoke_key(self, current_user: CurrentUser, form: dict) -> None:
        """Revoke the API key with the form's id permanently."""
        await container.get_services().accounts.api_credentials.revoke_key(
            current_user, _id(text_in(form, "id")), client_info_of(self)
        )
        await self._show(current_user)
        self._done(form)

    @rx.event
    @complete
    async def see_readings(self, current_user: CurrentUser) -> None:
        """Note that the user has seen the access by administrators."""
        await container.get_services().app.profiles.mark_readings_seen(current_user)
        (await self.get_state(CurrentUserState)).readings = ""

    @rx.event
    @complete
    async def keep(self, current_user: CurrentUser) -> None:
        """Cancel the deletion."""
        await container.get_services().app.account_deletion.cancel(current_user, client_info_of(self))
        await self._show(current_user)


def _id(value: str) -> UUID:
    identifier = parse_id(value)
    if identifier is None:
        raise InvalidInput("This no longer exists. Reload the page.")
    return identifier

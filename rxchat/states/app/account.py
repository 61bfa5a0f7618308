"""One's own account: who one is here, how one signs in, where one is signed in, and what programs may do in one's name.

What is secret when it is made (a code's secret, recovery codes, a key's words) never passes here: the page gets it over
HTTP, shows it once and forgets it.
"""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

import reflex as rx

from rxchat.domain.accounts import Viewer
from rxchat.domain.errors import InvalidInput, RxChatError
from rxchat.domain.ids import parse_id
from rxchat.domain.permissions import Permission
from rxchat.services.app import container
from rxchat.states.app.account_views import (
    KeyRow,
    PasskeyRow,
    Profile,
    ProviderRow,
    ReadingRow,
    ScopeChoice,
    SessionRow,
    key_row,
    profile_of,
    provider_rows,
    reading_row,
    scope_choices,
    session_row,
)
from rxchat.states.chat.sidebar import SidebarState
from rxchat.states.platform.auth_guard import requires_user
from rxchat.states.platform.current_user import ViewerState
from rxchat.states.platform.request_context import caller_of


def _say(state: AccountState, error: RxChatError, _given: dict[str, Any]) -> bool:
    """Say on the page itself what did not work."""
    state.problem = error.message
    return True


mine = partial(requires_user, enrolling=True, refuse=_say)
"""The lock of these handlers: who has to set up a second factor first does that here."""
complete = partial(requires_user, refuse=_say)
"""The lock of the others."""


class AccountState(rx.State):
    """The person's own account, as the pages under /account show it."""

    ready: bool = False
    problem: str = ""
    profile: Profile = Profile()
    providers: list[ProviderRow] = []
    passkeys: list[PasskeyRow] = []
    has_app: bool = False
    codes_left: int = 0
    sessions: list[SessionRow] = []
    keys: list[KeyRow] = []
    may_create_keys: bool = False
    scopes: list[ScopeChoice] = []
    grace_days: int = 0
    readings: list[ReadingRow] = []
    """What administrators have read of the person's conversations."""

    @rx.event
    @mine
    async def open(self, viewer: Viewer) -> Any:
        """Show everything as it is now; once the second factor that was missing is there, the rest of the page, too."""
        was_waiting = (await self.get_state(ViewerState)).must_enrol
        await self._show(viewer)
        return SidebarState.load if was_waiting and not viewer.must_enrol else None

    async def _show(self, viewer: Viewer) -> None:
        services = container.get_services()
        self.profile = profile_of(await services.my_data.profile(viewer))
        self.providers = provider_rows(services.federation.providers, await services.federation.mine(viewer))
        status = await services.second_factors.status(viewer)
        self.passkeys = [PasskeyRow(str(identifier), name) for identifier, name in status.passkeys]
        self.has_app = status.has_totp
        self.codes_left = status.recovery_codes_left
        self.sessions = [session_row(item) for item in await services.sessions.mine(viewer)]
        self.keys = [key_row(item) for item in await services.programs.keys(viewer)]
        self.may_create_keys = Permission.KEYS_CREATE in viewer.permissions and not viewer.must_enrol
        self.scopes = scope_choices(viewer)
        self.readings = [reading_row(item) for item in await services.my_data.readings(viewer)]
        self.grace_days = services.my_data.grace.days
        self.problem = ""
        self.ready = True
        (await self.get_state(ViewerState))._look_at(viewer)

    @rx.event
    @complete
    async def rename(self, viewer: Viewer, name: str) -> None:
        """Change what the person is called."""
        name = await container.get_services().my_data.rename(viewer, name)
        self.profile.name = name
        self.problem = ""
        (await self.get_state(ViewerState)).name = name

    @rx.event
    @mine
    async def end_session(self, viewer: Viewer, session_id: str) -> None:
        """End one of the person's sign-ins."""
        await container.get_services().sessions.end(viewer, _id(session_id), caller_of(self))
        await self._show(viewer)

    @rx.event
    @mine
    async def end_others(self, viewer: Viewer) -> None:
        """End all of the person's sign-ins but this one."""
        await container.get_services().sessions.end_others(viewer, caller_of(self))
        await self._show(viewer)

    @rx.event
    @complete
    async def revoke_key(self, viewer: Viewer, key_id: str) -> None:
        """Revoke an API key for good."""
        await container.get_services().programs.revoke_key(viewer, _id(key_id), caller_of(self))
        await self._show(viewer)

    @rx.event
    @complete
    async def see_readings(self, viewer: Viewer) -> None:
        """Note that the person has been told what was read."""
        await container.get_services().my_data.see_readings(viewer)
        (await self.get_state(ViewerState)).readings = ""

    @rx.event
    @complete
    async def keep(self, viewer: Viewer) -> None:
        """Keep the account after all."""
        await container.get_services().my_data.keep_account(viewer, caller_of(self))
        await self._show(viewer)


def _id(value: str) -> UUID:
    identifier = parse_id(value)
    if identifier is None:
        raise InvalidInput("This is not there any more. Please reload the page.")
    return identifier

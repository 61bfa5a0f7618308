"""Which administration pages show something to whom."""

from __future__ import annotations

import pytest
import reflex as rx

from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.services.app.container import Services
from rxchat.states.access.audit_log import AuditState
from rxchat.states.access.feedback import FeedbackState
from rxchat.states.access.grants import AccessState
from rxchat.states.access.groups import GroupsState
from rxchat.states.access.hosts import HostsState
from rxchat.states.access.models import ModelsState
from rxchat.states.access.providers import ProvidersState
from rxchat.states.access.quotas import QuotasState
from rxchat.states.access.registration import RegistrationState
from rxchat.states.access.roles import RolesState
from rxchat.states.access.system import SystemState
from rxchat.states.access.usage import UsageState
from rxchat.states.access.users import UsersState
from rxchat.states.platform.current_user import CurrentUserState
from tests.factories import add_user, signed_in_as
from tests.tab import open_tab

pytestmark = [pytest.mark.anyio, pytest.mark.without_engine]

NOT_ALLOWED = "You are not allowed to do this."
CALLER = ClientInfo("127.0.0.1", "a browser")
PAGES: tuple[type[rx.State], ...] = (
    UsersState, GroupsState, RolesState, AccessState, RegistrationState, AuditState, FeedbackState,
    ProvidersState, HostsState, ModelsState, QuotasState, UsageState, SystemState,
)  # fmt: skip


async def test_an_administrator_opens_every_page(
    services: Services, ada: CurrentUser, subtests: pytest.Subtests
) -> None:
    for state in PAGES:
        with subtests.test(state=state.__name__):
            async with open_tab(await signed_in_as(services, ada)) as tab:
                await tab.do(CurrentUserState, "enter")
                await tab.do(state, "load")
                assert (tab.shown(state, "loaded"), tab.shown(state, "problem")) == (True, "")
                assert [section.label for section in tab.shown(CurrentUserState, "sections")] == [
                    "Users", "Groups", "Roles", "Access", "Registration", "Providers", "Hosts", "Models", "Quotas", "Usage", "Feedback", "System", "Audit",
                ]  # fmt: skip


async def test_a_member_is_shown_nothing_of_any_page(
    services: Services, ada: CurrentUser, grace: CurrentUser, subtests: pytest.Subtests
) -> None:
    for state in PAGES:
        with subtests.test(state=state.__name__):
            async with open_tab(await signed_in_as(services, grace)) as tab:
                tab.frames.clear()
                await tab.do(CurrentUserState, "enter")
                await tab.do(state, "load")
                assert (tab.shown(state, "loaded"), tab.shown(state, "problem")) == (False, NOT_ALLOWED)
                assert tab.shown(CurrentUserState, "admin_home") == "" and tab.shown(CurrentUserState, "sections") == []
                assert ada.email not in repr(tab.frames)


async def test_a_moderator_opens_what_moderators_may(services: Services, owner_url: str) -> None:
    moderator = add_user(owner_url, "Mo", "moderator")
    async with open_tab(await signed_in_as(services, moderator)) as tab:
        for state in PAGES:
            await tab.do(state, "load")
        shown = {state.__name__: tab.shown(state, "loaded") for state in PAGES}
        assert shown == {
            "UsersState": True, "GroupsState": True, "RolesState": True,
            "AccessState": False, "RegistrationState": False, "AuditState": True, "FeedbackState": False,
            "ProvidersState": False, "HostsState": False, "ModelsState": False, "QuotasState": False, "UsageState": False, "SystemState": False,
        }  # fmt: skip
        assert not tab.shown(UsersState, "knows_more")
        assert {line.second_factor for line in tab.shown(UsersState, "users")} == {""}
        assert "admin" not in {choice.value for choice in tab.shown(UsersState, "giveable")}


async def test_whoever_lacks_a_second_factor_is_told_so(services: Services, ada: CurrentUser) -> None:
    await services.platform.instance_settings.change(ada, CALLER, second_factor="admins")
    async with open_tab(await signed_in_as(services, ada)) as tab:
        await tab.do(CurrentUserState, "enter")
        for state in PAGES:
            await tab.do(state, "load")
            assert "two-factor authentication" in tab.shown(state, "problem") and not tab.shown(state, "loaded")
        assert tab.shown(CurrentUserState, "needs_second_factor")
        assert tab.shown(CurrentUserState, "admin_home") == "/admin/users"
        assert tab.shown(CurrentUserState, "permissions") == []

"""One's own account as a tab is shown it: all of it, and nothing that is secret or somebody else's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pyotp.totp import TOTP

from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.ids import new_id
from rxchat.services.app.container import Services
from rxchat.states.app.account import AccountState
from rxchat.states.chat.sidebar import SidebarState
from rxchat.states.chat.thread import ThreadState
from rxchat.states.platform.current_user import CurrentUserState
from tests.factories import add_user, signed_in_as
from tests.tab import Tab, open_tab

pytestmark = [pytest.mark.anyio, pytest.mark.without_engine]

HERE = ClientInfo("127.0.0.1", "a browser")


def shown(tab: Tab, name: str) -> Any:
    """A var of the account as the page gets it."""
    return tab.shown(AccountState, name)


async def opened(tab: Tab) -> Tab:
    """Open the page."""
    await tab.send_event(AccountState, "open")
    await tab.until(lambda: shown(tab, "ready"))
    return tab


async def everybody_needs_a_second_factor(services: Services, owner_url: str) -> None:
    """Have an administrator say so."""
    admin = add_user(owner_url, "Root", "admin")
    await services.platform.instance_settings.change(admin, HERE, second_factor="everybody")


async def test_the_page_shows_all_of_the_account(services: Services, current_user: CurrentUser) -> None:
    await services.accounts.api_credentials.create_key(
        current_user, name="A script", scopes=["read"], days=30, client_info=HERE
    )
    async with open_tab(await signed_in_as(services, current_user)) as tab:
        await opened(tab)
        profile = shown(tab, "profile")
        assert (profile.name, profile.email, profile.role) == (current_user.name, current_user.email, "member")
        assert not profile.has_password and profile.deletion_at == 0
        assert [(key.name, key.scopes) for key in shown(tab, "keys")] == [("A script", ["read"])]
        assert [session.is_this for session in shown(tab, "sessions")] == [True]
        assert [scope.name for scope in shown(tab, "scopes")] == ["read", "chat", "files"]
        assert shown(tab, "may_create_keys") and shown(tab, "grace_days") == 7
        assert tab.shown(CurrentUserState, "name") == current_user.name


async def test_a_guest_makes_no_keys_and_only_an_administrator_makes_keys_that_administer(
    services: Services, owner_url: str
) -> None:
    for role, may, scopes in (("guest", False, 3), ("admin", True, 4)):
        cookie = await signed_in_as(services, add_user(owner_url, role=role))
        async with open_tab(cookie) as tab:
            await opened(tab)
            assert (shown(tab, "may_create_keys"), len(shown(tab, "scopes"))) == (may, scopes)


async def test_nothing_that_is_secret_comes_over_the_socket(services: Services, current_user: CurrentUser) -> None:
    _, words = await services.accounts.api_credentials.create_key(
        current_user, name="A script", scopes=["read"], days=None, client_info=HERE
    )
    offer = await services.accounts.second_factors.begin_totp(current_user)
    codes = await services.accounts.second_factors.confirm_totp(current_user, TOTP(offer.secret).now(), HERE)
    async with open_tab(await signed_in_as(services, current_user, second_factor=True)) as tab:
        await opened(tab)
        assert shown(tab, "has_app") and shown(tab, "codes_left") == 10
        sent = json.dumps(tab.frames)
    assert words not in sent and offer.secret not in sent
    assert not [code for code in codes if code in sent or code.replace("-", "") in sent]


async def test_a_name_is_changed_or_refused_with_a_sentence(services: Services, current_user: CurrentUser) -> None:
    async with open_tab(await signed_in_as(services, current_user)) as tab:
        await opened(tab)
        await tab.send_event(AccountState, "rename", form={"name": "  Ada   Byron ", "dialog": "1"})
        await tab.until(lambda: tab.shown(CurrentUserState, "name") == "Ada Byron")
        assert (shown(tab, "profile").name, shown(tab, "done_dialog")) == ("Ada Byron", 1)
        await tab.send_event(AccountState, "rename", form={"name": " ", "dialog": "1"})
        await tab.until(lambda: shown(tab, "problem"))
        assert "name" in shown(tab, "problem") and not tab.redirects
        assert (shown(tab, "problem_dialog"), shown(tab, "profile").name) == (1, "Ada Byron")


async def test_sessions_and_keys_of_ones_own_end_and_nobody_elses(
    services: Services, current_user: CurrentUser, owner_url: str
) -> None:
    stranger = add_user(owner_url, "Eve")
    theirs = await services.accounts.sessions.open(stranger.user_id, HERE, method="password", second_factor=False)
    their_key, _ = await services.accounts.api_credentials.create_key(
        stranger, name="Hers", scopes=["read"], days=None, client_info=HERE
    )
    await signed_in_as(services, current_user)
    await services.accounts.api_credentials.create_key(
        current_user, name="Mine", scopes=["read"], days=None, client_info=HERE
    )
    async with open_tab(await signed_in_as(services, current_user)) as tab:
        await opened(tab)
        for handler, payload in (
            ("end_session", {"session_id": str(theirs.session_id)}),
            ("revoke_key", {"form": {"id": str(their_key.id), "dialog": "7"}}),
            ("end_session", {"session_id": str(new_id())}),
            ("revoke_key", {"form": {"id": "nonsense"}}),
            ("revoke_key", {"form": {}}),
        ):
            await tab.send_event(AccountState, "open")
            await tab.until(lambda: not shown(tab, "problem"))
            await tab.send_event(AccountState, handler, **payload)
            await tab.until(lambda: shown(tab, "problem"))
        mine = next(item for item in shown(tab, "sessions") if not item.is_this)
        await tab.send_event(AccountState, "end_session", session_id=mine.id)
        await tab.send_event(AccountState, "revoke_key", form={"id": shown(tab, "keys")[0].id, "dialog": "8"})
        await tab.until(lambda: len(shown(tab, "sessions")) == 1 and not shown(tab, "keys"))
    assert len(await services.accounts.sessions.mine(stranger)) == 1
    assert len(await services.accounts.api_credentials.keys(stranger)) == 1


async def test_all_others_end_and_this_one_stays(services: Services, current_user: CurrentUser) -> None:
    for _ in range(3):
        await signed_in_as(services, current_user)
    async with open_tab(await signed_in_as(services, current_user)) as tab:
        await opened(tab)
        assert len(shown(tab, "sessions")) == 4
        await tab.send_event(AccountState, "end_others")
        await tab.until(lambda: [item.is_this for item in shown(tab, "sessions")] == [True])


async def test_an_account_that_waits_for_its_end_is_kept(services: Services, current_user: CurrentUser) -> None:
    cookie = await signed_in_as(services, current_user)
    behind = await services.accounts.sessions.current_user(cookie)
    await services.app.account_deletion.schedule(behind, "", HERE)
    async with open_tab(cookie) as tab:
        await opened(tab)
        assert shown(tab, "profile").deletion_at > 0
        await tab.send_event(AccountState, "keep")
        await tab.until(lambda: shown(tab, "profile").deletion_at == 0)


async def test_who_must_set_up_a_second_factor_is_led_there_and_can(
    services: Services, current_user: CurrentUser, owner_url: str
) -> None:
    await everybody_needs_a_second_factor(services, owner_url)
    cookie = await signed_in_as(services, current_user)
    async with open_tab(cookie) as tab:
        await tab.send_event(ThreadState, "open")
        await tab.until(lambda: tab.redirects)
        assert tab.redirects == ["/account/security"] and tab.patches == []
        await tab.send_event(CurrentUserState, "enter")
        await opened(tab)
        assert tab.shown(CurrentUserState, "must_enrol") and not shown(tab, "may_create_keys")
        behind = await services.accounts.sessions.current_user(cookie, enrolling=True)
        offer = await services.accounts.second_factors.begin_totp(behind)
        await services.accounts.second_factors.confirm_totp(behind, TOTP(offer.secret).now(), HERE)
        await tab.send_event(AccountState, "open")
        await tab.until(lambda: not tab.shown(CurrentUserState, "must_enrol"))
        await tab.until(lambda: tab.shown(SidebarState, "loaded"))
        assert tab.redirects == ["/account/security"]


async def test_on_the_account_page_nothing_leads_away_from_it(
    services: Services, current_user: CurrentUser, owner_url: str
) -> None:
    await everybody_needs_a_second_factor(services, owner_url)
    async with open_tab(await signed_in_as(services, current_user)) as tab:
        tab.path = "/account/security"
        await tab.send_event(SidebarState, "load")
        await opened(tab)
        assert tab.redirects == [] and not tab.shown(SidebarState, "loaded")

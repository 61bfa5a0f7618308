"""Accounts that administrators delete, and conversations that they read: with a grace time, audited, and told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.errors import Conflict, LastAdministrator, NotAllowed, NotFound, NotSignedIn
from rxchat.services.app.container import Services
from rxchat.states.app.account import AccountState
from rxchat.states.platform.current_user import CurrentUserState
from tests.factories import add_user, signed_in_as
from tests.tab import open_tab

pytestmark = [pytest.mark.anyio, pytest.mark.without_engine]

CALLER = ClientInfo("127.0.0.1", "a browser")
REASON = "The works council has asked for it."


@pytest.fixture
async def admin(services: Services, owner_url: str) -> CurrentUser:
    assert services
    return add_user(owner_url, "Grace", role="admin")


@pytest.fixture
async def member(services: Services, owner_url: str) -> CurrentUser:
    assert services
    return add_user(owner_url, "Ada")


async def actions(services: Services, current_user: CurrentUser) -> list[str]:
    async with services.access.user_admin._database.begin(current_user.user_id) as session:
        from rxchat.db.access import audit_log

        return [row.action for row in await audit_log.by_actor(session, current_user.user_id)]


async def test_an_administrator_deletes_an_account_after_the_grace_time(
    services: Services, admin: CurrentUser, member: CurrentUser, owner_url: str
) -> None:
    cookie = await signed_in_as(services, member)
    at = await services.access.user_admin.delete_account(admin, member.user_id, CALLER)
    assert timedelta(days=6) < at - datetime.now(UTC) < timedelta(days=8)
    services.accounts.sessions._known.clear()
    with pytest.raises(NotSignedIn):
        await services.accounts.sessions.current_user(cookie)
    assert await services.accounts.sessions.why_ended(cookie) == "deletion"
    # They can sign in until then, and are told; they cannot undo it, nor put it off.
    profile = await services.app.profiles.get(member)
    assert (profile.deletion_at, profile.is_deleted_by_others) == (at, True)
    with pytest.raises(Conflict, match="Ask them to cancel it"):
        await services.app.account_deletion.cancel(member, CALLER)
    await services.app.maintenance.once()
    assert await services.access.user_admin.names(admin, [member.user_id]) == {member.user_id: "Ada"}
    with psycopg.connect(owner_url) as connection:
        connection.execute("UPDATE user_account SET deletion_at = now() - interval '1 second' WHERE name = 'Ada'")
    await services.app.maintenance.once()
    assert await services.access.user_admin.names(admin, [member.user_id]) == {}
    assert "account_deletion_scheduled" in await actions(services, admin)


async def test_it_can_be_undone_by_an_administrator_within_the_grace_time(
    services: Services, admin: CurrentUser, member: CurrentUser
) -> None:
    with pytest.raises(NotFound):
        await services.access.user_admin.keep_account(admin, member.user_id, CALLER)
    await services.access.user_admin.delete_account(admin, member.user_id, CALLER)
    await services.access.user_admin.keep_account(admin, member.user_id, CALLER)
    assert (await services.app.profiles.get(member)).deletion_at is None
    assert (await actions(services, admin))[-2:] == ["account_deletion_scheduled", "account_deletion_canceled"]


async def test_only_those_who_may_delete_and_nobody_deletes_above_themselves_or_the_last_administrator(
    services: Services, admin: CurrentUser, member: CurrentUser, owner_url: str
) -> None:
    moderator = add_user(owner_url, "Mo", role="moderator")
    for current_user in (moderator, member):
        with pytest.raises(NotAllowed):
            await services.access.user_admin.delete_account(current_user, admin.user_id, CALLER)
        with pytest.raises(NotAllowed):
            await services.access.user_admin.keep_account(current_user, admin.user_id, CALLER)
    with pytest.raises(NotAllowed):
        await services.access.user_admin.delete_account(admin, admin.user_id, CALLER)
    other = add_user(owner_url, "Other", role="admin")
    with psycopg.connect(owner_url) as connection:
        connection.execute("UPDATE user_account SET suspended_at = now() WHERE id = %s", (admin.user_id,))
    with pytest.raises((LastAdministrator, NotAllowed)):
        await services.access.user_admin.delete_account(admin, other.user_id, CALLER)


async def test_a_wish_of_its_owner_is_not_taken_back_by_others(
    services: Services, admin: CurrentUser, member: CurrentUser, owner_url: str
) -> None:
    with psycopg.connect(owner_url) as connection:
        connection.execute("UPDATE user_account SET deletion_at = now() + interval '1 day' WHERE name = 'Ada'")
    with pytest.raises(NotFound):
        await services.access.user_admin.keep_account(admin, member.user_id, CALLER)
    await services.app.account_deletion.cancel(member, CALLER)


async def test_who_was_read_is_told_by_whom_and_why(
    services: Services, admin: CurrentUser, member: CurrentUser
) -> None:
    turn = await services.chat.messages.send_message(member, None, "My private question", "scripted:tokens=1")
    async with open_tab(await signed_in_as(services, member)) as tab:
        await tab.do(CurrentUserState, "enter")
        assert tab.shown(CurrentUserState, "readings") == ""
        await services.access.user_admin.conversations_of(admin, member.user_id, REASON, CALLER)
        await services.access.user_admin.read_conversation(admin, turn.conversation_id, REASON, CALLER)
        await tab.do(CurrentUserState, "enter")
        assert tab.shown(CurrentUserState, "readings").startswith("The administrator Grace opened your conversations")
        await tab.do(AccountState, "open")
        read, listed = tab.shown(AccountState, "readings")
        assert (read.reader, read.reason, read.title) == ("Grace", REASON, "My private question")
        assert (listed.title, listed.reason, listed.is_new) == ("", REASON, True)
        await tab.do(AccountState, "see_readings")
        assert tab.shown(CurrentUserState, "readings") == ""
        await tab.do(CurrentUserState, "enter")
        assert tab.shown(CurrentUserState, "readings") == ""


async def test_nobody_else_is_told(services: Services, admin: CurrentUser, member: CurrentUser, owner_url: str) -> None:
    await services.access.user_admin.conversations_of(admin, member.user_id, REASON, CALLER)
    for other in (add_user(owner_url, "Other"), admin):
        assert await services.app.profiles.readings(other) == []
    assert len(await services.app.profiles.readings(member)) == 1

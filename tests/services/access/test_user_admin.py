"""Looking after people: who may, whom they cannot touch, and that somebody always administers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import product

import psycopg
import pytest

from rxchat.db.platform.database import Database
from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.errors import Conflict, InvalidInput, LastAdministrator, NotAllowed, NotFound, NotSignedIn
from rxchat.domain.ids import new_id
from rxchat.services.app.container import Services
from tests.factories import add_user, signed_in_as

pytestmark = [pytest.mark.anyio, pytest.mark.without_engine]

CALLER = ClientInfo("203.0.113.7", "a browser")
REASON = "a complaint of Friday"
Add = Callable[..., CurrentUser]


@pytest.fixture
def add(services: Services, owner_url: str) -> Add:
    """Add a member with a role."""
    assert services
    return lambda name="Ada", role="member": add_user(owner_url, name, role)


@pytest.fixture
async def manager(services: Services, add: Add) -> CurrentUser:
    """Somebody whose own role, made here, may manage people and little else."""
    admin = add("Root", "admin")
    await services.access.roles.save(
        admin, name="", title="Keeper", description="", client_info=CALLER,
        permissions=["users.read", "users.manage", "users.invite", "conversations.create", "models.use",
                     "collections.create", "keys.create"],
    )  # fmt: skip
    person = add("Kay")
    await services.access.user_admin.set_role(admin, person.user_id, "keeper", CALLER)
    return await services.accounts.sessions.current_user(await signed_in_as(services, person))


def column(owner_url: str, query: str) -> list[object]:
    with psycopg.connect(owner_url) as connection:
        return [row[0] for row in connection.execute(query).fetchall()]  # pyright: ignore[reportArgumentType, reportCallIssue]


def all_of(
    services: Services, current_user: CurrentUser, user_id: object
) -> dict[str, Callable[[], Awaitable[object]]]:
    """Return everything that can be done to a person, by name."""
    users = services.access.user_admin
    return {
        "set_role": lambda: users.set_role(current_user, user_id, "guest", CALLER),  # pyright: ignore[reportArgumentType]
        "suspend": lambda: users.suspend(current_user, user_id, CALLER, is_suspended=True),  # pyright: ignore[reportArgumentType]
        "end_sessions": lambda: users.end_sessions(current_user, user_id, CALLER),  # pyright: ignore[reportArgumentType]
        "reset_second_factor": lambda: users.reset_second_factor(current_user, user_id, CALLER),  # pyright: ignore[reportArgumentType]
        "reset_link": lambda: users.reset_link(current_user, user_id, CALLER),  # pyright: ignore[reportArgumentType]
        "conversations_of": lambda: users.conversations_of(current_user, user_id, REASON, CALLER),  # pyright: ignore[reportArgumentType]
    }


MANAGED = ("set_role", "suspend", "end_sessions", "reset_second_factor", "reset_link")


async def test_only_who_may_manage_people_does(
    services: Services, owner_url: str, add: Add, subtests: pytest.Subtests
) -> None:
    for role, what in product(("moderator", "member", "guest"), (*MANAGED, "conversations_of")):
        with subtests.test(role=role, what=what):
            someone, other = add("Someone", role), add("Other")
            with pytest.raises(NotAllowed):
                await all_of(services, someone, other.user_id)[what]()
            assert column(owner_url, "SELECT action FROM audit_event") == []


async def test_nobody_touches_somebody_who_may_do_more(
    services: Services, owner_url: str, add: Add, manager: CurrentUser, subtests: pytest.Subtests
) -> None:
    for what in MANAGED:
        with subtests.test(what=what):
            boss = add("Boss", "admin")
            theirs = await signed_in_as(services, boss)
            before = column(owner_url, "SELECT action FROM audit_event")
            with pytest.raises(NotAllowed):
                await all_of(services, manager, boss.user_id)[what]()
            assert column(owner_url, "SELECT action FROM audit_event") == before
            assert (await services.accounts.sessions.current_user(theirs)).role == "admin"


async def test_who_may_manage_people_does_so_to_those_who_may_do_less(
    services: Services, owner_url: str, add: Add, manager: CurrentUser, subtests: pytest.Subtests
) -> None:
    for what in MANAGED:
        with subtests.test(what=what):
            other = add("Other")
            theirs = await signed_in_as(services, other)
            before = column(owner_url, "SELECT max(seq) FROM audit_event")
            await all_of(services, manager, other.user_id)[what]()
            newest = column(owner_url, "SELECT address FROM audit_event ORDER BY seq DESC LIMIT 1")
            assert newest == [CALLER.address]
            assert column(owner_url, "SELECT max(seq) FROM audit_event") != before
            if what == "reset_link":
                assert await services.accounts.sessions.current_user(theirs)
                continue
            with pytest.raises(NotSignedIn):
                await services.accounts.sessions.current_user(theirs)


async def test_a_stranger_is_not_found(services: Services, manager: CurrentUser, subtests: pytest.Subtests) -> None:
    for what in MANAGED:
        with subtests.test(what=what), pytest.raises(NotFound):
            await all_of(services, manager, new_id())[what]()


async def test_nobody_gives_a_role_that_may_more(
    services: Services, add: Add, manager: CurrentUser, subtests: pytest.Subtests
) -> None:
    for role in ("admin", "moderator"):
        with subtests.test(role=role):
            other = add("Other")
            with pytest.raises(NotAllowed, match="permissions you have yourself"):
                await services.access.user_admin.set_role(manager, other.user_id, role, CALLER)
            with pytest.raises(NotAllowed, match="permissions you have yourself"):
                await services.access.user_admin.set_role(manager, manager.user_id, role, CALLER)
            with pytest.raises(NotAllowed, match="permissions you have yourself"):
                await services.access.user_admin.invite(manager, email="new@example.org", role=role, client_info=CALLER)


async def test_postgres_asks_again_whatever_the_service_believed(
    services: Services, owner_url: str, add: Add, manager: CurrentUser, database_url: str
) -> None:
    """Somebody who only claims to have all permissions is an ordinary manager to the database."""
    from dataclasses import replace

    from rxchat.domain.permissions import Permission

    boss, other = add("Boss", "admin"), add("Other")
    liar = replace(manager, permissions=frozenset(Permission))
    for attempt in (
        services.access.user_admin.set_role(liar, boss.user_id, "guest", CALLER),
        services.access.user_admin.set_role(liar, other.user_id, "admin", CALLER),
        services.access.user_admin.suspend(liar, boss.user_id, CALLER, is_suspended=True),
        services.access.user_admin.reset_second_factor(liar, boss.user_id, CALLER),
        services.access.user_admin.conversations_of(liar, other.user_id, REASON, CALLER),
    ):
        with pytest.raises(NotAllowed):
            await attempt
    assert column(owner_url, f"SELECT role FROM user_account WHERE id = '{boss.user_id}'") == ["admin"]


async def test_a_role_that_is_none_is_refused_with_a_sentence(
    services: Services, add: Add, subtests: pytest.Subtests
) -> None:
    admin = add("Root", "admin")
    for role in ("", "nobody", "\x00\ud800", "x" * 5000):
        with subtests.test(role=ascii(role[:20])):
            with pytest.raises(InvalidInput, match="This role does not exist"):
                await services.access.user_admin.set_role(admin, add("Other").user_id, role, CALLER)
            with pytest.raises(InvalidInput, match="This role does not exist"):
                await services.access.user_admin.invite(admin, email="new@example.org", role=role, client_info=CALLER)


async def test_nobody_suspends_themselves_and_the_last_administrator_stays(services: Services, add: Add) -> None:
    admin = add("Root", "admin")
    with pytest.raises(NotAllowed, match="cannot suspend yourself"):
        await services.access.user_admin.suspend(admin, admin.user_id, CALLER, is_suspended=True)
    with pytest.raises(LastAdministrator):
        await services.access.user_admin.set_role(admin, admin.user_id, "member", CALLER)
    second = add("Second", "admin")
    await services.access.user_admin.suspend(admin, second.user_id, CALLER, is_suspended=True)
    with pytest.raises(LastAdministrator):
        await services.access.user_admin.set_role(admin, admin.user_id, "member", CALLER)


async def test_twenty_administrators_who_demote_each_other_at_once_leave_one(
    services: Services, owner_url: str, add: Add
) -> None:
    admins = [add(f"Admin{number}", "admin") for number in range(20)]
    done = await asyncio.gather(
        *(
            services.access.user_admin.set_role(admins[number], admins[(number + 1) % 20].user_id, "member", CALLER)
            for number in range(20)
        ),
        return_exceptions=True,
    )
    left = column(owner_url, "SELECT count(*) FROM user_account WHERE role = 'admin'")[0]
    assert left == sum(outcome is not None for outcome in done) >= 1
    assert {type(outcome) for outcome in done} <= {type(None), NotAllowed, LastAdministrator}


async def test_a_suspended_person_is_out_until_they_are_let_in_again(services: Services, add: Add) -> None:
    admin, other = add("Root", "admin"), add("Other")
    await services.access.user_admin.suspend(admin, other.user_id, CALLER, is_suspended=True)
    with pytest.raises(NotSignedIn):
        await services.accounts.sessions.current_user(await signed_in_as(services, other))
    await services.access.user_admin.suspend(admin, other.user_id, CALLER, is_suspended=False)
    assert await services.accounts.sessions.current_user(await signed_in_as(services, other))


async def test_an_invitation_leads_in_once_with_role_and_groups(services: Services, owner_url: str, add: Add) -> None:
    admin = add("Root", "admin")
    group = await services.access.groups.save(admin, group_id=None, name="Team", description="", client_info=CALLER)
    link, is_mailed = await services.access.user_admin.invite(
        admin, email="new@example.org", role="moderator", group_ids=[group], client_info=CALLER
    )
    assert not is_mailed
    token = link.partition("token=")[2]
    admission = await services.accounts.registration.accept_invitation(
        token, name="New", password="a rather long sentence", client_info=CALLER
    )
    assert admission.session
    current_user = await services.accounts.sessions.current_user(
        services.accounts.sessions.cookie_of(admission.session)
    )
    assert (current_user.role, current_user.groups) == ("moderator", {group})
    with pytest.raises(NotAllowed):
        await services.accounts.registration.accept_invitation(
            token, name="New", password="a rather long sentence", client_info=CALLER
        )
    assert await services.access.user_admin.invitations(admin) == []


async def test_while_registration_is_closed_invitations_rest(services: Services, add: Add) -> None:
    admin = add("Root", "admin")
    link, _ = await services.access.user_admin.invite(admin, email="new@example.org", role="member", client_info=CALLER)
    token = link.partition("token=")[2]
    await services.platform.instance_settings.change(admin, CALLER, registration="closed")
    with pytest.raises(NotAllowed, match="New accounts cannot be created"):
        await services.accounts.registration.get_invitation(token, CALLER)
    with pytest.raises(NotAllowed, match="New accounts cannot be created"):
        await services.accounts.registration.accept_invitation(
            token, name="New", password="a rather long sentence", client_info=CALLER
        )
    await services.platform.instance_settings.change(admin, CALLER, registration="invitation")
    assert await services.accounts.registration.get_invitation(token, CALLER) == "new@example.org"
    assert await services.accounts.registration.accept_invitation(
        token, name="New", password="a rather long sentence", client_info=CALLER
    )


async def test_an_invitation_that_was_taken_back_leads_nowhere(services: Services, add: Add) -> None:
    admin, moderator = add("Root", "admin"), add("Mo", "moderator")
    link, _ = await services.access.user_admin.invite(admin, email="new@example.org", role="admin", client_info=CALLER)
    assert await services.access.user_admin.invitations(moderator) == []
    (invitation,) = await services.access.user_admin.invitations(admin)
    with pytest.raises(NotFound):
        await services.access.user_admin.take_back(moderator, invitation.id, CALLER)
    await services.access.user_admin.take_back(admin, invitation.id, CALLER)
    with pytest.raises(NotFound):
        await services.access.user_admin.take_back(admin, invitation.id, CALLER)
    with pytest.raises(NotAllowed):
        await services.accounts.registration.get_invitation(link.partition("token=")[2], CALLER)


async def test_a_person_is_shown_with_their_groups_to_who_may_see_people(services: Services, add: Add) -> None:
    admin, other = add("Root", "admin"), add("Other")
    group = await services.access.groups.save(admin, group_id=None, name="Team", description="", client_info=CALLER)
    await services.access.groups.set_member(admin, group, other.user_id, CALLER, is_member=True)
    row, groups = await services.access.user_admin.one(admin, other.user_id)
    assert (row.name, [item.name for item in groups]) == ("Other", ["Team"])
    with pytest.raises(NotFound):
        await services.access.user_admin.one(admin, new_id())
    with pytest.raises(NotAllowed):
        await services.access.user_admin.one(other, admin.user_id)
    assert await services.access.user_admin.names(admin, [other.user_id, new_id()]) == {other.user_id: "Other"}
    assert await services.access.user_admin.names(other, [admin.user_id]) == {}


async def test_without_a_reason_nothing_is_read(
    services: Services, owner_url: str, add: Add, subtests: pytest.Subtests
) -> None:
    admin, other = add("Root", "admin"), add("Other")
    turn = await services.chat.messages.send_message(other, None, "a private question", "scripted:tokens=2")
    for reason in (
        "",
        "because",
        "         .",
        "\n\n\n\n\n\n\n\n\n\n\n\n",
        "." * 12,
        "-" * 300,
        "aaaaaaaaaaaa",
        "1234567890 12",
        "?!?!?!?!?! abc",
    ):
        with subtests.test(reason=reason):
            with pytest.raises(InvalidInput, match="audit log records it"):
                await services.access.user_admin.conversations_of(admin, other.user_id, reason, CALLER)
            with pytest.raises(InvalidInput, match="audit log records it"):
                await services.access.user_admin.read_conversation(admin, turn.conversation_id, reason, CALLER)
            assert column(owner_url, "SELECT action FROM audit_event") == []


async def test_reading_is_audited_in_the_same_transaction(
    services: Services, owner_url: str, add: Add, database_url: str
) -> None:
    admin, other = add("Root", "admin"), add("Other")
    turn = await services.chat.messages.send_message(other, None, "a private question", "scripted:tokens=2")
    listed = await services.access.user_admin.conversations_of(admin, other.user_id, REASON, CALLER)
    assert [item[0] for item in listed] == [turn.conversation_id]
    found = await services.access.user_admin.read_conversation(admin, turn.conversation_id, REASON, CALLER)
    assert found[0].text == "a private question"
    with psycopg.connect(owner_url) as connection:
        rows = connection.execute(
            "SELECT action, actor_id, address, data ->> 'reason', data ->> 'user' FROM audit_event ORDER BY seq"
        ).fetchall()
    expected = (admin.user_id, CALLER.address, REASON, str(other.user_id))
    assert rows == [("conversations_listed", *expected), ("conversation_read", *expected)]
    # Whoever calls the procedure and rolls back has read nothing: the row and the words are one statement's.
    database = Database(database_url, pool_size=1)
    try:
        with pytest.raises(RuntimeError):
            async with database.begin(admin.user_id) as session:
                from rxchat.db.access import user_admin as users

                await users.admin_read_conversation(session, turn.conversation_id, REASON, "", "", new_id())
                raise RuntimeError
    finally:
        await database.aclose()
    assert len(column(owner_url, "SELECT 1 FROM audit_event")) == 2


async def test_a_conversation_that_is_not_there_is_not_found(services: Services, add: Add) -> None:
    with pytest.raises(NotFound):
        await services.access.user_admin.read_conversation(add("Root", "admin"), new_id(), REASON, CALLER)


async def test_a_role_that_was_invited_to_and_is_gone_lets_nobody_in_as_anything_else(
    services: Services, add: Add
) -> None:
    admin = add("Root", "admin")
    await services.access.roles.save(
        admin, name="gone", title="Gone", description="", permissions=[], client_info=CALLER
    )
    link, _ = await services.access.user_admin.invite(admin, email="new@example.org", role="gone", client_info=CALLER)
    await services.access.roles.delete(admin, "gone", CALLER)
    with pytest.raises((NotAllowed, Conflict, InvalidInput)):
        await services.accounts.registration.accept_invitation(
            link.partition("token=")[2], name="New", password="a rather long sentence", client_info=CALLER
        )


async def test_a_password_link_lasts_a_day_and_only_the_newest_works(
    services: Services, owner_url: str, add: Add
) -> None:
    admin, other = add("Root", "admin"), add("Other")
    first = await services.access.user_admin.reset_link(admin, other.user_id, CALLER)
    second = await services.access.user_admin.reset_link(admin, other.user_id, CALLER)
    with pytest.raises(NotAllowed):
        await services.accounts.password_reset.reset(first.partition("token=")[2], "a rather long sentence", CALLER)
    left = column(owner_url, "SELECT expires_at - now() FROM account_token")
    assert len(left) == 1 and isinstance(left[0], timedelta) and timedelta(hours=23) < left[0] <= timedelta(hours=24)
    await services.accounts.password_reset.reset(second.partition("token=")[2], "a rather long sentence", CALLER)
    admission = await services.accounts.sign_in.sign_in(other.email, "a rather long sentence", CALLER)
    assert admission.session

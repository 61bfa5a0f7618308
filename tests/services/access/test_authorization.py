"""Roles, groups and grants: nobody gives more than they have, and what is granted is in force."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace

import psycopg
import pytest

from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.errors import Conflict, InvalidInput, NotAllowed, NotFound, RxChatError
from rxchat.domain.ids import new_id
from rxchat.domain.permissions import Action, Permission, ResourceKind, Scope
from rxchat.services.app.container import Services
from tests.factories import add_user, signed_in_as

pytestmark = [pytest.mark.anyio, pytest.mark.without_engine]

CALLER = ClientInfo("203.0.113.7", "a browser")
MODEL, OTHER = "scripted:tokens=2", "scripted:tokens=3"
Add = Callable[..., CurrentUser]


@pytest.fixture
def add(services: Services, owner_url: str) -> Add:
    """Add a member with a role."""
    assert services
    return lambda name="Ada", role="member": add_user(owner_url, name, role)


@pytest.fixture
def admin(add: Add) -> CurrentUser:
    """An administrator."""
    return add("Root", "admin")


async def role(services: Services, admin: CurrentUser, name: str, *permissions: str) -> None:
    await services.access.roles.save(
        admin, name=name, title=name.title(), description="", permissions=permissions, client_info=CALLER
    )


async def become(services: Services, admin: CurrentUser, person: CurrentUser, name: str) -> CurrentUser:
    """Give somebody a role, and return them as they are then."""
    await services.access.user_admin.set_role(admin, person.user_id, name, CALLER)
    return await services.accounts.sessions.current_user(await signed_in_as(services, person))


async def test_every_change_wants_its_permission(services: Services, add: Add, admin: CurrentUser) -> None:
    group = await services.access.groups.save(admin, group_id=None, name="Team", description="", client_info=CALLER)
    member, moderator = add("Member"), add("Mo", "moderator")
    changes = (
        lambda current_user: services.access.roles.save(
            current_user, name="", title="Mine", description="", permissions=[], client_info=CALLER
        ),
        lambda current_user: services.access.roles.delete(current_user, "mine", CALLER),
        lambda current_user: services.access.grants.all(current_user, None),
        lambda current_user: grant(services, current_user, "everyone", "*", "*"),
        lambda current_user: services.access.groups.save(
            current_user, group_id=group, name="Mine", description="", client_info=CALLER
        ),
        lambda current_user: services.access.groups.delete(current_user, group, CALLER),
        lambda current_user: services.access.groups.set_member(
            current_user, group, current_user.user_id, CALLER, is_member=True
        ),
    )
    for change in changes:
        with pytest.raises(NotAllowed):
            await change(member)
    for change in changes[:4]:
        with pytest.raises(NotAllowed):
            await change(moderator)
    with pytest.raises(NotAllowed):
        await services.access.roles.all(member)
    assert [item.name for item in await services.access.groups.all(moderator)] == ["Team"]


async def grant(services: Services, current_user: CurrentUser, kind: str, principal: str, model: str) -> None:
    await services.access.grants.add(
        current_user, principal_kind=kind, principal=principal, resource_kind="model", resource=model, action="use",
        client_info=CALLER,
    )  # fmt: skip


async def test_nobody_puts_more_into_a_role_than_they_have(services: Services, add: Add, admin: CurrentUser) -> None:
    await role(services, admin, "smith", "roles.manage", "users.read")
    await role(services, admin, "strong", "audit.read", "users.read")
    smith = await become(services, admin, add("Smith"), "smith")
    for name, permissions in (
        ("smith", ["roles.manage", "users.read", "users.manage"]),
        ("strong", ["users.read"]),
        ("mine", [permission.value for permission in Permission]),
    ):
        with pytest.raises(NotAllowed):
            await role(services, smith, name, *permissions)
    await role(services, smith, "weak", "users.read")
    with pytest.raises(NotAllowed):
        await services.access.user_admin.set_role(smith, smith.user_id, "strong", CALLER)


async def test_built_in_roles_stay_as_they_are(
    services: Services, owner_url: str, admin: CurrentUser, subtests: pytest.Subtests
) -> None:
    for name in ("admin", "moderator", "member", "guest"):
        with subtests.test(role=name):
            with pytest.raises(Conflict):
                await role(services, admin, name, "users.read")
            with pytest.raises(RxChatError):
                await services.access.roles.delete(admin, name, CALLER)
            with psycopg.connect(owner_url) as connection:
                assert connection.execute("SELECT is_builtin FROM role WHERE name = %s", (name,)).fetchone() == (True,)


async def test_a_role_that_makes_no_sense_is_refused(
    services: Services, admin: CurrentUser, subtests: pytest.Subtests
) -> None:
    roles = (("", []), (" ", []), ("x" * 61, []), ("日本", []), ("Mine", ["users.own"]), ("Mine", [""]), ("7", []))
    for title, permissions in roles:
        with subtests.test(title=title, permissions=permissions), pytest.raises(InvalidInput):
            await services.access.roles.save(
                admin, name="", title=title, description="", permissions=permissions, client_info=CALLER
            )


async def test_a_role_in_use_is_not_deleted(services: Services, add: Add, admin: CurrentUser) -> None:
    await role(services, admin, "helper", "users.read")
    person = await become(services, admin, add("Person"), "helper")
    with pytest.raises(Conflict, match="Some users have this role"):
        await services.access.roles.delete(admin, "helper", CALLER)
    await become(services, admin, person, "member")
    await services.access.roles.delete(admin, "helper", CALLER)
    with pytest.raises(NotFound):
        await services.access.roles.delete(admin, "helper", CALLER)


async def test_a_role_that_changes_is_in_force_at_once(services: Services, add: Add, admin: CurrentUser) -> None:
    await role(services, admin, "helper", "users.read")
    person = add("Person")
    await become(services, admin, person, "helper")
    sealed = await signed_in_as(services, person)
    assert (await services.accounts.sessions.current_user(sealed)).is_admin
    await role(services, admin, "helper")
    assert not (await services.accounts.sessions.current_user(sealed)).is_admin


async def test_groups_are_named_once_and_found_again(services: Services, add: Add, admin: CurrentUser) -> None:
    person = add("Person")
    group = await services.access.groups.save(
        admin, group_id=None, name=" Night \n shift ", description="", client_info=CALLER
    )
    assert [item.name for item in await services.access.groups.all(admin)] == ["Night shift"]
    for name in ("night SHIFT", "", "x" * 61):
        with pytest.raises((Conflict, InvalidInput)):
            await services.access.groups.save(admin, group_id=None, name=name, description="", client_info=CALLER)
    with pytest.raises(NotFound):
        await services.access.groups.save(admin, group_id=new_id(), name="Nowhere", description="", client_info=CALLER)
    await services.access.groups.set_member(admin, group, person.user_id, CALLER, is_member=True)
    await services.access.groups.set_member(admin, group, person.user_id, CALLER, is_member=True)
    assert [row[1] for row in await services.access.groups.members(admin, group)] == ["Person"]
    await services.access.groups.set_member(admin, group, person.user_id, CALLER, is_member=False)
    with pytest.raises(NotFound):
        await services.access.groups.set_member(admin, group, person.user_id, CALLER, is_member=False)
    with pytest.raises(NotFound):
        await services.access.groups.members(admin, new_id())


async def test_somebody_who_is_not_there_is_in_no_group(services: Services, admin: CurrentUser) -> None:
    group = await services.access.groups.save(admin, group_id=None, name="Team", description="", client_info=CALLER)
    with pytest.raises(NotFound):
        await services.access.groups.set_member(admin, group, new_id(), CALLER, is_member=True)
    with pytest.raises(NotFound):
        await services.access.groups.set_member(admin, new_id(), admin.user_id, CALLER, is_member=True)


async def test_two_groups_of_one_name_are_not_made_at_once(services: Services, admin: CurrentUser) -> None:
    made = await asyncio.gather(
        *(
            services.access.groups.save(admin, group_id=None, name="Team", description="", client_info=CALLER)
            for _ in range(8)
        ),
        return_exceptions=True,
    )
    assert {type(item) for item in made if isinstance(item, BaseException)} <= {Conflict}
    assert len(await services.access.groups.all(admin)) == 1


async def asks(services: Services, current_user: CurrentUser, model: str) -> bool:
    """Whether somebody may ask a model."""
    sealed = await signed_in_as(services, current_user)
    current = await services.accounts.sessions.current_user(sealed)
    try:
        await services.chat.messages.send_message(current, None, "hello", model)
    except NotAllowed:
        return False
    return True


async def test_members_use_every_model_and_guests_what_they_were_given(
    services: Services, add: Add, admin: CurrentUser
) -> None:
    member, guest = add("Member"), add("Guest", "guest")
    assert await asks(services, member, MODEL)
    assert not await asks(services, guest, MODEL)
    await grant(services, admin, "user", str(guest.user_id), MODEL)
    assert await asks(services, guest, MODEL)
    assert not await asks(services, guest, OTHER)
    ((grant_id, _),) = await services.access.grants.all(admin, ResourceKind.MODEL)
    await services.access.grants.revoke(admin, grant_id, CALLER)
    assert not await asks(services, guest, MODEL)
    with pytest.raises(NotFound):
        await services.access.grants.revoke(admin, grant_id, CALLER)


@pytest.mark.parametrize("kind", ["group", "role", "everyone"])
async def test_a_grant_reaches_whoever_belongs_to_it(
    services: Services, add: Add, admin: CurrentUser, kind: str
) -> None:
    guest, other = add("Guest", "guest"), add("Other", "guest")
    group = await services.access.groups.save(admin, group_id=None, name="Team", description="", client_info=CALLER)
    await services.access.groups.set_member(admin, group, guest.user_id, CALLER, is_member=True)
    principal = {"group": str(group), "role": "guest", "everyone": "*"}[kind]
    await grant(services, admin, kind, principal, "*")
    assert await asks(services, guest, MODEL)
    assert await asks(services, other, OTHER) is (kind != "group")
    if kind == "group":
        await services.access.groups.delete(admin, group, CALLER)
        assert await services.access.grants.all(admin) == []
        assert not await asks(services, guest, MODEL)


async def test_a_grant_that_makes_no_sense_is_refused(
    services: Services, admin: CurrentUser, subtests: pytest.Subtests
) -> None:
    for kind, principal, model in (
        ("user", "nobody", "*"),
        ("user", "", "*"),
        ("group", "x", "*"),
        ("nobody", "*", "*"),
        ("role", "", "*"),
        ("everyone", "*", ""),
        ("\x00", "\ud800", "\x00"),
    ):
        with subtests.test(kind=kind, principal=ascii(principal), model=model), pytest.raises(InvalidInput):
            await grant(services, admin, kind, principal, model)


async def test_postgres_asks_again_whatever_the_service_believed(
    services: Services, owner_url: str, add: Add, admin: CurrentUser
) -> None:
    liar = replace(add("Guest", "guest"), permissions=frozenset(Permission))
    group = await services.access.groups.save(admin, group_id=None, name="Team", description="", client_info=CALLER)
    for attempt in (
        grant(services, liar, "everyone", "*", "*"),
        role(services, liar, "mine", "users.read"),
        services.access.groups.save(liar, group_id=None, name="Mine", description="", client_info=CALLER),
        services.access.groups.set_member(liar, group, liar.user_id, CALLER, is_member=True),
    ):
        with pytest.raises(NotAllowed):
            await attempt
    with psycopg.connect(owner_url) as connection:
        counted = [
            connection.execute(query).fetchone()
            for query in ("SELECT count(*) FROM access_grant", "SELECT count(*) FROM group_member")
        ]
    assert counted == [(0,), (0,)]


async def test_what_is_usable_is_said_for_many_at_once(services: Services, add: Add, admin: CurrentUser) -> None:
    guest = add("Guest", "guest")
    await grant(services, admin, "role", "guest", MODEL)
    usable = services.access.grants.usable
    assert await usable(guest, ResourceKind.MODEL, Action.USE, [MODEL, OTHER]) == {MODEL}
    assert await usable(add("Member"), ResourceKind.MODEL, Action.USE, [MODEL, OTHER]) == {MODEL, OTHER}


async def test_a_grant_on_a_rule_opens_that_rule_alone(services: Services, owner_url: str) -> None:
    boss, keeper = add_user(owner_url, "Boss", "admin"), add_user(owner_url, "Keeper")
    with pytest.raises(NotAllowed):
        await services.platform.instance_settings.change(keeper, ClientInfo(), registration="open")
    await services.access.grants.add(
        boss, principal_kind="user", principal=str(keeper.user_id), resource_kind="settings",
        resource="registration", action="write", client_info=ClientInfo(),
    )  # fmt: skip
    assert (
        await services.platform.instance_settings.change(keeper, ClientInfo(), registration="open")
    ).registration == "open"
    for values in ({"second_factor": "nobody"}, {"registration": "closed", "default_role": "guest"}):
        with pytest.raises(NotAllowed):
            await services.platform.instance_settings.change(keeper, ClientInfo(), **values)
    with pytest.raises(NotAllowed):
        await services.platform.instance_settings.change(
            replace(keeper, lacks_second_factor=True), ClientInfo(), registration="closed"
        )
    with pytest.raises(NotAllowed):
        await services.platform.instance_settings.change(
            replace(keeper, scopes=frozenset({Scope.CHAT})), ClientInfo(), registration="closed"
        )
    assert (await services.platform.instance_settings.current()).registration == "open"


async def a_group_with_a_grant(services: Services, admin: CurrentUser):
    group = await services.access.groups.save(admin, group_id=None, name="Legal", description="", client_info=CALLER)
    await services.access.grants.add(
        admin, principal_kind="group", principal=str(group), resource_kind="model", resource=MODEL, action="use",
        client_info=CALLER,
    )  # fmt: skip
    return group


async def test_who_may_not_give_grants_puts_nobody_into_a_group_that_has_some(
    services: Services, add: Add, admin: CurrentUser
) -> None:
    """Else a moderator invites a second account of their own, and reads with it what the group was given."""
    granted = await a_group_with_a_grant(services, admin)
    bare = await services.access.groups.save(admin, group_id=None, name="Bare", description="", client_info=CALLER)
    moderator, member = add("Mo", "moderator"), add("Member")
    with pytest.raises(NotAllowed):
        await services.access.groups.set_member(moderator, granted, member.user_id, CALLER, is_member=True)
    with pytest.raises(NotAllowed):
        await services.access.user_admin.invite(
            moderator, email="mo2@example.org", role="member", group_ids=[bare, granted], client_info=CALLER
        )
    await services.access.groups.set_member(moderator, bare, member.user_id, CALLER, is_member=True)
    await services.access.groups.set_member(admin, granted, member.user_id, CALLER, is_member=True)


async def test_an_invitation_gives_nothing_that_was_granted_to_its_group_later(
    services: Services, add: Add, admin: CurrentUser, owner_url: str
) -> None:
    moderator = add("Mo", "moderator")
    early = await services.access.groups.save(admin, group_id=None, name="Early", description="", client_info=CALLER)
    bare = await services.access.groups.save(admin, group_id=None, name="Bare", description="", client_info=CALLER)
    link, _ = await services.access.user_admin.invite(
        moderator, email="mo2@example.org", role="member", group_ids=[early, bare], client_info=CALLER
    )
    await services.access.grants.add(
        admin, principal_kind="group", principal=str(early), resource_kind="model", resource=MODEL, action="use",
        client_info=CALLER,
    )  # fmt: skip
    await services.accounts.registration.accept_invitation(
        re.split("token=", link)[1], name="Mo Two", password="a long sentence of mine", client_info=CALLER
    )
    with psycopg.connect(owner_url) as connection:
        groups = connection.execute(
            "SELECT group_id FROM group_member JOIN user_account ON id = user_id WHERE email = 'mo2@example.org'"
        ).fetchall()
    assert groups == [(bare,)]


async def test_a_role_with_grants_is_given_only_by_who_may_give_grants(
    services: Services, add: Add, admin: CurrentUser
) -> None:
    await role(services, admin, "counsel", "conversations.create")
    await services.access.grants.add(
        admin, principal_kind="role", principal="counsel", resource_kind="model", resource=MODEL, action="use",
        client_info=CALLER,
    )  # fmt: skip
    with pytest.raises(NotAllowed):
        await services.access.user_admin.invite(
            add("Mo", "moderator"), email="mo2@example.org", role="counsel", client_info=CALLER
        )
    await services.access.user_admin.invite(admin, email="c@example.org", role="counsel", client_info=CALLER)


async def test_an_invitation_to_a_role_that_was_granted_more_since_is_refused(
    services: Services, add: Add, admin: CurrentUser
) -> None:
    await role(services, admin, "early", "conversations.create")
    link, _ = await services.access.user_admin.invite(
        add("Mo", "moderator"), email="mo2@example.org", role="early", client_info=CALLER
    )
    await services.access.grants.add(
        admin, principal_kind="role", principal="early", resource_kind="model", resource=MODEL, action="use",
        client_info=CALLER,
    )  # fmt: skip
    with pytest.raises(NotAllowed):
        await services.accounts.registration.accept_invitation(
            re.split("token=", link)[1], name="Mo Two", password="a long sentence of mine", client_info=CALLER
        )

"""Roles, groups and grants: nobody gives more than they have, and what is granted is in force."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace

import psycopg
import pytest

from rxchat.domain.accounts import Caller, Viewer
from rxchat.domain.errors import Conflict, InvalidInput, NotAllowed, NotFound, RxChatError
from rxchat.domain.ids import new_id
from rxchat.domain.permissions import Action, Permission, ResourceKind, Scope
from rxchat.services.app.container import Services
from tests.factories import add_viewer, signed_in_as

pytestmark = [pytest.mark.anyio, pytest.mark.without_engine]

CALLER = Caller("203.0.113.7", "a browser")
MODEL, OTHER = "scripted:tokens=2", "scripted:tokens=3"
Add = Callable[..., Viewer]


@pytest.fixture
def add(services: Services, owner_url: str) -> Add:
    """Add somebody with a role."""
    assert services
    return lambda name="Ada", role="member": add_viewer(owner_url, name, role)


@pytest.fixture
def admin(add: Add) -> Viewer:
    """An administrator."""
    return add("Root", "admin")


async def role(services: Services, admin: Viewer, name: str, *permissions: str) -> None:
    await services.teams.save_role(
        admin, name=name, title=name.title(), description="", permissions=permissions, caller=CALLER
    )


async def become(services: Services, admin: Viewer, person: Viewer, name: str) -> Viewer:
    """Give somebody a role, and return them as they are then."""
    await services.people.set_role(admin, person.user_id, name, CALLER)
    return await services.sessions.viewer(await signed_in_as(services, person))


async def test_every_change_wants_its_permission(services: Services, add: Add, admin: Viewer) -> None:
    teams, group = (
        services.teams,
        await services.teams.save_group(admin, group_id=None, name="Team", description="", caller=CALLER),
    )
    member, moderator = add("Member"), add("Mo", "moderator")
    changes = (
        lambda viewer: teams.save_role(viewer, name="", title="Mine", description="", permissions=[], caller=CALLER),
        lambda viewer: teams.remove_role(viewer, "mine", CALLER),
        lambda viewer: teams.grants(viewer, None),
        lambda viewer: grant(services, viewer, "everyone", "*", "*"),
        lambda viewer: teams.save_group(viewer, group_id=group, name="Mine", description="", caller=CALLER),
        lambda viewer: teams.remove_group(viewer, group, CALLER),
        lambda viewer: teams.set_member(viewer, group, viewer.user_id, CALLER, is_member=True),
    )
    for change in changes:
        with pytest.raises(NotAllowed):
            await change(member)
    for change in changes[:4]:
        with pytest.raises(NotAllowed):
            await change(moderator)
    with pytest.raises(NotAllowed):
        await teams.roles(member)
    assert [item.name for item in await teams.groups(moderator)] == ["Team"]


async def grant(services: Services, viewer: Viewer, kind: str, principal: str, model: str) -> None:
    await services.teams.grant(
        viewer, principal_kind=kind, principal=principal, resource_kind="model", resource=model, action="use",
        caller=CALLER,
    )  # fmt: skip


async def test_nobody_puts_more_into_a_role_than_they_have(services: Services, add: Add, admin: Viewer) -> None:
    await role(services, admin, "smith", "roles.manage", "people.read")
    await role(services, admin, "strong", "audit.read", "people.read")
    smith = await become(services, admin, add("Smith"), "smith")
    for name, permissions in (
        ("smith", ["roles.manage", "people.read", "people.manage"]),
        ("strong", ["people.read"]),
        ("mine", [permission.value for permission in Permission]),
    ):
        with pytest.raises(NotAllowed):
            await role(services, smith, name, *permissions)
    await role(services, smith, "weak", "people.read")
    with pytest.raises(NotAllowed):
        await services.people.set_role(smith, smith.user_id, "strong", CALLER)


async def test_built_in_roles_stay_as_they_are(
    services: Services, owner_url: str, admin: Viewer, subtests: pytest.Subtests
) -> None:
    for name in ("admin", "moderator", "member", "guest"):
        with subtests.test(role=name):
            with pytest.raises(Conflict):
                await role(services, admin, name, "people.read")
            with pytest.raises(RxChatError):
                await services.teams.remove_role(admin, name, CALLER)
            with psycopg.connect(owner_url) as connection:
                assert connection.execute("SELECT is_builtin FROM role WHERE name = %s", (name,)).fetchone() == (True,)


async def test_a_role_that_makes_no_sense_is_refused(
    services: Services, admin: Viewer, subtests: pytest.Subtests
) -> None:
    roles = (("", []), (" ", []), ("x" * 61, []), ("日本", []), ("Mine", ["people.own"]), ("Mine", [""]), ("7", []))
    for title, permissions in roles:
        with subtests.test(title=title, permissions=permissions), pytest.raises(InvalidInput):
            await services.teams.save_role(
                admin, name="", title=title, description="", permissions=permissions, caller=CALLER
            )


async def test_a_role_in_use_is_not_deleted(services: Services, add: Add, admin: Viewer) -> None:
    await role(services, admin, "helper", "people.read")
    person = await become(services, admin, add("Person"), "helper")
    with pytest.raises(Conflict, match="Somebody has this role"):
        await services.teams.remove_role(admin, "helper", CALLER)
    await become(services, admin, person, "member")
    await services.teams.remove_role(admin, "helper", CALLER)
    with pytest.raises(NotFound):
        await services.teams.remove_role(admin, "helper", CALLER)


async def test_a_role_that_changes_is_in_force_at_once(services: Services, add: Add, admin: Viewer) -> None:
    await role(services, admin, "helper", "people.read")
    person = add("Person")
    await become(services, admin, person, "helper")
    sealed = await signed_in_as(services, person)
    assert (await services.sessions.viewer(sealed)).is_admin
    await role(services, admin, "helper")
    assert not (await services.sessions.viewer(sealed)).is_admin


async def test_groups_are_named_once_and_found_again(services: Services, add: Add, admin: Viewer) -> None:
    teams, person = services.teams, add("Person")
    group = await teams.save_group(admin, group_id=None, name=" Night \n shift ", description="", caller=CALLER)
    assert [item.name for item in await teams.groups(admin)] == ["Night shift"]
    for name in ("night SHIFT", "", "x" * 61):
        with pytest.raises((Conflict, InvalidInput)):
            await teams.save_group(admin, group_id=None, name=name, description="", caller=CALLER)
    with pytest.raises(NotFound):
        await teams.save_group(admin, group_id=new_id(), name="Nowhere", description="", caller=CALLER)
    await teams.set_member(admin, group, person.user_id, CALLER, is_member=True)
    await teams.set_member(admin, group, person.user_id, CALLER, is_member=True)
    assert [row[1] for row in await teams.members(admin, group)] == ["Person"]
    await teams.set_member(admin, group, person.user_id, CALLER, is_member=False)
    with pytest.raises(NotFound):
        await teams.set_member(admin, group, person.user_id, CALLER, is_member=False)
    with pytest.raises(NotFound):
        await teams.members(admin, new_id())


async def test_somebody_who_is_not_there_is_in_no_group(services: Services, admin: Viewer) -> None:
    group = await services.teams.save_group(admin, group_id=None, name="Team", description="", caller=CALLER)
    with pytest.raises(NotFound):
        await services.teams.set_member(admin, group, new_id(), CALLER, is_member=True)
    with pytest.raises(NotFound):
        await services.teams.set_member(admin, new_id(), admin.user_id, CALLER, is_member=True)


async def test_two_groups_of_one_name_are_not_made_at_once(services: Services, admin: Viewer) -> None:
    made = await asyncio.gather(
        *(
            services.teams.save_group(admin, group_id=None, name="Team", description="", caller=CALLER)
            for _ in range(8)
        ),
        return_exceptions=True,
    )
    assert {type(item) for item in made if isinstance(item, BaseException)} <= {Conflict}
    assert len(await services.teams.groups(admin)) == 1


async def asks(services: Services, viewer: Viewer, model: str) -> bool:
    """Whether somebody may ask a model."""
    sealed = await signed_in_as(services, viewer)
    current = await services.sessions.viewer(sealed)
    try:
        await services.chats.send_message(current, None, "hello", model)
    except NotAllowed:
        return False
    return True


async def test_members_use_every_model_and_guests_what_they_were_given(
    services: Services, add: Add, admin: Viewer
) -> None:
    member, guest = add("Member"), add("Guest", "guest")
    assert await asks(services, member, MODEL)
    assert not await asks(services, guest, MODEL)
    await grant(services, admin, "person", str(guest.user_id), MODEL)
    assert await asks(services, guest, MODEL)
    assert not await asks(services, guest, OTHER)
    ((grant_id, _),) = await services.teams.grants(admin, ResourceKind.MODEL)
    await services.teams.revoke(admin, grant_id, CALLER)
    assert not await asks(services, guest, MODEL)
    with pytest.raises(NotFound):
        await services.teams.revoke(admin, grant_id, CALLER)


@pytest.mark.parametrize("kind", ["group", "role", "everyone"])
async def test_a_grant_reaches_whoever_belongs_to_it(services: Services, add: Add, admin: Viewer, kind: str) -> None:
    guest, other = add("Guest", "guest"), add("Other", "guest")
    group = await services.teams.save_group(admin, group_id=None, name="Team", description="", caller=CALLER)
    await services.teams.set_member(admin, group, guest.user_id, CALLER, is_member=True)
    principal = {"group": str(group), "role": "guest", "everyone": "*"}[kind]
    await grant(services, admin, kind, principal, "*")
    assert await asks(services, guest, MODEL)
    assert await asks(services, other, OTHER) is (kind != "group")
    if kind == "group":
        await services.teams.remove_group(admin, group, CALLER)
        assert await services.teams.grants(admin) == []
        assert not await asks(services, guest, MODEL)


async def test_a_grant_that_makes_no_sense_is_refused(
    services: Services, admin: Viewer, subtests: pytest.Subtests
) -> None:
    for kind, principal, model in (
        ("person", "nobody", "*"),
        ("person", "", "*"),
        ("group", "x", "*"),
        ("nobody", "*", "*"),
        ("role", "", "*"),
        ("everyone", "*", ""),
        ("\x00", "\ud800", "\x00"),
    ):
        with subtests.test(kind=kind, principal=ascii(principal), model=model), pytest.raises(InvalidInput):
            await grant(services, admin, kind, principal, model)


async def test_postgres_asks_again_whatever_the_service_believed(
    services: Services, owner_url: str, add: Add, admin: Viewer
) -> None:
    liar = replace(add("Guest", "guest"), permissions=frozenset(Permission))
    group = await services.teams.save_group(admin, group_id=None, name="Team", description="", caller=CALLER)
    for attempt in (
        grant(services, liar, "everyone", "*", "*"),
        role(services, liar, "mine", "people.read"),
        services.teams.save_group(liar, group_id=None, name="Mine", description="", caller=CALLER),
        services.teams.set_member(liar, group, liar.user_id, CALLER, is_member=True),
    ):
        with pytest.raises(NotAllowed):
            await attempt
    with psycopg.connect(owner_url) as connection:
        counted = [
            connection.execute(query).fetchone()
            for query in ("SELECT count(*) FROM access_grant", "SELECT count(*) FROM group_member")
        ]
    assert counted == [(0,), (0,)]


async def test_what_is_usable_is_said_for_many_at_once(services: Services, add: Add, admin: Viewer) -> None:
    guest = add("Guest", "guest")
    await grant(services, admin, "role", "guest", MODEL)
    usable = services.teams.usable
    assert await usable(guest, ResourceKind.MODEL, Action.USE, [MODEL, OTHER]) == {MODEL}
    assert await usable(add("Member"), ResourceKind.MODEL, Action.USE, [MODEL, OTHER]) == {MODEL, OTHER}


async def test_a_grant_on_a_rule_opens_that_rule_alone(services: Services, owner_url: str) -> None:
    boss, keeper = add_viewer(owner_url, "Boss", "admin"), add_viewer(owner_url, "Keeper")
    with pytest.raises(NotAllowed):
        await services.rules.change(keeper, Caller(), registration="open")
    await services.teams.grant(
        boss, principal_kind="person", principal=str(keeper.user_id), resource_kind="settings",
        resource="registration", action="write", caller=Caller(),
    )  # fmt: skip
    assert (await services.rules.change(keeper, Caller(), registration="open")).registration == "open"
    for values in ({"second_factor": "nobody"}, {"registration": "closed", "default_role": "guest"}):
        with pytest.raises(NotAllowed):
            await services.rules.change(keeper, Caller(), **values)
    with pytest.raises(NotAllowed):
        await services.rules.change(replace(keeper, lacks_second_factor=True), Caller(), registration="closed")
    with pytest.raises(NotAllowed):
        await services.rules.change(replace(keeper, scopes=frozenset({Scope.CHAT})), Caller(), registration="closed")
    assert (await services.rules.current()).registration == "open"


async def a_group_with_a_grant(services: Services, admin: Viewer):
    group = await services.teams.save_group(admin, group_id=None, name="Legal", description="", caller=CALLER)
    await services.teams.grant(
        admin, principal_kind="group", principal=str(group), resource_kind="model", resource=MODEL, action="use",
        caller=CALLER,
    )  # fmt: skip
    return group


async def test_who_may_not_give_grants_puts_nobody_into_a_group_that_has_some(
    services: Services, add: Add, admin: Viewer
) -> None:
    """Else a moderator invites a second account of their own, and reads with it what the group was given."""
    granted = await a_group_with_a_grant(services, admin)
    bare = await services.teams.save_group(admin, group_id=None, name="Bare", description="", caller=CALLER)
    moderator, member = add("Mo", "moderator"), add("Member")
    with pytest.raises(NotAllowed):
        await services.teams.set_member(moderator, granted, member.user_id, CALLER, is_member=True)
    with pytest.raises(NotAllowed):
        await services.people.invite(
            moderator, email="mo2@example.org", role="member", group_ids=[bare, granted], caller=CALLER
        )
    await services.teams.set_member(moderator, bare, member.user_id, CALLER, is_member=True)
    await services.teams.set_member(admin, granted, member.user_id, CALLER, is_member=True)


async def test_an_invitation_gives_nothing_that_was_granted_to_its_group_later(
    services: Services, add: Add, admin: Viewer, owner_url: str
) -> None:
    moderator = add("Mo", "moderator")
    early = await services.teams.save_group(admin, group_id=None, name="Early", description="", caller=CALLER)
    bare = await services.teams.save_group(admin, group_id=None, name="Bare", description="", caller=CALLER)
    link, _ = await services.people.invite(
        moderator, email="mo2@example.org", role="member", group_ids=[early, bare], caller=CALLER
    )
    await services.teams.grant(
        admin, principal_kind="group", principal=str(early), resource_kind="model", resource=MODEL, action="use",
        caller=CALLER,
    )  # fmt: skip
    await services.registration.accept_invitation(
        re.split("token=", link)[1], name="Mo Two", password="a long sentence of mine", caller=CALLER
    )
    with psycopg.connect(owner_url) as connection:
        groups = connection.execute(
            "SELECT group_id FROM group_member JOIN user_account ON id = user_id WHERE email = 'mo2@example.org'"
        ).fetchall()
    assert groups == [(bare,)]


async def test_a_role_with_grants_is_given_only_by_who_may_give_grants(
    services: Services, add: Add, admin: Viewer
) -> None:
    await role(services, admin, "counsel", "conversations.create")
    await services.teams.grant(
        admin, principal_kind="role", principal="counsel", resource_kind="model", resource=MODEL, action="use",
        caller=CALLER,
    )  # fmt: skip
    with pytest.raises(NotAllowed):
        await services.people.invite(add("Mo", "moderator"), email="mo2@example.org", role="counsel", caller=CALLER)
    await services.people.invite(admin, email="c@example.org", role="counsel", caller=CALLER)


async def test_an_invitation_to_a_role_that_was_granted_more_since_is_refused(
    services: Services, add: Add, admin: Viewer
) -> None:
    await role(services, admin, "early", "conversations.create")
    link, _ = await services.people.invite(add("Mo", "moderator"), email="mo2@example.org", role="early", caller=CALLER)
    await services.teams.grant(
        admin, principal_kind="role", principal="early", resource_kind="model", resource=MODEL, action="use",
        caller=CALLER,
    )  # fmt: skip
    with pytest.raises(NotAllowed):
        await services.registration.accept_invitation(
            re.split("token=", link)[1], name="Mo Two", password="a long sentence of mine", caller=CALLER
        )

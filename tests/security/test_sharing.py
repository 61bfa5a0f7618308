"""Sharing is no way to take a group or a role from those who manage it, and not without end."""

from __future__ import annotations

from uuid import UUID

import psycopg
import pytest

from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.errors import InvalidInput, NotAllowed, TooManyAttempts
from rxchat.domain.ids import new_id
from rxchat.services.app.container import Services
from rxchat.states.documents.documents import DocumentsState
from tests.factories import add_user, signed_in_as
from tests.tab import open_tab

pytestmark = [pytest.mark.anyio, pytest.mark.without_engine]

CALLER = ClientInfo("203.0.113.7", "a browser")


@pytest.fixture
async def admin(services: Services, owner_url: str) -> CurrentUser:
    assert services
    return add_user(owner_url, "Root", "admin")


@pytest.fixture
async def group(services: Services, admin: CurrentUser) -> UUID:
    """A group of which nobody is a member yet."""
    name = f"Legal {new_id().hex[-6:]}"
    return await services.access.groups.save(admin, group_id=None, name=name, description="", client_info=CALLER)


@pytest.fixture
async def collection(services: Services, current_user: CurrentUser) -> UUID:
    return await services.documents.collections.create(current_user, "Mine")


async def share(services: Services, current_user: CurrentUser, kind: str, principal: str, resource: UUID) -> None:
    await services.access.grants.add(
        current_user, principal_kind=kind, principal=principal, resource_kind="conversation", resource=str(resource),
        action="read", client_info=CALLER,
    )  # fmt: skip


async def test_a_stranger_to_a_group_cannot_take_it_from_its_managers_by_sharing(
    services: Services, current_user: CurrentUser, owner_url: str, admin: CurrentUser, group: UUID, collection: UUID
) -> None:
    assert str(group) not in dict(await services.documents.collection_shares.groups(current_user))
    with pytest.raises(InvalidInput, match="not a member"):
        await services.documents.collection_shares.add(current_user, collection, "group", str(group), CALLER)
    moderator, member = add_user(owner_url, "Mo", "moderator"), add_user(owner_url, "Member")
    await services.access.groups.set_member(moderator, group, member.user_id, CALLER, is_member=True)
    # A member shares with the group, and so do those who manage it or grants.
    member = await services.accounts.sessions.current_user(await signed_in_as(services, member))
    for owner in (member, moderator, admin):
        assert str(group) in dict(await services.documents.collection_shares.groups(owner))
        own = await services.documents.collections.create(owner, "Own")
        assert await services.documents.collection_shares.add(owner, own, "group", str(group), CALLER)


async def test_the_dialog_offers_the_groups_that_one_can_share_with(
    services: Services, current_user: CurrentUser, admin: CurrentUser, group: UUID, collection: UUID
) -> None:
    assert group
    other = await services.access.groups.save(admin, group_id=None, name="Other", description="", client_info=CALLER)
    await services.access.groups.set_member(admin, other, current_user.user_id, CALLER, is_member=True)
    async with open_tab(await signed_in_as(services, current_user)) as tab:
        tab.be_at(collection_id=str(collection))
        tab.path = f"/documents/{collection}"
        await tab.send_event(DocumentsState, "load")
        await tab.until(lambda: tab.shown(DocumentsState, "loaded"))
        assert [item.id for item in tab.shown(DocumentsState, "groups")] == [str(other)]


async def test_a_conversation_is_granted_to_own_groups_alone_and_to_no_role(
    services: Services, current_user: CurrentUser, admin: CurrentUser, owner_url: str, group: UUID
) -> None:
    theirs = (
        await services.chat.messages.send_message(current_user, None, "Hello", "scripted:tokens=2")
    ).conversation_id
    for kind, principal in (("group", str(group)), ("role", "member"), ("role", current_user.role)):
        with pytest.raises(NotAllowed):
            await share(services, current_user, kind, principal, theirs)
    # So the role and the group can still be given by those who could before.
    moderator = add_user(owner_url, "Mo", "moderator")
    await services.access.user_admin.invite(
        moderator, email=f"{new_id().hex}@example.org", role="member", group_ids=[group], client_info=CALLER
    )
    await services.access.groups.set_member(admin, group, current_user.user_id, CALLER, is_member=True)
    current_user = await services.accounts.sessions.current_user(await signed_in_as(services, current_user))
    await share(services, current_user, "group", str(group), theirs)
    await share(services, current_user, "everyone", "*", theirs)


async def test_shares_of_all_kinds_slow_down(
    services: Services, current_user: CurrentUser, admin: CurrentUser, group: UUID, collection: UUID
) -> None:
    await services.access.groups.set_member(admin, group, current_user.user_id, CALLER, is_member=True)
    current_user = await services.accounts.sessions.current_user(await signed_in_as(services, current_user))
    count = 0
    with pytest.raises(TooManyAttempts):
        while count < 200:
            kind, principal = (("everyone", ""), ("group", str(group)))[count % 2]
            await services.documents.collection_shares.add(current_user, collection, kind, principal, CALLER)
            count += 1
    assert 20 < count <= 65
    theirs = (
        await services.chat.messages.send_message(current_user, None, "Hello", "scripted:tokens=2")
    ).conversation_id
    with pytest.raises(TooManyAttempts):
        await share(services, current_user, "everyone", "*", theirs)
    # Another user's shares, from the same address, are counted apart.
    own = await services.documents.collections.create(admin, "Own")
    assert await services.documents.collection_shares.add(admin, own, "everyone", "", CALLER) == "Everyone"


@pytest.mark.parametrize("kind", ["conversation", "collection"])
@pytest.mark.parametrize(
    "form", ["{bare}----", "{{{bare}}}--", "----{bare}", "------------------------------------", "*x"]
)
async def test_a_grant_on_what_is_no_id_is_refused(
    services: Services, admin: CurrentUser, kind: str, form: str
) -> None:
    wrong = form.format(bare=new_id().hex)
    for principal, resource in ((str(new_id()), wrong), (wrong, str(new_id()))):
        with pytest.raises(InvalidInput):
            await services.access.grants.add(
                admin, principal_kind="group", principal=principal, resource_kind=kind, resource=resource,
                action="read", client_info=CALLER,
            )  # fmt: skip


async def test_a_grant_is_stored_as_ids_are_compared(services: Services, admin: CurrentUser, collection: UUID) -> None:
    group = new_id()
    await services.access.grants.add(
        admin, principal_kind="group", principal=str(group).upper(), resource_kind="collection",
        resource=str(collection).upper(), action="read", client_info=CALLER,
    )  # fmt: skip
    stored = {(grant.principal, grant.resource) for _, grant in await services.access.grants.all(admin)}
    assert (str(group), str(collection)) in stored


async def test_a_stored_grant_on_what_is_no_id_keeps_nobody_out(
    services: Services, current_user: CurrentUser, owner_url: str
) -> None:
    with psycopg.connect(owner_url) as connection:
        for kind in ("conversation", "collection"):
            for resource in ("-" * 36, "a" * 36, "x"):
                connection.execute(
                    "INSERT INTO access_grant (id, principal_kind, principal, resource_kind, resource, action)"
                    " VALUES (%s, 'everyone', '*', %s, %s, 'read')",
                    (new_id(), kind, resource),
                )
    assert await services.chat.conversations.page(current_user) == []
    assert await services.documents.collections.readable(current_user) == []


async def test_a_kind_of_thing_that_has_no_writers_is_shared_for_reading_only(
    services: Services, current_user: CurrentUser
) -> None:
    shares = services.documents.collection_shares
    collection = await services.documents.collections.create(current_user, "Papers")
    await shares.add(current_user, collection, "everyone", "", CALLER, may_write=True)
    [share] = await shares.of(current_user, collection)
    assert (share.name, share.may_write) == ("Everyone", False)

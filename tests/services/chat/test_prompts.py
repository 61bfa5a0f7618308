"""The library of prompts: versions, conflicts, deletion and limits, and what others may do with it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from uuid import UUID

import psycopg
import pytest

from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.errors import Conflict, InvalidInput, NotAllowed, NotFound
from rxchat.domain.ids import new_id
from rxchat.domain.permissions import Permission, Scope
from rxchat.services.app.container import Services
from rxchat.services.chat import prompts as module
from tests import owner
from tests.db.platform.populated import acting
from tests.factories import add_user

pytestmark = [pytest.mark.anyio, pytest.mark.without_engine]

CALLER = ClientInfo("203.0.113.7", "a browser")
SAID = {"title": "Summarize", "command": "sum", "text": "Summarize {{text}}", "description": "In short"}


@pytest.fixture
def stranger(services: Services, owner_url: str) -> CurrentUser:
    assert services
    return add_user(owner_url, "Stranger")


@pytest.fixture
async def prompt_id(services: Services, current_user: CurrentUser) -> UUID:
    return await services.chat.prompts.create(current_user, **SAID)


async def change(services: Services, user: CurrentUser, prompt_id: UUID, version: int, **said: str) -> int:
    return await services.chat.prompts.change(user, prompt_id, version, **(SAID | said), client_info=CALLER)


async def share(
    services: Services, user: CurrentUser, prompt_id: UUID, kind: str, principal: str, *, may_write: bool = False
) -> None:
    await services.chat.prompt_shares.add(user, prompt_id, kind, principal, may_write=may_write, client_info=CALLER)


async def commands(services: Services, user: CurrentUser) -> list[str]:
    return [item.command for item in await services.chat.prompts.library(user)]


async def test_every_change_is_kept_and_each_version_comes_back_as_a_new_one(
    services: Services, current_user: CurrentUser, prompt_id: UUID
) -> None:
    prompts = services.chat.prompts
    assert await change(services, current_user, prompt_id, 1, text="Two", command="two") == 2
    # Nothing is changed, so there is no version more.
    assert await change(services, current_user, prompt_id, 2, text="Two", command="two") == 2
    assert await prompts.restore_version(current_user, prompt_id, 1, 2, CALLER) == 3
    found = await prompts.get(current_user, prompt_id)
    # The command stays: another prompt may have the old one.
    assert (found.content.text, found.content.command, found.version) == (SAID["text"], "two", 3)
    kept = await prompts.versions(current_user, prompt_id)
    assert [(item.version, item.content.text, item.restored_from) for item in kept] == [
        (3, SAID["text"], 1), (2, "Two", None), (1, SAID["text"], None),
    ]  # fmt: skip
    assert {item.changed_by for item in kept} == {current_user.name}
    with pytest.raises(NotFound):
        await prompts.restore_version(current_user, prompt_id, 9, 3, CALLER)


async def test_a_change_to_an_old_version_is_a_conflict_and_changes_nothing(
    services: Services, current_user: CurrentUser, prompt_id: UUID
) -> None:
    await change(services, current_user, prompt_id, 1, text="Mine")
    with pytest.raises(Conflict, match="version 2 is the newest"):
        await change(services, current_user, prompt_id, 1, text="Late")
    with pytest.raises(Conflict):
        await services.chat.prompts.restore_version(current_user, prompt_id, 1, 1, CALLER)
    assert (await services.chat.prompts.get(current_user, prompt_id)).content.text == "Mine"
    # Of changes at the same time one is made.
    results = await asyncio.gather(
        *(change(services, current_user, prompt_id, 2, text=f"Text {number}") for number in range(5)),
        return_exceptions=True,
    )
    assert sorted(type(item).__name__ for item in results) == ["Conflict"] * 4 + ["int"]
    assert len(await services.chat.prompts.versions(current_user, prompt_id)) == 3


async def test_a_command_is_unique_for_its_owner_alone(
    services: Services, current_user: CurrentUser, stranger: CurrentUser, prompt_id: UUID
) -> None:
    prompts = services.chat.prompts
    with pytest.raises(InvalidInput, match="already have a prompt with the command “/sum”") as refused:
        await prompts.create(current_user, **SAID)
    assert refused.value.field == "command"
    other = await prompts.create(current_user, **(SAID | {"command": "other"}))
    with pytest.raises(InvalidInput, match="/sum"):
        await change(services, current_user, other, 1, command="sum")
    await prompts.create(stranger, **SAID)
    both = await asyncio.gather(
        *(prompts.create(current_user, **(SAID | {"command": "same"})) for _ in range(3)), return_exceptions=True
    )
    assert sorted(type(item).__name__ for item in both) == ["InvalidInput", "InvalidInput", "UUID"]
    copies = [await prompts.duplicate(current_user, prompt_id) for _ in range(2)]
    assert [(await prompts.get(current_user, item)).content.command for item in copies] == ["sum-2", "sum-3"]


async def test_a_deleted_prompt_comes_back_with_its_shares_and_a_free_command(
    services: Services, current_user: CurrentUser, stranger: CurrentUser, prompt_id: UUID
) -> None:
    prompts = services.chat.prompts
    await share(services, current_user, prompt_id, "user", stranger.email)
    await prompts.remove(current_user, prompt_id)
    assert (await commands(services, current_user), await commands(services, stranger)) == ([], [])
    for gone in (prompts.get(stranger, prompt_id), prompts.remove(current_user, prompt_id)):
        with pytest.raises(NotFound):
            await gone
    [line] = await prompts.deleted(current_user)
    assert (line.id, line.title) == (prompt_id, "Summarize")
    await prompts.create(current_user, **SAID)
    with pytest.raises(NotFound):
        await prompts.restore(stranger, prompt_id)
    assert await prompts.restore(current_user, prompt_id) == "sum-2"
    assert await commands(services, stranger) == ["sum-2"]
    assert (await prompts.get(current_user, prompt_id)).version == 2
    with pytest.raises(NotFound):
        await prompts.restore(current_user, prompt_id)


async def test_deleted_prompts_are_purged_after_thirty_days_with_all_that_they_have(
    services: Services, current_user: CurrentUser, stranger: CurrentUser, prompt_id: UUID, owner_url: str
) -> None:
    await share(services, current_user, prompt_id, "user", stranger.email)
    young = await services.chat.prompts.create(current_user, **(SAID | {"command": "young"}))
    for item in (prompt_id, young):
        await services.chat.prompts.remove(current_user, item)
    with owner.transaction(owner_url) as connection:
        connection.execute("UPDATE prompt SET deleted_at = now() - interval '31 days' WHERE id = %s", (prompt_id,))
    await services.chat.prompts.purge()
    assert [item.id for item in await services.chat.prompts.deleted(current_user)] == [young]
    with owner.transaction(owner_url) as connection:
        for query in (
            "SELECT count(*) FROM prompt_version WHERE prompt_id::text = %s",
            "SELECT count(*) FROM access_grant WHERE resource = %s",
        ):
            assert connection.execute(query, (str(prompt_id),)).fetchone() == (0,), query


async def test_only_a_deleted_prompt_is_deleted_for_good_and_by_its_owner_alone(
    services: Services, current_user: CurrentUser, stranger: CurrentUser, prompt_id: UUID
) -> None:
    prompts = services.chat.prompts
    await share(services, current_user, prompt_id, "user", stranger.email, may_write=True)
    for user in (current_user, stranger):
        with pytest.raises(NotFound):
            await prompts.delete_for_good(user, prompt_id)
    await prompts.remove(current_user, prompt_id)
    with pytest.raises(NotFound):
        await prompts.delete_for_good(stranger, prompt_id)
    await prompts.delete_for_good(current_user, prompt_id)
    assert await prompts.deleted(current_user) == []
    with pytest.raises(NotFound):
        await prompts.restore(current_user, prompt_id)


async def test_all_versions_count_for_the_space_that_prompts_may_take(
    services: Services, current_user: CurrentUser, prompt_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompts = services.chat.prompts
    monkeypatch.setattr(module, "MOST_BYTES", 150)
    await change(services, current_user, prompt_id, 1, text="ä" * 80)
    for more in (
        change(services, current_user, prompt_id, 2, text="x"),
        prompts.create(current_user, **(SAID | {"command": "other"})),
    ):
        with pytest.raises(InvalidInput, match="Delete some permanently"):
            await more
    await prompts.remove(current_user, prompt_id)
    with pytest.raises(InvalidInput):
        await prompts.create(current_user, **SAID)
    await prompts.delete_for_good(current_user, prompt_id)
    await prompts.create(current_user, **SAID)


async def test_there_is_an_end_to_prompts_and_versions(
    services: Services, current_user: CurrentUser, prompt_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompts = services.chat.prompts
    monkeypatch.setattr(module, "MOST_PROMPTS", 1)
    monkeypatch.setattr(module, "MOST_VERSIONS", 2)
    for more in (prompts.create(current_user, **SAID), prompts.duplicate(current_user, prompt_id)):
        with pytest.raises(InvalidInput, match="the maximum"):
            await more
    await change(services, current_user, prompt_id, 1, text="Two")
    with pytest.raises(Conflict, match="the maximum"):
        await change(services, current_user, prompt_id, 2, text="Three")
    with pytest.raises(InvalidInput, match="20,000"):
        await change(services, current_user, prompt_id, 2, text="x" * 20_001)


async def test_a_stranger_finds_nothing_and_changes_nothing(
    services: Services, current_user: CurrentUser, stranger: CurrentUser, prompt_id: UUID
) -> None:
    prompts, shares = services.chat.prompts, services.chat.prompt_shares
    for unknown in (prompt_id, new_id()):
        for attempt in (
            prompts.get(stranger, unknown), prompts.filled(stranger, unknown, {}), prompts.duplicate(stranger, unknown),
            prompts.versions(stranger, unknown), prompts.remove(stranger, unknown), prompts.restore(stranger, unknown),
            prompts.restore_version(stranger, unknown, 1, 1, CALLER), change(services, stranger, unknown, 1, text="x"),
            shares.of(stranger, unknown), shares.remove(stranger, unknown, new_id(), CALLER),
            share(services, stranger, unknown, "everyone", ""),
        ):  # fmt: skip
            with pytest.raises(NotFound):
                await attempt
    assert await prompts.library(stranger) == [] and await prompts.search(stranger, "", 9) == []
    assert (await prompts.get(current_user, prompt_id)).version == 1


async def test_readers_use_a_prompt_and_change_nothing(
    services: Services, current_user: CurrentUser, stranger: CurrentUser, prompt_id: UUID
) -> None:
    prompts = services.chat.prompts
    await share(services, current_user, prompt_id, "user", stranger.email)
    [line] = await prompts.library(stranger)
    assert (line.command, line.may_write, line.is_shared) == ("sum", False, False)
    assert [line.is_shared for line in await prompts.library(current_user)] == [True]
    [choice] = await prompts.search(stranger, "SUMMAR", 9)
    assert (choice.id, choice.has_variables, choice.is_own) == (prompt_id, True, False)
    assert await prompts.filled(stranger, prompt_id, {"text": "this"}) == "Summarize this"
    for attempt in (
        change(services, stranger, prompt_id, 1, text="x"), prompts.restore_version(stranger, prompt_id, 1, 1, CALLER),
        prompts.versions(stranger, prompt_id), prompts.remove(stranger, prompt_id),
    ):  # fmt: skip
        with pytest.raises(NotAllowed):
            await attempt
    for attempt in (
        share(services, stranger, prompt_id, "everyone", ""), services.chat.prompt_shares.of(stranger, prompt_id),
    ):  # fmt: skip
        with pytest.raises(NotFound):
            await attempt
    copy = await prompts.duplicate(stranger, prompt_id)
    assert (await prompts.get(stranger, copy)).owner_id == stranger.user_id


async def test_writers_change_what_it_says_and_nothing_else(
    services: Services, current_user: CurrentUser, stranger: CurrentUser, prompt_id: UUID
) -> None:
    prompts, shares = services.chat.prompts, services.chat.prompt_shares
    await share(services, current_user, prompt_id, "user", stranger.email)
    # Shared again, it is shared in the other way, and not twice.
    await share(services, current_user, prompt_id, "user", stranger.email, may_write=True)
    [given] = await shares.of(current_user, prompt_id)
    assert (given.name, given.may_write) == (stranger.email, True)
    assert await change(services, stranger, prompt_id, 1, text="Theirs") == 2
    assert await prompts.restore_version(stranger, prompt_id, 1, 2, CALLER) == 3
    assert [item.changed_by for item in await prompts.versions(current_user, prompt_id)] == ["Stranger"] * 2 + ["Ada"]
    with pytest.raises(InvalidInput, match="Only the owner"):
        await change(services, stranger, prompt_id, 3, command="other")
    with pytest.raises(NotAllowed):
        await prompts.remove(stranger, prompt_id)
    with pytest.raises(NotFound):
        await share(services, stranger, prompt_id, "everyone", "")
    await shares.remove(current_user, prompt_id, given.grant_id, CALLER)
    with pytest.raises(NotFound):
        await prompts.get(stranger, prompt_id)


async def test_versions_of_a_deleted_account_stay_without_its_name(
    services: Services, current_user: CurrentUser, stranger: CurrentUser, prompt_id: UUID, owner_url: str
) -> None:
    await share(services, current_user, prompt_id, "user", stranger.email, may_write=True)
    await change(services, stranger, prompt_id, 1, text="Theirs")
    with owner.transaction(owner_url) as connection:
        connection.execute("DELETE FROM user_account WHERE id = %s", (stranger.user_id,))
    kept = await services.chat.prompts.versions(current_user, prompt_id)
    assert [(item.version, item.changed_by) for item in kept] == [(2, ""), (1, "Ada")]
    assert await services.chat.prompt_shares.of(current_user, prompt_id) == []


async def test_members_of_a_group_read_what_is_shared_with_it_while_they_are_members(
    services: Services, current_user: CurrentUser, stranger: CurrentUser, prompt_id: UUID, owner_url: str
) -> None:
    admin = add_user(owner_url, "Root", "admin")
    groups = services.access.groups
    group = await groups.save(admin, group_id=None, name=f"G {new_id()}", description="", client_info=CALLER)
    with pytest.raises(InvalidInput, match="not a member"):
        await share(services, current_user, prompt_id, "group", str(group))
    await groups.set_member(admin, group, current_user.user_id, CALLER, is_member=True)
    member, outsider = replace(current_user, groups=frozenset({group})), stranger
    await share(services, member, prompt_id, "group", str(group))
    assert await commands(services, outsider) == []
    # Members are added by those who may give grants, now that something is shared with the group.
    await groups.set_member(admin, group, stranger.user_id, CALLER, is_member=True)
    inside = replace(stranger, groups=frozenset({group}))
    assert await commands(services, inside) == ["sum"]
    assert [item.name.startswith("G ") for item in await services.chat.prompt_shares.of(member, prompt_id)] == [True]
    await groups.set_member(admin, group, stranger.user_id, CALLER, is_member=False)
    assert await commands(services, stranger) == []


async def test_policies_refuse_what_services_would_not_do(
    services: Services, current_user: CurrentUser, stranger: CurrentUser, prompt_id: UUID, database_url: str
) -> None:
    writer, reader = stranger.user_id, new_id()
    await share(services, current_user, prompt_id, "user", stranger.email, may_write=True)
    deletion = "UPDATE prompt SET deleted_at = now()"
    forged = (
        "INSERT INTO prompt_version (owner_id, prompt_id, version, title, command, text, description, changed_by)"
        f" VALUES ('{current_user.user_id}', '{prompt_id}', 2, '', '', '', '', '%s')"
    )
    refused = psycopg.errors.InsufficientPrivilege
    for user_id, statement in (
        (writer, deletion), (writer, forged % current_user.user_id), (reader, forged % reader),
        (writer, "UPDATE prompt_version SET text = 'x'"), (current_user.user_id, "DELETE FROM prompt_version"),
        (writer, "UPDATE prompt SET owner_id = gen_random_uuid()"),
    ):  # fmt: skip
        with acting(database_url, user_id) as connection, pytest.raises(refused):
            connection.execute(statement.encode())
    with acting(database_url, reader) as connection:
        assert connection.execute("SELECT FROM prompt").rowcount == 0
        assert connection.execute("UPDATE prompt SET text = 'x'").rowcount == 0
        connection.rollback()


async def test_a_key_needs_the_scope_and_a_role_the_permission(
    services: Services, current_user: CurrentUser, prompt_id: UUID, owner_url: str
) -> None:
    prompts = services.chat.prompts
    reading = replace(current_user, scopes=frozenset({Scope.READ}))
    assert await commands(services, reading) == ["sum"]
    files = replace(current_user, scopes=frozenset({Scope.FILES}))
    guest = add_user(owner_url, "Guest", "guest")
    mute = replace(guest, permissions=frozenset())
    own = await prompts.create(guest, **SAID)
    for attempt in (
        prompts.create(reading, **SAID), change(services, reading, prompt_id, 1, text="x"),
        prompts.remove(reading, prompt_id), prompts.library(files), prompts.get(files, prompt_id),
        share(services, reading, prompt_id, "everyone", ""), prompts.create(mute, **SAID),
        prompts.duplicate(mute, own), share(services, guest, own, "everyone", ""),
    ):  # fmt: skip
        with pytest.raises(NotAllowed):
            await attempt
    assert Permission.COLLECTIONS_CREATE not in guest.permissions


async def test_what_concerns_others_is_in_the_audit_log(
    services: Services, current_user: CurrentUser, stranger: CurrentUser, prompt_id: UUID, owner_url: str
) -> None:
    await share(services, current_user, prompt_id, "user", stranger.email, may_write=True)
    await change(services, stranger, prompt_id, 1, text="Theirs")
    await change(services, current_user, prompt_id, 2, text="Mine")
    [given] = await services.chat.prompt_shares.of(current_user, prompt_id)
    await services.chat.prompt_shares.remove(current_user, prompt_id, given.grant_id, CALLER)
    with owner.transaction(owner_url) as connection:
        found = connection.execute(
            "SELECT action, actor_id FROM audit_event WHERE data ->> 'prompt' = %s ORDER BY seq", (str(prompt_id),)
        ).fetchall()
    ada, other = current_user.user_id, stranger.user_id
    assert found == [("prompt_shared", ada), ("prompt_changed", other), ("prompt_unshared", ada)]

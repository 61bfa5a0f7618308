"""Tags: whose they are, what has them, and what finds it."""

from __future__ import annotations

from uuid import UUID

import pytest

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.conversation_search import FoundKind
from rxchat.domain.conversations import ConversationList
from rxchat.domain.errors import InvalidInput, NotFound
from rxchat.domain.ids import new_id
from rxchat.domain.tags import NAME_CHARACTERS, TagColor, next_color
from rxchat.services.app.container import Services
from rxchat.services.chat import tags as module
from tests.factories import add_user
from tests.services.chat.test_archive import begun

pytestmark = pytest.mark.anyio


async def names(services: Services, current_user: CurrentUser) -> dict[str, int]:
    return {tag.name: tag.count for tag in await services.chat.organizing.tags.of_user(current_user)}


async def tagged(services: Services, current_user: CurrentUser, tag_id: UUID) -> list[str]:
    page = await services.chat.conversations.page(current_user, ConversationList.CURRENT, tag_id=tag_id)
    return [item.title for item in page]


async def test_tags_are_made_when_typed_renamed_and_deleted(services: Services, current_user: CurrentUser) -> None:
    tags, first, second = (
        services.chat.organizing.tags,
        await begun(services, current_user, "one"),
        await begun(services, current_user, "two"),
    )
    work = await tags.add(current_user, [first, second], "  #Work  ")
    assert await tags.add(current_user, [first], "work") == work
    home = await tags.add(current_user, [second], "Home and garden")
    assert await names(services, current_user) == {"Home and garden": 1, "Work": 2}
    assert await tags.counts(current_user, [first, second]) == {work: 2, home: 1}
    assert await tagged(services, current_user, work) == ["two", "one"]
    [red, orange] = sorted(await tags.of_user(current_user), key=lambda tag: tag.id)
    assert (red.color, orange.color) == (TagColor.RED, TagColor.ORANGE)
    await tags.set(current_user, [first], work, is_set=False)
    assert await tagged(services, current_user, work) == ["two"]
    await tags.change(current_user, work, name="Office", color=TagColor.BLUE)
    assert await names(services, current_user) == {"Home and garden": 1, "Office": 1}
    with pytest.raises(InvalidInput, match="Another tag"):
        await tags.change(current_user, work, name="HOME and garden")
    for wrong in ("", "  # ", "x" * (NAME_CHARACTERS + 1)):
        with pytest.raises(InvalidInput, match="name of the tag"):
            await tags.create(current_user, wrong)
    # What is in the trash does not count, and has its tags when it is back.
    await services.chat.conversations.remove(current_user, second)
    assert await names(services, current_user) == {"Home and garden": 0, "Office": 0}
    await services.chat.conversations.restore(current_user, second)
    sidebar = await services.chat.organizing.sidebar.lists(current_user, None, tag_id=home, opened=second)
    assert [item.title for item in sidebar.recent] == ["two"]
    assert set(sidebar.recent[0].tag_ids) == sidebar.opened_tag_ids == {work, home}
    await tags.delete(current_user, home)
    # A tag that is gone filters nothing.
    sidebar = await services.chat.organizing.sidebar.lists(current_user, None, tag_id=home, opened=second)
    assert (len(sidebar.recent), sidebar.tag_id, sidebar.opened_tag_ids) == (2, None, {work})


async def test_another_user_neither_sees_nor_sets_tags(
    services: Services, current_user: CurrentUser, owner_url: str
) -> None:
    stranger, tags = add_user(owner_url, "Stranger"), services.chat.organizing.tags
    mine, theirs = await begun(services, current_user, "mine"), await begun(services, stranger, "theirs")
    work = await tags.add(current_user, [mine], "Work")
    assert await names(services, stranger) == {}
    for tag_id, conversations in ((work, [theirs]), (work, [mine]), (new_id(), [theirs])):
        for is_set in (True, False):
            with pytest.raises(NotFound):
                await tags.set(stranger, conversations, tag_id, is_set=is_set)
    with pytest.raises(NotFound):
        await tags.add(current_user, [mine, theirs], "New")
    with pytest.raises(NotFound):
        await tags.counts(stranger, [theirs, mine])
    with pytest.raises(NotFound):
        await tags.change(stranger, work, name="x")
    with pytest.raises(NotFound):
        await tags.change(stranger, work)
    with pytest.raises(NotFound):
        await tags.delete(stranger, work)
    assert await names(services, current_user) == {"Work": 1}
    # Each user has their own tag of a name.
    await tags.add(stranger, [theirs], "Work")
    assert await tagged(services, stranger, work) == []


async def test_search_finds_by_tags(services: Services, current_user: CurrentUser) -> None:
    first, second = await begun(services, current_user, "Boats of wood"), await begun(services, current_user, "Boats")
    await services.chat.organizing.tags.add(current_user, [first], "Sea Trips")
    await services.chat.organizing.tags.add(current_user, [second], "other")

    async def found(query: str) -> list[tuple[FoundKind, str]]:
        return [(item.kind, item.title) for item in await services.chat.search.search(current_user, query)]

    assert await found('tag:"sea trips"') == [(FoundKind.CONVERSATION, "Boats of wood")]
    boats = await found('boats tag:"Sea Trips"')
    assert set(boats) == {(FoundKind.CONVERSATION, "Boats of wood"), (FoundKind.MESSAGE, "Boats of wood")}
    assert {title for _, title in await found("tag:OTHER boats")} == {"Boats"}
    assert await found("tag:unknown boats") == [] == await found("tag:unknown")
    assert {title for _, title in await found("boats")} == {"Boats of wood", "Boats"}


async def test_there_is_an_end_to_tags(
    services: Services, current_user: CurrentUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_TAGS", 1)
    first = await services.chat.organizing.tags.create(current_user, "one")
    assert await services.chat.organizing.tags.create(current_user, "ONE") == first
    with pytest.raises(InvalidInput, match="Delete one first"):
        await services.chat.organizing.tags.create(current_user, "two")


def test_a_new_tag_has_the_color_that_is_used_least() -> None:
    assert next_color([]) is TagColor.RED
    assert next_color([TagColor.RED, TagColor.RED, TagColor.ORANGE]) is TagColor.YELLOW
    assert next_color(color for color in TagColor if color is not TagColor.GRAY) is TagColor.GRAY

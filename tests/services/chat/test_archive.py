"""Pinned, archived and deleted conversations: which list has them, whose they are, and when they are gone for good."""

from __future__ import annotations

import pytest

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.conversations import ConversationList
from rxchat.domain.errors import InvalidInput, NotFound
from rxchat.domain.ids import new_id
from rxchat.services.app.container import Services
from rxchat.services.chat import conversations as module
from tests import owner
from tests.factories import add_user
from tests.services.chat.test_run_engine import ended

pytestmark = pytest.mark.anyio


async def begun(services: Services, current_user: CurrentUser, words: str) -> module.UUID:
    turn = await services.chat.messages.send_message(current_user, None, words, "scripted:tokens=2")
    await ended(services, current_user, turn.conversation_id)
    return turn.conversation_id


async def listed(services: Services, current_user: CurrentUser, of: ConversationList) -> list[str]:
    return [item.title for item in await services.chat.conversations.page(current_user, of)]


async def test_each_list_has_what_belongs_there_in_the_order_of_the_last_messages(
    services: Services, current_user: CurrentUser
) -> None:
    conversations = services.chat.conversations
    first, second, third = [await begun(services, current_user, words) for words in ("one", "two", "three")]
    await conversations.rename(current_user, first, "first")
    await conversations.pin(current_user, second, is_pinned=True)
    assert await listed(services, current_user, ConversationList.CURRENT) == ["three", "two", "first"]
    found = await services.chat.organizing.sidebar.lists(current_user, None)
    assert ([item.title for item in found.pinned], [item.title for item in found.recent]) == (
        ["two"],
        ["three", "first"],
    )
    await conversations.archive(current_user, third, is_archived=True)
    await conversations.remove(current_user, first)
    assert await listed(services, current_user, ConversationList.CURRENT) == ["two"]
    assert await listed(services, current_user, ConversationList.ARCHIVED) == ["three"]
    assert await listed(services, current_user, ConversationList.DELETED) == ["first"]
    history = await conversations.history(current_user, third)
    assert history.is_archived and not history.is_pinned
    # An archived conversation can be read, and is back where it was.
    assert (await conversations.open(current_user, third)).title == "three"
    await conversations.archive(current_user, third, is_archived=False)
    await conversations.restore(current_user, first)
    await conversations.pin(current_user, second, is_pinned=False)
    assert await listed(services, current_user, ConversationList.RECENT) == ["three", "two", "first"]


async def test_there_is_an_end_to_pinning(
    services: Services, current_user: CurrentUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_PINNED", 1)
    one, other = [await begun(services, current_user, words) for words in ("one", "two")]
    await services.chat.conversations.pin(current_user, one, is_pinned=True)
    with pytest.raises(InvalidInput, match="Unpin one first"):
        await services.chat.conversations.pin(current_user, other, is_pinned=True)


async def test_only_what_was_deleted_is_deleted_for_good_with_all_that_it_has(
    services: Services, current_user: CurrentUser, owner_url: str
) -> None:
    kept, deleted, more = [await begun(services, current_user, words) for words in ("one", "two", "three")]
    conversations, trash = services.chat.conversations, services.chat.conversation_trash
    for conversation_id in (deleted, more):
        await conversations.remove(current_user, conversation_id)
    for wrong in (kept, new_id()):
        with pytest.raises(NotFound):
            await trash.delete_for_good(current_user, [wrong])
    await trash.delete_for_good(current_user, [deleted])
    with pytest.raises(NotFound):
        await conversations.restore(current_user, deleted)
    with owner.transaction(owner_url) as connection:
        for table in ("conversation_event", "message", "run"):
            left = connection.execute(f"SELECT count(*) FROM {table} WHERE conversation_id = %s", (deleted,))
            assert left.fetchone() == (0,), table
    assert await trash.empty(current_user) == 1 and await trash.empty(current_user) == 0
    assert await listed(services, current_user, ConversationList.CURRENT) == ["one"]


async def test_another_user_neither_moves_nor_deletes_a_conversation(
    services: Services, current_user: CurrentUser, owner_url: str
) -> None:
    stranger = add_user(owner_url, "Stranger")
    conversations, trash = services.chat.conversations, services.chat.conversation_trash
    conversation_id = await begun(services, current_user, "mine")
    with pytest.raises(NotFound):
        await conversations.pin(stranger, conversation_id, is_pinned=True)
    with pytest.raises(NotFound):
        await conversations.archive(stranger, conversation_id, is_archived=True)
    await conversations.remove(current_user, conversation_id)
    with pytest.raises(NotFound):
        await trash.delete_for_good(stranger, [conversation_id])
    assert await trash.empty(stranger) == 0
    assert await listed(services, stranger, ConversationList.DELETED) == []
    await conversations.restore(current_user, conversation_id)


async def test_the_trash_is_purged_after_thirty_days(
    services: Services, current_user: CurrentUser, owner_url: str
) -> None:
    old, young = [await begun(services, current_user, words) for words in ("old", "young")]
    for conversation_id, days in ((old, 31), (young, 29)):
        await services.chat.conversations.remove(current_user, conversation_id)
        with owner.transaction(owner_url) as connection:
            connection.execute(
                "UPDATE conversation SET deleted_at = now() - make_interval(days => %s) WHERE id = %s",
                (days, conversation_id),
            )
    await services.chat.conversation_trash.purge()
    assert await listed(services, current_user, ConversationList.DELETED) == ["young"]

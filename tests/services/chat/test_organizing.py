"""Several conversations at once, and how far users have read: whose they are, and what changes."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import event

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.bulk_actions import MOST_AT_ONCE, BulkAction
from rxchat.domain.conversations import ConversationList
from rxchat.domain.errors import InvalidInput, NotFound
from rxchat.domain.ids import new_id
from rxchat.services.app.container import Services
from rxchat.services.chat import bulk_actions
from tests import owner
from tests.factories import add_user
from tests.services.answering import ENDLESS, ended
from tests.services.chat.test_archive import begun, listed

pytestmark = pytest.mark.anyio


def share(owner_url: str, conversation_id: UUID, reader: CurrentUser) -> None:
    with owner.transaction(owner_url) as connection:
        connection.execute(
            "INSERT INTO access_grant (id, principal_kind, principal, resource_kind, resource, action)"
            " VALUES (%s, 'user', %s, 'conversation', %s, 'read')",
            (new_id(), str(reader.user_id), str(conversation_id)),
        )


async def three(services: Services, current_user: CurrentUser) -> list[UUID]:
    return [await begun(services, current_user, words) for words in ("one", "two", "three")]


async def test_several_conversations_are_changed_in_one_statement_and_back(
    services: Services, current_user: CurrentUser
) -> None:
    first, second, third = await three(services, current_user)
    change, statements = services.chat.organizing.bulk_actions.change, []
    engine = services.chat.conversations._database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    assert set(await change(current_user, [first, second, first], BulkAction.ARCHIVE)) == {first, second}
    assert len([statement for statement in statements if "append_event" in statement]) == 1
    assert not [statement for statement in statements if "UPDATE" in statement]
    assert await listed(services, current_user, ConversationList.CURRENT) == ["three"]
    # Only what was changed is undone: this one was archived before.
    assert await change(current_user, [second, third], BulkAction.ARCHIVE) == [third]
    await change(current_user, [third], BulkAction.ARCHIVE.reverse)
    assert await listed(services, current_user, ConversationList.ARCHIVED) in (["one", "two"], ["two", "one"])
    await change(current_user, [first, second], BulkAction.UNARCHIVE)
    await change(current_user, [first, third], BulkAction.PIN)
    assert await listed(services, current_user, ConversationList.PINNED) == ["three", "one"]
    await change(current_user, [first, second, third], BulkAction.REMOVE)
    assert await listed(services, current_user, ConversationList.CURRENT) == []
    # What is deleted is neither pinned nor archived.
    assert await change(current_user, [first, second], BulkAction.ARCHIVE) == []
    await change(current_user, [first, second, third], BulkAction.RESTORE)
    assert await listed(services, current_user, ConversationList.CURRENT) == ["three", "two", "one"]
    # Events, and what they are replayed to, are those of single actions.
    history = await services.chat.conversations.history(current_user, first)
    page = await services.chat.conversations.open(current_user, first)
    assert (history.is_pinned, history.is_archived, history.removed, history.seq) == (True, False, False, page.seq)


async def test_answers_of_deleted_conversations_are_stopped(services: Services, current_user: CurrentUser) -> None:
    turn = await services.chat.messages.send_message(current_user, None, "go", ENDLESS)
    await services.chat.organizing.bulk_actions.change(current_user, [turn.conversation_id], BulkAction.REMOVE)
    await services.chat.organizing.bulk_actions.change(current_user, [turn.conversation_id], BulkAction.RESTORE)
    assert (await ended(services, current_user, turn.conversation_id)).state == "stopped"


async def test_one_conversation_of_another_user_refuses_all(
    services: Services, current_user: CurrentUser, owner_url: str
) -> None:
    mine = await begun(services, current_user, "mine")
    stranger = add_user(owner_url, "Stranger")
    theirs = await begun(services, stranger, "theirs")
    change = services.chat.organizing.bulk_actions.change
    # Who may read a shared conversation may not archive it.
    share(owner_url, theirs, current_user)
    assert (await services.chat.conversations.open(current_user, theirs)).title == "theirs"
    for action in BulkAction:
        for unknown in (theirs, new_id()):
            with pytest.raises(NotFound, match="Nothing was changed"):
                await change(current_user, [mine, unknown], action)
    assert await listed(services, current_user, ConversationList.RECENT) == ["mine"]
    assert await listed(services, stranger, ConversationList.RECENT) == ["theirs"]


async def test_there_is_an_end_to_how_many_are_changed_and_pinned(
    services: Services, current_user: CurrentUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    change, found = services.chat.organizing.bulk_actions.change, await three(services, current_user)
    for wrong in ([], [new_id() for _ in range(MOST_AT_ONCE + 1)]):
        with pytest.raises(InvalidInput, match="Choose"):
            await change(current_user, wrong, BulkAction.ARCHIVE)
    monkeypatch.setattr(bulk_actions, "MOST_PINNED", 2)
    with pytest.raises(InvalidInput, match="Unpin some first"):
        await change(current_user, found, BulkAction.PIN)
    assert await listed(services, current_user, ConversationList.PINNED) == []
    await change(current_user, found[:2], BulkAction.PIN)
    await change(current_user, found[:2], BulkAction.PIN)


async def unread(services: Services, current_user: CurrentUser) -> list[str]:
    page = await services.chat.conversations.page(current_user)
    return [item.title for item in page if item.is_unread]


async def test_an_answer_is_unread_until_its_end_was_seen(
    services: Services, current_user: CurrentUser, owner_url: str
) -> None:
    conversations, reads = services.chat.conversations, services.chat.organizing.reads
    first, second = [await begun(services, current_user, words) for words in ("one", "two")]
    assert await unread(services, current_user) == ["two", "one"]
    page = await conversations.open(current_user, first)
    assert page.unread_seq == page.seq
    await reads.mark(current_user, first, page.unread_seq)
    assert await unread(services, current_user) == ["two"]
    assert (await conversations.open(current_user, first)).unread_seq == 0
    # A change that is no answer does not make it unread, and what is read stays read.
    await conversations.rename(current_user, first, "first")
    await reads.mark(current_user, first, 1)
    assert await unread(services, current_user) == ["two"]
    await services.chat.messages.send_message(current_user, first, "more", "scripted:tokens=2")
    assert await unread(services, current_user) == ["two"]
    await ended(services, current_user, first)
    assert sorted(await unread(services, current_user)) == ["first", "two"]
    # A number that is too high does not hide answers to come.
    await reads.mark(current_user, second, 2_000_000_000)
    await services.chat.messages.send_message(current_user, second, "more", "scripted:tokens=2")
    await ended(services, current_user, second)
    assert sorted(await unread(services, current_user)) == ["first", "two"]
    stranger = add_user(owner_url, "Stranger")
    with pytest.raises(NotFound):
        await reads.mark(stranger, first, 5)
    # Each user has read what they have read.
    share(owner_url, first, stranger)
    page = await conversations.open(stranger, first)
    await reads.mark(stranger, first, page.unread_seq)
    assert (await conversations.open(stranger, first)).unread_seq == 0
    assert (await conversations.open(current_user, first)).unread_seq > 0


async def test_a_draft_is_kept_for_other_devices_until_it_is_sent(
    services: Services, current_user: CurrentUser, owner_url: str
) -> None:
    drafts, conversation_id = services.chat.organizing.drafts, await begun(services, current_user, "one")
    assert await drafts.get(current_user, conversation_id) == ""
    for text in ("Half a", "Half a sentence\nand more"):
        await drafts.save(current_user, conversation_id, text)
    assert await drafts.get(current_user, conversation_id) == "Half a sentence\nand more"
    with pytest.raises(InvalidInput, match="Drafts"):
        await drafts.save(current_user, conversation_id, "x" * 10_001)
    stranger = add_user(owner_url, "Stranger")
    share(owner_url, conversation_id, stranger)
    for user, unknown in ((stranger, conversation_id), (current_user, new_id())):
        with pytest.raises(NotFound):
            await drafts.get(user, unknown)
        with pytest.raises(NotFound):
            await drafts.save(user, unknown, "x")
    await drafts.save(current_user, conversation_id, "  \n")
    assert await drafts.get(current_user, conversation_id) == ""


async def test_a_draft_replaces_only_the_one_that_its_device_has_seen(
    services: Services, current_user: CurrentUser
) -> None:
    drafts, conversation_id = services.chat.organizing.drafts, await begun(services, current_user, "one")

    async def save(text: str, base: str | None) -> tuple[str | None, str]:
        answer = await drafts.save(current_user, conversation_id, text, base=base)
        return answer, await drafts.get(current_user, conversation_id)

    assert await save("A long text", "") == (None, "A long text")
    for unseen in ("", "Another text"):
        for text in ("x", "", "long", "%"):
            assert await save(text, unseen) == ("A long text", "A long text"), (text, unseen)
    # What contains it loses nothing: the answer to an earlier save was lost.
    assert await save("A long text, and more", "") == (None, "A long text, and more")
    assert await save("A text\0", "A long text, and more") == (None, "A text\ufffd")
    assert await save("", "A text\0") == (None, "")
    # It was sent from another device; what is typed here is no part of that message.
    assert await save("A new text", "A text") == (None, "A new text")
    assert await save("", None) == (None, "")
    assert await save("", "A new text") == (None, "")

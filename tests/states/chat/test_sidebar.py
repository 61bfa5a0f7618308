"""The sidebar's state: pages of the list, and answers to renames."""

from __future__ import annotations

from itertools import pairwise

import pytest

from rxchat.domain.ids import new_id
from rxchat.services.app.container import Services
from rxchat.services.chat.conversations import PAGE_CONVERSATIONS
from rxchat.states.chat.sidebar import SidebarState
from rxchat.states.chat.thread import ThreadState
from tests import owner
from tests.factories import first_administrator
from tests.tab import Tab, open_tab, open_tabs

pytestmark = pytest.mark.anyio

COUNT = 250


@pytest.fixture
async def cookie(services: Services, owner_url: str) -> str:
    """The session of a user with 250 conversations, one an hour."""
    cookie = await first_administrator(services)
    user_id = (await services.accounts.sessions.current_user(cookie)).user_id
    with owner.transaction(owner_url) as connection:
        connection.execute("SELECT set_config('rxchat.user_id', %s, true)", (str(user_id),))
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO conversation (owner_id, id, leaf_id, title, model, seq, updated_at)"
                " VALUES (%s, %s, gen_random_uuid(), %s, 'm', 0, now() - make_interval(hours => %s))",
                [(user_id, new_id(), f"Number {number}", number) for number in range(COUNT)],
            )
    return cookie


def titles(tab: Tab) -> list[str]:
    groups = [*tab.shown(SidebarState, "groups"), *tab.shown(SidebarState, "older")]
    return [row.title for group in groups for row in group.rows]


def ids(tab: Tab) -> list[str]:
    """Those of the conversations in the groups: which group one is in depends on the time of day."""
    return [row.id for group in tab.shown(SidebarState, "groups") for row in group.rows]


async def load_more(tab: Tab) -> None:
    await tab.do(SidebarState, "more", after=tab.shown(SidebarState, "next_after"))


async def test_the_list_comes_in_pages_to_its_end(cookie: str) -> None:
    async with open_tab(cookie) as tab:
        await tab.do(SidebarState, "load")
        assert titles(tab) == [f"Number {number}" for number in range(PAGE_CONVERSATIONS)]
        first = tab.shown(SidebarState, "next_after")
        await load_more(tab)
        assert len(titles(tab)) == 2 * PAGE_CONVERSATIONS
        await tab.do(SidebarState, "more", after=first)
        assert len(titles(tab)) == 2 * PAGE_CONVERSATIONS, "a page that was asked for twice came twice"
        await load_more(tab)
        assert titles(tab) == [f"Number {number}" for number in range(COUNT)]
        assert tab.shown(SidebarState, "next_after") == ""
        await tab.do(SidebarState, "load")
        assert len(titles(tab)) == COUNT
        groups = [*tab.shown(SidebarState, "groups"), *tab.shown(SidebarState, "older")]
        shown_twice = [group.label for before, group in pairwise(groups) if group.label == before.label]
        assert shown_twice == [group.label for group in groups if group.is_continued]


async def test_a_conversation_of_a_later_page_is_renamed_and_deleted(cookie: str) -> None:
    async with open_tab(cookie) as tab:
        await tab.do(SidebarState, "load")
        await load_more(tab)
        row = tab.shown(SidebarState, "older")[-1].rows[-1]
        await tab.do(SidebarState, "rename", form={"id": row.id, "title": "Renamed", "dialog": "7"})
        assert tab.shown(SidebarState, "answered_rename") == 7
        # It keeps its place in the list.
        assert titles(tab)[-1] == "Renamed" and len(titles(tab)) == 2 * PAGE_CONVERSATIONS
        await tab.do(SidebarState, "remove", conversation_id=row.id)
        assert "Renamed" not in titles(tab) and tab.shown(SidebarState, "flash") == "Deleted “Renamed”"
        await tab.do(SidebarState, "undo")
        assert "Renamed" in titles(tab)


async def test_a_refused_rename_is_answered_with_the_reason(cookie: str) -> None:
    async with open_tab(cookie) as tab:
        await tab.do(SidebarState, "load")
        await tab.do(SidebarState, "rename", form={"id": str(new_id()), "title": "Renamed", "dialog": "8"})
        assert tab.shown(SidebarState, "answered_rename") == 8
        assert tab.shown(ThreadState, "problem")
        assert "Renamed" not in titles(tab)


async def test_several_conversations_are_changed_and_brought_back(cookie: str) -> None:
    async with open_tab(cookie) as tab:
        await tab.do(SidebarState, "load")
        first, second, third = ids(tab)[:3]
        await tab.do(SidebarState, "archive", conversation_id=first)
        # What another tab has archived meanwhile is not brought back by Undo.
        await tab.do(SidebarState, "change_all", form={"ids": [first, second, third], "action": "archive"})
        assert tab.shown(SidebarState, "flash") == "Archived 3 conversations"
        assert not {"Number 0", "Number 1", "Number 2"} & set(titles(tab))
        await tab.do(SidebarState, "undo")
        assert titles(tab)[:2] == ["Number 1", "Number 2"] and "Number 0" not in titles(tab)
        await tab.do(SidebarState, "change_all", form={"ids": [second, third], "action": "pin"})
        assert [row.id for row in tab.shown(SidebarState, "pinned")] == [second, third]
        for wrong in ({"ids": second, "action": "pin"}, {"ids": [second], "action": "restore"}, {"ids": [7]}, {}):
            await tab.do(SidebarState, "change_all", form=wrong)
            assert tab.shown(ThreadState, "problem")
        await tab.do(SidebarState, "change_all", form={"ids": [second, str(new_id())], "action": "remove"})
        assert "Nothing was changed" in tab.shown(ThreadState, "problem")
        assert [row.id for row in tab.shown(SidebarState, "pinned")] == [second, third]


async def test_what_cannot_be_undone_is_not_offered_again(cookie: str, services: Services) -> None:
    current_user = await services.accounts.sessions.current_user(cookie)
    async with open_tab(cookie) as tab:
        await tab.do(SidebarState, "load")
        await tab.do(SidebarState, "remove", conversation_id=ids(tab)[0])
        await services.chat.conversation_trash.empty(current_user)
        await tab.do(SidebarState, "undo")
        assert tab.shown(ThreadState, "problem") and tab.shown(SidebarState, "flash") == ""


async def test_an_answer_that_no_tab_showed_is_marked_and_announced(cookie: str, services: Services) -> None:
    current_user = await services.accounts.sessions.current_user(cookie)
    async with open_tabs(cookie, cookie) as (first, second):
        for tab in (first, second):
            await tab.do(SidebarState, "load")
            tab.visit()
            await tab.send_event(ThreadState, "open")
        turn = await services.chat.messages.send_message(current_user, None, "Later", "scripted:tokens=2")
        conversation_id = str(turn.conversation_id)
        for tab in (first, second):
            await tab.until(lambda tab=tab: tab.shown(SidebarState, "unread") == [conversation_id])
            assert tab.shown(SidebarState, "announcement") == "New answer in “Later”."
        # To choose another list and to return is no news.
        tag = await services.chat.organizing.tags.create(current_user, "work")
        await second.do(SidebarState, "filter_by", tag_id=str(tag))
        assert second.shown(SidebarState, "unread") == []
        await second.do(SidebarState, "filter_by", tag_id="")
        assert second.shown(SidebarState, "unread") == [conversation_id]
        assert second.shown(SidebarState, "announcement") == "New answer in “Later”."
        first.visit(conversation_id)
        await first.send_event(ThreadState, "open")
        seq = await first.until(lambda: first.shown(ThreadState, "unread_seq"))
        for wrong in ("", "-1", "9" * 11, "x"):
            await first.do(ThreadState, "read", conversation_id=conversation_id, seq=wrong)
        assert second.shown(SidebarState, "unread") == [conversation_id]
        await first.do(ThreadState, "read", conversation_id=conversation_id, seq=str(seq))
        assert first.shown(ThreadState, "unread_seq") == 0
        await second.until(lambda: second.shown(SidebarState, "unread") == [])
        # The tab that shows it says when its end was seen, and is not told of a new answer.
        await services.chat.messages.send_message(current_user, turn.conversation_id, "More", "scripted:tokens=2")
        await first.until(lambda: first.shown(ThreadState, "unread_seq") > seq)
        await second.until(lambda: second.shown(SidebarState, "unread") == [conversation_id])
        assert first.shown(SidebarState, "unread") == []

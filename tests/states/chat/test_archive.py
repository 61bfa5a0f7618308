"""The page of archived and deleted conversations, and the sidebar's part of it."""

from __future__ import annotations

from typing import Any

import pytest

from rxchat.domain.ids import new_id
from rxchat.services.app.container import Services
from rxchat.states.chat import archive
from rxchat.states.chat.archive import ArchiveState
from rxchat.states.chat.sidebar import SidebarState
from tests import owner
from tests.factories import first_administrator
from tests.tab import Tab, open_tab

pytestmark = pytest.mark.anyio


@pytest.fixture
async def cookie(services: Services, owner_url: str) -> str:
    """The session of a user with three conversations."""
    cookie = await first_administrator(services)
    user_id = (await services.accounts.sessions.current_user(cookie)).user_id
    with owner.transaction(owner_url) as connection:
        connection.execute("SELECT set_config('rxchat.user_id', %s, true)", (str(user_id),))
        for number in range(3):
            connection.execute(
                "INSERT INTO conversation (owner_id, id, leaf_id, title, model, seq, updated_at)"
                " VALUES (%s, %s, gen_random_uuid(), %s, 'm', 0, now() - make_interval(hours => %s))",
                (user_id, new_id(), f"Number {number}", number),
            )
    return cookie


def shown(tab: Tab, name: str) -> Any:
    return tab.shown(ArchiveState, name)


def titles(rows: Any) -> list[str]:
    return [row.title for row in rows]


def recent(tab: Tab) -> list[str]:
    return [row.title for group in tab.shown(SidebarState, "groups") for row in group.rows]


async def test_pinned_conversations_are_above_the_others(cookie: str) -> None:
    async with open_tab(cookie) as tab:
        await tab.do(SidebarState, "load")
        last = tab.shown(SidebarState, "groups")[-1].rows[-1]
        await tab.do(SidebarState, "pin", conversation_id=last.id)
        assert titles(tab.shown(SidebarState, "pinned")) == ["Number 2"]
        assert recent(tab) == ["Number 0", "Number 1"]
        await tab.do(SidebarState, "unpin", conversation_id=last.id)
        assert (tab.shown(SidebarState, "pinned"), recent(tab)) == ([], ["Number 0", "Number 1", "Number 2"])


async def test_archived_and_deleted_conversations_come_back_or_go(cookie: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "_PAGE", 1)
    async with open_tab(cookie) as tab:
        await tab.do(SidebarState, "load")
        first, second, third = [row.id for group in tab.shown(SidebarState, "groups") for row in group.rows]
        await tab.do(SidebarState, "archive", conversation_id=first)
        assert tab.shown(SidebarState, "flash") == "Archived “Number 0”"
        await tab.do(SidebarState, "undo")
        assert recent(tab) == ["Number 0", "Number 1", "Number 2"]
        await tab.do(SidebarState, "archive", conversation_id=first)
        await tab.do(SidebarState, "remove", conversation_id=second)
        await tab.do(SidebarState, "remove", conversation_id=third)
        await tab.do(ArchiveState, "load")
        assert titles(shown(tab, "archived")) == ["Number 0"] and not shown(tab, "has_more_archived")
        [line] = shown(tab, "deleted")
        assert (line.title, line.left, shown(tab, "has_more_deleted")) == ("Number 2", "30 days left", True)
        await tab.do(ArchiveState, "more_deleted")
        assert titles(shown(tab, "deleted")) == ["Number 2", "Number 1"]
        await tab.do(ArchiveState, "unarchive", conversation_id=first)
        await tab.do(ArchiveState, "restore", conversation_id=second)
        assert (shown(tab, "archived"), recent(tab)) == ([], ["Number 0", "Number 1"])
        await tab.do(ArchiveState, "delete_for_good", form={"id": first, "dialog": "3"})
        assert shown(tab, "problem_dialog") == 3 and shown(tab, "problem") != ""
        await tab.do(ArchiveState, "delete_for_good", form={"id": third, "dialog": "4"})
        assert (shown(tab, "done_dialog"), shown(tab, "deleted")) == (4, [])
        await tab.do(SidebarState, "remove", conversation_id=second)
        await tab.do(ArchiveState, "empty_trash", form={"dialog": "5"})
        assert (shown(tab, "flash"), recent(tab)) == ("1 conversation was deleted permanently.", ["Number 0"])


async def test_several_conversations_leave_the_archive_and_the_trash(cookie: str) -> None:
    async with open_tab(cookie) as tab:
        await tab.do(SidebarState, "load")
        ids = [row.id for group in tab.shown(SidebarState, "groups") for row in group.rows]
        await tab.do(SidebarState, "change_all", form={"ids": ids, "action": "archive"})
        await tab.do(ArchiveState, "load")
        assert (len(shown(tab, "archived")), recent(tab)) == (3, [])
        await tab.do(ArchiveState, "change_all", form={"ids": ids[:2], "action": "remove"})
        assert shown(tab, "flash") == "2 conversations were moved to the trash."
        await tab.do(ArchiveState, "change_all", form={"ids": ids[2:], "action": "unarchive"})
        assert (shown(tab, "archived"), recent(tab)) == ([], ["Number 2"])
        await tab.do(ArchiveState, "change_all", form={"ids": ids[:1], "action": "restore"})
        assert shown(tab, "flash") == "1 conversation was restored."
        await tab.do(ArchiveState, "change_all", form={"ids": ids[:2], "action": "remove"})
        assert shown(tab, "flash") == "1 conversation was moved to the trash."
        await tab.do(ArchiveState, "change_all", form={"ids": ids[:1], "action": "restore"})
        await tab.do(ArchiveState, "change_all", form={"ids": ids[:1], "action": "pin"})
        assert shown(tab, "problem")
        await tab.do(ArchiveState, "delete_all_for_good", form={"ids": f"{ids[1]},x", "dialog": "7"})
        assert (shown(tab, "problem_dialog"), len(shown(tab, "deleted"))) == (7, 1)
        await tab.do(ArchiveState, "delete_all_for_good", form={"ids": f"{ids[1]},{new_id()}", "dialog": "8"})
        assert shown(tab, "flash") == "1 conversation was deleted permanently."
        assert (shown(tab, "done_dialog"), shown(tab, "deleted")) == (8, [])

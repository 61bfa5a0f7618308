"""The dialogs of tags, and the sidebar that is filtered by one."""

from __future__ import annotations

import pytest

from rxchat.domain.ids import new_id
from rxchat.states.chat.sidebar import SidebarState
from rxchat.states.chat.tags import TagsState
from tests.states.chat import test_archive
from tests.states.chat.test_archive import recent
from tests.tab import open_tab

pytestmark = pytest.mark.anyio
cookie = test_archive.cookie
"""The session of a user with three conversations."""


async def test_tags_are_given_shown_filtered_by_and_deleted(cookie: str) -> None:
    async with open_tab(cookie) as tab:
        await tab.do(SidebarState, "load")
        first, second, third = [row.id for group in tab.shown(SidebarState, "groups") for row in group.rows]
        await tab.do(TagsState, "show", form={"ids": [first, second], "dialog": "3"})
        assert (tab.shown(TagsState, "opened"), tab.shown(TagsState, "on_all")) == (3, [])
        await tab.do(TagsState, "add", form={"ids": [first], "name": "Work", "dialog": "3"})
        [work] = tab.shown(SidebarState, "tags")
        assert (work.name, work.color, work.count) == ("Work", "red", 1)
        await tab.do(TagsState, "show", form={"ids": [first, second], "dialog": "4"})
        assert (tab.shown(TagsState, "on_all"), tab.shown(TagsState, "on_some")) == ([], [work.id])
        # Of some that have it, all get it; then all lose it.
        both = {"ids": [first, second], "tag": work.id, "dialog": "4"}
        await tab.do(TagsState, "switch", form=both)
        assert (tab.shown(TagsState, "on_all"), tab.shown(TagsState, "on_some")) == ([work.id], [])
        rows = [row for group in tab.shown(SidebarState, "groups") for row in group.rows]
        assert {row.id: [tag.name for tag in row.tags] for row in rows} == {
            first: ["Work"],
            second: ["Work"],
            third: [],
        }
        await tab.do(SidebarState, "filter_by", tag_id=work.id)
        assert (recent(tab), tab.shown(SidebarState, "tag")) == (["Number 0", "Number 1"], work.id)
        await tab.do(TagsState, "save", form={"id": work.id, "name": "Office", "color": "mauve", "dialog": "5"})
        assert (tab.shown(TagsState, "problem_dialog"), tab.shown(TagsState, "problem_field")) == (5, "color")
        await tab.do(TagsState, "save", form={"id": work.id, "name": "Office", "color": "teal", "dialog": "6"})
        [office] = tab.shown(SidebarState, "tags")
        assert (office.name, office.color, tab.shown(TagsState, "done_dialog")) == ("Office", "teal", 6)
        await tab.do(TagsState, "switch", form=both | {"tag": str(new_id())})
        assert tab.shown(TagsState, "problem")
        await tab.do(TagsState, "delete", form={"id": work.id, "dialog": "7"})
        assert (tab.shown(SidebarState, "tags"), tab.shown(SidebarState, "tag"), len(recent(tab))) == ([], "", 3)

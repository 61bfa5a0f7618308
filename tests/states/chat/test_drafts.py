"""What the composer hears of drafts."""

from __future__ import annotations

import pytest

from rxchat.domain.ids import new_id
from rxchat.states.chat.drafts import DraftsState
from rxchat.states.chat.sidebar import SidebarState
from rxchat.states.chat.thread import ThreadState
from tests.states.chat import test_archive
from tests.tab import open_tabs

pytestmark = pytest.mark.anyio
cookie = test_archive.cookie
"""The session of a user with three conversations."""


async def test_one_tab_saves_what_another_one_loads(cookie: str) -> None:
    async with open_tabs(cookie, cookie) as (first, second):
        await first.do(SidebarState, "load")
        conversation_id = first.shown(SidebarState, "groups")[0].rows[0].id
        await first.do(DraftsState, "save", conversation_id=conversation_id, text="Half a sentence", name="a", base="")
        assert first.shown(DraftsState, "saved") == {"name": "a", "is_saved": True, "other": ""}
        for number in (1, 2):
            await second.do(DraftsState, "load", conversation_id=conversation_id)
            expected = {"conversation": conversation_id, "text": "Half a sentence", "number": number}
            assert second.shown(DraftsState, "loaded") == expected
        # What cannot be saved is not confirmed, and says nothing: the browser keeps it.
        await first.do(DraftsState, "save", conversation_id=str(new_id()), text="x", name="b", base="")
        await first.do(DraftsState, "load", conversation_id=str(new_id()))
        assert (first.shown(DraftsState, "saved")["name"], first.shown(ThreadState, "problem")) == ("a", "")
        # A device that has not seen it gets it, and replaces it neither with a letter nor with nothing.
        for text in ("x", ""):
            await second.do(DraftsState, "save", conversation_id=conversation_id, text=text, name="c" + text, base="")
            expected = {"name": "c" + text, "is_saved": False, "other": "Half a sentence"}
            assert second.shown(DraftsState, "saved") == expected

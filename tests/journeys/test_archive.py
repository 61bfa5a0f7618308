"""Pinning, archiving and deleting conversations, by mouse and by keyboard, and the page where they come back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.browser import Chat

pytestmark = pytest.mark.usefixtures("server")
MODEL = "scripted:count=1,tokens=20"


def choose(chat: Chat, title: str, action: str) -> None:
    """Choose from the menu of a conversation."""
    chat.row(title).hover()
    chat.row(title).get_by_role("button", name=f"Actions for {title}").click()
    chat.page.get_by_role("menuitem", name=action, exact=True).click()


def test_conversations_are_pinned_archived_and_come_back(chat: Chat) -> None:
    for title in ("Keys of the yard", "Plans of the house", "Songs of the sea"):
        chat.begin(MODEL, title).wait_for_end()
    pinned = chat.sidebar.get_by_role("region", name="Pinned")
    choose(chat, "Keys of the yard", "Pin")
    expect(pinned.get_by_role("listitem")).to_have_count(1)
    expect(pinned.get_by_role("link", name="Keys of the yard")).to_be_focused()
    chat.page.reload()
    choose(chat, "Keys of the yard", "Unpin")
    expect(pinned).to_have_count(0)
    choose(chat, "Plans of the house", "Archive")
    expect(chat.row("Plans of the house")).to_have_count(0)
    chat.page.get_by_role("button", name="Undo").click()
    expect(chat.row("Plans of the house")).to_have_count(1)
    choose(chat, "Plans of the house", "Archive")
    choose(chat, "Songs of the sea", "Delete")
    expect(chat.row("Songs of the sea")).to_have_count(0)
    chat.page.get_by_role("button", name=re.compile("Ada Lovelace")).click()
    chat.page.get_by_role("menuitem", name="Archive and trash").click()
    archive, trash = [chat.page.get_by_role("region", name=name) for name in ("Archive", "Trash")]
    expect(archive.get_by_role("link", name="Plans of the house")).to_be_visible()
    expect(trash.get_by_text(re.compile("deleted .* days left")).first).to_be_visible()
    archive.get_by_role("button", name="Unarchive Plans of the house").click()
    expect(chat.row("Plans of the house")).to_have_count(1)
    expect(archive.get_by_text("Nothing is archived.")).to_be_visible()
    trash.get_by_role("button", name="Restore Songs of the sea").click()
    expect(chat.row("Songs of the sea")).to_have_count(1)
    choose(chat, "Songs of the sea", "Delete")
    chat.page.reload()
    trash.get_by_role("button", name="Delete Songs of the sea permanently").click()
    chat.page.get_by_role("dialog").get_by_role("button", name="Delete permanently").click()
    expect(trash.get_by_text("Songs of the sea")).to_have_count(0)
    expect(chat.page.get_by_text("“Songs of the sea” was deleted permanently.")).to_be_visible()

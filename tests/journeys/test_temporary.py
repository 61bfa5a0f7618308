"""A temporary chat: asked and answered, stopped, and gone with the page."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Dialog, expect

from tests.journeys.browser import Chat
from tests.journeys.conftest import ENDLESS

pytestmark = pytest.mark.usefixtures("server")


def test_a_temporary_chat_is_answered_and_is_gone_with_the_page(chat: Chat) -> None:
    page = chat.open().choose("scripted:count=1,tokens=20").page
    page.get_by_role("link", name="Temporary chat").click()
    expect(page.get_by_text("A chat that leaves nothing behind")).to_be_visible()
    field = page.get_by_role("textbox", name="Message")
    expect(field).to_be_focused()
    page.keyboard.type("A secret")
    page.keyboard.press("Enter")
    messages = page.get_by_role("region", name="Messages")
    expect(messages.get_by_text("18 19 20")).to_be_visible()
    expect(field).to_have_value("")
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    expect(chat.sidebar.get_by_text("A secret")).to_have_count(0)
    chat.choose(ENDLESS)
    field.fill("Go on")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Stop the answer").click()
    expect(messages.get_by_text("Stopped")).to_be_visible()
    # Going elsewhere and back loses nothing; loading the page again does, and the browser asks before.
    page.get_by_role("link", name="Documents").click()
    page.wait_for_url("**/documents")
    page.go_back()
    expect(messages.get_by_text("A secret")).to_be_visible()
    asked: list[str] = []

    def accept(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", accept)
    page.reload()
    expect(page.get_by_text("A chat that leaves nothing behind")).to_be_visible()
    assert asked == ["beforeunload"]
    expect(page).to_have_title(re.compile("^Temporary chat"))

"""The history of a conversation: the slider, the map of all versions, and the ways back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.browser import Chat
from tests.journeys.test_versions import TWENTY, button

pytestmark = pytest.mark.usefixtures("server")


def test_a_conversation_is_looked_at_as_it_was_and_restored(chat: Chat) -> None:
    chat.begin(TWENTY, "Count the hours").wait_for_end()
    page = chat.ask("And once more").wait_for_end().page
    button(chat.questions.first, "Edit message").click()
    dialog = page.get_by_role("dialog", name="Edit message")
    dialog.get_by_role("textbox", name="Message").fill("Count again")
    dialog.get_by_role("button", name="Send").click()
    expect(chat.asked).to_have_text(["Count again"])
    chat.wait_for_end()
    page.get_by_role("link", name="History and map").click()
    asked = page.locator(".history-messages .bubble-text")
    expect(asked).to_have_text(["Count again"])
    slider = page.get_by_role("slider", name="Moment of the conversation")
    expect(page.get_by_text("The answer was complete")).to_be_visible()
    restore = page.get_by_role("button", name="Restore", exact=True)
    expect(restore).to_be_disabled()
    slider.focus()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    expect(asked).to_have_text(["Count the hours", "And once more"])
    expect(slider).to_have_attribute("aria-valuetext", re.compile("^Step 7 of 10: The answer was complete"))
    lines = page.get_by_role("list", name="Messages and their versions").get_by_role("listitem")
    expect(lines).to_have_count(5)
    restore.click()
    expect(page.get_by_text("The conversation is as it was then.")).to_be_visible()
    expect(lines).to_have_count(7)
    expect(restore).to_be_disabled()
    page.get_by_role("button", name="Undo").click()
    expect(asked).to_have_text(["Count again"])
    # The map leads to the other version, and shows it.
    page.get_by_role("link", name=re.compile(r"And once more \(another version\)")).click()
    expect(chat.asked).to_have_text(["Count the hours", "And once more"])
    page.go_back()
    page.get_by_role("button", name="One step back").click()
    page.get_by_role("button", name="New chat from here").click()
    expect(page).to_have_url(re.compile("/c/"))
    expect(page.get_by_role("heading", name="Count the hours (fork)")).to_be_visible()

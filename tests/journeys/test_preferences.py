"""Preferences: what they change is seen at once, stays after a reload, and an answer that was not seen marks its tab."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.browser import Chat
from tests.journeys.conftest import HELD
from tests.journeys.server import ModelHost, RxChat

pytestmark = pytest.mark.usefixtures("server")
MODEL = "scripted:count=1,tokens=20"
# A page in front cannot be made one in the background by Playwright: the page itself says so.
HIDE = "Object.defineProperty(document, 'hidden', {get: () => window.isAway ?? false, configurable: true})"
NOTIFICATIONS = """
window.notified = [];
window.Notification = class { constructor(title, options) { window.notified.push([title, options.body]); } };
window.Notification.permission = "granted";
window.Notification.requestPermission = async () => "granted";
"""


def opened(chat: Chat) -> Page:
    """Open the preferences from the account menu."""
    chat.page.get_by_role("button", name=re.compile("Ada Lovelace")).click()
    chat.page.get_by_role("menuitem", name="Preferences").click()
    expect(chat.page.get_by_role("region", name="Instructions for every model")).to_be_visible()
    return chat.page


def test_instructions_and_the_key_that_sends(chat: Chat) -> None:
    page = opened(chat.open())
    field = page.get_by_label("What should every model know about you")
    save = page.get_by_role("button", name="Save")
    expect(save).to_be_disabled()
    field.fill("Answer in French.")
    save.click()
    expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    page.get_by_role("radio", name="Ctrl+Enter").check()
    page.get_by_role("radio", name="Large", exact=True).check()
    expect(page.locator("html")).to_have_css("font-size", "18px")
    page.reload()
    expect(field).to_have_value("Answer in French.")
    expect(page.get_by_role("radio", name="Ctrl+Enter")).to_be_checked()
    expect(page.locator("html")).to_have_css("font-size", "18px")
    chat.open()
    chat.choose(MODEL)
    chat.composer.fill("One line")
    chat.composer.press("Enter")
    chat.composer.press_sequentially("and another")
    expect(chat.composer).to_have_value("One line\nand another")
    chat.composer.press("Control+Enter")
    chat.wait_for_end()
    expect(page.get_by_role("article", name="You")).to_contain_text("and another")


def test_the_list_of_shortcuts_opens_with_a_question_mark_that_is_not_typed(chat: Chat) -> None:
    page = chat.open().page
    chat.composer.press_sequentially("Why?")
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(chat.composer).to_have_value("Why?")
    expect(sheet).to_have_count(0)
    page.get_by_role("button", name="Ada Lovelace").focus()
    page.keyboard.press("?")
    expect(sheet).to_contain_text("Search, and go to a page")
    page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)
    expect(page.get_by_role("button", name="Ada Lovelace")).to_be_focused()


def test_an_answer_that_is_not_seen_marks_the_tab_and_notifies(
    chat: Chat, server: RxChat, model_host: ModelHost
) -> None:
    page = chat.page
    page.add_init_script(f"{HIDE}; {NOTIFICATIONS}")
    page.goto(f"{server.url}/account/preferences")
    page.get_by_role("radio", name="Notify me").check()
    chat.open()
    chat.choose(HELD).ask("Take your time").wait_for_words(80)
    page.evaluate("window.isAway = true")
    model_host.go_on()
    chat.wait_for_end()
    expect(page).to_have_title("● Take your time · RxChat")
    assert page.evaluate("window.notified") == [["Take your time", "The answer is there."]]
    page.evaluate("window.isAway = false; document.dispatchEvent(new Event('visibilitychange'))")
    expect(page).to_have_title("Take your time · RxChat")
    chat.choose(MODEL).ask("And this one is seen").wait_for_end()
    expect(page).to_have_title("Take your time · RxChat")
    assert len(page.evaluate("window.notified")) == 1


def test_a_browser_that_refuses_notifications_is_said_in_words(chat: Chat, server: RxChat) -> None:
    page = chat.page
    page.add_init_script("window.Notification = { permission: 'denied', requestPermission: async () => 'denied' }")
    page.goto(f"{server.url}/account/preferences")
    page.get_by_role("radio", name="Notify me").click()
    expect(page.get_by_role("alert")).to_contain_text("Allow notifications for this site")
    expect(page.get_by_role("radio", name="Only mark the tab")).to_be_checked()

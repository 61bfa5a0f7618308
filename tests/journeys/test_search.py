"""The palette: from any page with the keyboard to a message of long ago."""

from __future__ import annotations

import re

import psycopg
import pytest
from playwright.sync_api import expect

from tests.journeys.browser import EMAIL, Chat
from tests.journeys.server import RxChat
from tests.stored_conversations import StoredMessage, store_conversation


@pytest.fixture
def long_ago(server: RxChat) -> str:
    """A conversation of 120 messages; the thirtieth has a word that no other has."""
    messages = [
        StoredMessage(
            "user" if at % 2 == 0 else "assistant", f"Message {at}.\n\n" + "A line. " * 30 + "zebra" * (at == 30)
        )
        for at in range(120)
    ]
    with psycopg.connect(server.owner_url()) as connection, connection.cursor() as cursor:
        row = cursor.execute("SELECT id FROM user_account WHERE email = %s", (EMAIL,)).fetchone()
        assert row is not None
        return str(store_conversation(cursor, row[0], messages, title="A talk about animals"))


def test_a_message_of_long_ago_is_found_by_keyboard_and_shown_in_its_place(chat: Chat, long_ago: str) -> None:
    page = chat.open().page
    page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name="Search chats, messages and documents")
    expect(field).to_be_focused()
    field.press_sequentially("zebr")
    option = page.get_by_role("option").filter(has=page.get_by_text("zebra"))
    expect(option).to_have_count(1)
    expect(option.locator("mark")).to_have_text("zebra")
    field.press("Enter")
    page.wait_for_url(re.compile(f"/c/{long_ago}"))
    expect(page.get_by_role("dialog")).to_have_count(0)
    message = chat.questions.filter(has_text="Message 30.")
    expect(message).to_be_in_viewport()
    # The address is the conversation's again: loading it later shows its end, and no branch of long ago.
    expect(page).to_have_url(re.compile(f"/c/{long_ago}$"))
    page.keyboard.press("Control+k")
    field.press_sequentially("anmals")
    expect(page.get_by_role("option").filter(has_text="A talk about animals").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_actions_are_reached_by_their_name_and_nothing_found_says_so(chat: Chat) -> None:
    page = chat.open().page
    page.get_by_role("button", name="Search", exact=True).click()
    field = page.get_by_role("combobox")
    field.fill("qqqqzzz")
    expect(page.get_by_text("Nothing found for “qqqqzzz”.")).to_be_visible()
    field.fill("docum")
    expect(page.get_by_role("option").first).to_have_text("Documents")
    field.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/documents"))

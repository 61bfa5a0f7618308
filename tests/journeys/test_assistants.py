"""An assistant from its making to an answer, the parameters of its chat, and what its model saw."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.browser import Chat

pytestmark = pytest.mark.usefixtures("server")
MODEL = "scripted:count=1,tokens=20"


def test_an_assistant_is_made_begins_a_chat_and_its_model_sees_what_was_set(chat: Chat) -> None:
    page = chat.page
    page.goto(f"{chat.url}/assistants")
    page.get_by_role("button", name="assistant").last.click()
    page.get_by_label("Name", exact=True).fill("Captain Ahab")
    page.get_by_label("Icon").fill("A")
    page.get_by_label("System prompt").fill("You hunt a whale.")
    page.get_by_label("Model", exact=True).select_option(MODEL)
    page.get_by_label("Conversation starters").fill("Where is it?\nWho are you?")
    page.get_by_text("Parameters", exact=True).click()
    # What is refused is shown at its field, and nothing that was typed is lost.
    page.get_by_label("Temperature").fill("7")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("enter a number from 0 to 2")).to_be_visible()
    page.get_by_label("Temperature").fill("0.7")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("list", name="Assistants").get_by_role("link", name="Captain Ahab").click()
    expect(page.get_by_role("heading", name="Captain Ahab")).to_be_visible()
    page.get_by_role("button", name="Where is it?", exact=True).click()
    expect(chat.composer).to_have_value("Where is it?")
    page.get_by_role("button", name="Parameters").click()
    page.get_by_label("Seed").fill("3")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    chat.composer.press("Enter")
    chat.wait_for_words(1).wait_for_end()
    expect(page.get_by_role("button", name=re.compile("^Assistant Captain Ahab"))).to_be_visible()
    page.get_by_role("button", name="More actions").last.click()
    page.get_by_role("menuitem", name="What the model saw").click()
    seen = page.get_by_role("dialog", name="What the model saw")
    expect(seen.get_by_text("You hunt a whale.")).to_be_visible()
    expect(seen.get_by_text("Temperature 0.7, Seed 3")).to_be_visible()
    with page.expect_download() as file:
        seen.get_by_role("button", name="Download as JSON").click()
    assert "You hunt a whale." in file.value.path().read_text()
    page.keyboard.press("Escape")
    expect(seen).to_have_count(0)

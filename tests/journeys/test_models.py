"""The models of the menu: named and ordered by an administrator, and each user's favorites."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys.browser import Chat
from tests.journeys.server import RxChat

MODEL = "scripted:count=1,tokens=20"
LABEL = "A name of this journey"


@pytest.fixture
def chat(document_server: RxChat, signed_in: Callable[..., BrowserContext]) -> Chat:
    """The administrator's tab."""
    return Chat(signed_in(document_server).new_page(), document_server.url)


def edited(page: Page, name: str) -> None:
    page.get_by_role("button", name=f"Edit {name}", exact=True).click()


def test_an_administrator_names_a_model_and_a_user_makes_it_a_favorite(chat: Chat) -> None:
    page = chat.page
    page.goto(f"{chat.url}/admin/models")
    edited(page, MODEL)
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name", exact=True).fill(LABEL)
    dialog.get_by_label("Description (optional)").fill("It counts to twenty.")
    dialog.get_by_text("Parameters", exact=True).click()
    dialog.get_by_label("Temperature").fill("7")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_text("enter a number from 0 to 2")).to_be_visible()
    dialog.get_by_label("Temperature").fill("0.4")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_text(f"Saved “{LABEL}”.")).to_be_visible()
    expect(dialog).to_have_count(0)
    page.get_by_role("button", name=f"Move to the top: {LABEL}").click()
    expect(page.get_by_role("table", name="Models").get_by_role("rowheader").first).to_contain_text(LABEL)

    chat.open()
    page.get_by_role("button", name=re.compile("^Model: ")).click()
    choice = page.get_by_role("menuitemradio", name=LABEL)
    expect(choice).to_contain_text("It counts to twenty.")
    choice.focus()
    # To the side of it is its star, which arrows up and down leave out.
    page.keyboard.press("ArrowRight")
    star = page.get_by_role("menuitemcheckbox", name=f"{LABEL} is a favorite")
    expect(star).to_be_focused()
    page.keyboard.press("Enter")
    expect(star).to_be_checked()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name=f"Model: {LABEL}")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("menuitem", name=f"Use {LABEL} in new chats").click()
    chat.open()
    expect(page.get_by_role("button", name=f"Model: {LABEL}")).to_be_visible()

    page.goto(f"{chat.url}/admin/models")
    page.get_by_role("button", name=f"Reset {LABEL}", exact=True).click()
    dialog.get_by_role("button", name="Reset model").click()
    expect(page.get_by_text(f"“{MODEL}” has its defaults again.")).to_be_visible()
    page.goto(f"{chat.url}/account/preferences")
    page.get_by_label("Model of new conversations").select_option("")

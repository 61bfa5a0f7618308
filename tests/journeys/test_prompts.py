"""Prompts: `/` in the composer by the keyboard alone, and the page where they are written, shared and restored."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.journeys.browser import Chat
from tests.journeys.cited_documents import program
from tests.journeys.conftest import PLAIN
from tests.journeys.server import RxChat
from tests.journeys.users import member, site

SAID = (
    {"title": "Summarize a text", "command": "sum", "text": "Summarize {{text}} in {{language=English|German}}."},
    {"title": "Say hello", "command": "hello", "text": "Say hello\nto everybody."},
)


@pytest.fixture
def chat(document_server: RxChat, signed_in: Callable[..., BrowserContext]) -> Chat:
    """A signed-in tab, without any prompts."""
    with program(document_server) as client:
        forget(client)
    return Chat(signed_in(document_server).new_page(), document_server.url)


def forget(client: httpx.Client) -> None:
    for item in client.get("/api/prompts").json():
        client.delete(f"/api/prompts/{item['id']}").raise_for_status()


def write(server: RxChat) -> None:
    with program(server) as client:
        for said in SAID:
            client.post("/api/prompts", json=said).raise_for_status()


def options(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Prompts").get_by_role("option")


def test_a_prompt_is_inserted_with_the_keyboard_and_the_rest_of_the_draft_stays(
    chat: Chat, document_server: RxChat
) -> None:
    write(document_server)
    page = chat.open().choose(PLAIN).page
    chat.composer.press_sequentially("/")
    expect(options(page)).to_have_text(["/helloSay hello", "/sumSummarize a text"])
    expect(options(page).first).to_have_attribute("aria-selected", "true")
    expect(chat.composer).to_have_attribute("aria-activedescendant", "prompt-choices-0")
    chat.composer.press("ArrowDown")
    expect(options(page).nth(1)).to_have_attribute("aria-selected", "true")
    # Titles are found, too.
    chat.composer.press_sequentially("text")
    expect(options(page)).to_have_count(1)
    chat.composer.press("Escape")
    expect(options(page)).to_have_count(0)
    chat.composer.fill("Before.\n\nAfter.")
    for key in ("Control+Home", "ArrowDown"):
        chat.composer.press(key)
    chat.composer.press_sequentially("/hel")
    expect(options(page)).to_have_count(1)
    chat.composer.press("Tab")
    expect(chat.composer).to_have_value("Before.\nSay hello\nto everybody.\nAfter.")
    expect(chat.composer).to_be_focused()
    # The caret is behind it; the draft is kept.
    chat.composer.press_sequentially(" Now!")
    expect(chat.composer).to_have_value("Before.\nSay hello\nto everybody. Now!\nAfter.")
    page.reload()
    expect(chat.composer).to_have_value("Before.\nSay hello\nto everybody. Now!\nAfter.")


def test_variables_are_asked_for_and_what_is_no_prompt_is_sent(chat: Chat, document_server: RxChat) -> None:
    write(document_server)
    page = chat.open().choose(PLAIN).page
    chat.composer.press_sequentially("/sum")
    expect(options(page)).to_have_count(1)
    chat.composer.press("Enter")
    dialog = page.get_by_role("dialog", name="Summarize a text")
    expect(dialog.get_by_label("text", exact=True)).to_be_focused()
    expect(dialog.get_by_label("language")).to_have_value("English")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(chat.composer).to_have_value("/sum")
    expect(chat.composer).to_be_focused()
    chat.composer.press("Backspace")
    expect(options(page)).to_have_count(1)
    chat.composer.press("Enter")
    expect(dialog.get_by_label("text", exact=True)).to_be_focused()
    page.keyboard.type("these lines")
    dialog.get_by_label("language").select_option("German")
    dialog.get_by_role("button", name="Insert").press("Enter")
    expect(chat.composer).to_have_value("Summarize these lines in German.")
    expect(chat.composer).to_be_focused()
    chat.composer.press("Shift+Enter")
    chat.composer.press_sequentially("/sum")
    expect(options(page)).to_have_count(1)
    chat.composer.fill("")
    chat.composer.press_sequentially("/usr/bin is a folder")
    expect(page.get_by_role("listbox")).to_have_count(0)
    chat.composer.press("Enter")
    expect(chat.asked).to_have_text(["/usr/bin is a folder"])


def test_an_empty_library_offers_to_create_one_and_examples(chat: Chat) -> None:
    page = chat.open().page
    chat.composer.press_sequentially("/")
    expect(options(page)).to_have_text(["Create a prompt"])
    chat.composer.press("Enter")
    editor = page.get_by_role("dialog", name="New prompt")
    expect(editor.get_by_label("Title")).to_be_focused()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Add Write a reply").click()
    expect(page.get_by_role("list", name="Prompts").get_by_role("listitem")).to_have_count(1)
    expect(page.get_by_text("Type /reply in a chat")).to_be_visible()


def test_a_prompt_is_written_changed_shared_deleted_and_restored(
    chat: Chat, document_server: RxChat, profile: Callable[..., BrowserContext]
) -> None:
    page = chat.open().page
    chat.sidebar.get_by_role("link", name="Prompts").click()
    page.get_by_role("button", name="Create your first prompt").click()
    editor = page.get_by_role("dialog", name="New prompt")
    editor.get_by_label("Title").fill("Translate")
    editor.get_by_label("Text").fill("Into {{language=English}}: {{text}}")
    expect(editor.get_by_role("list", name="Variables").get_by_role("listitem")).to_have_text(
        [re.compile("language.*English"), re.compile("text.*has to be filled in")]
    )
    editor.get_by_role("button", name="Save").click()
    lines = page.get_by_role("list", name="Prompts").get_by_role("listitem")
    expect(lines).to_have_count(1)
    expect(lines).to_contain_text("/translate")
    lines.get_by_role("button", name=re.compile("^Translate")).click()
    editor = page.get_by_role("dialog", name="Edit prompt")
    expect(editor.get_by_label("Text")).to_have_value("Into {{language=English}}: {{text}}")
    editor.get_by_label("Text").fill("Shorter")
    # Another program was faster: what was typed stays.
    with program(document_server) as client:
        [known] = client.get("/api/prompts").json()
        client.patch(f"/api/prompts/{known['id']}", json={"version": 1, "text": "Theirs"}).raise_for_status()
    editor.get_by_role("button", name="Save").click()
    expect(editor.get_by_role("alert")).to_contain_text("version 2 is the newest")
    expect(editor.get_by_text("Theirs", exact=True)).to_be_visible()
    expect(editor.get_by_label("Text")).to_have_value("Shorter")
    editor.get_by_role("button", name="Save").click()
    expect(editor).to_have_count(0)
    expect(lines).to_contain_text("Version 3")

    def choose(action: str) -> None:
        lines.get_by_role("button", name="Actions for Translate").click()
        page.get_by_role("menuitem", name=action).click()

    choose("Versions")
    page.get_by_role("button", name="Restore version 1").click()
    expect(page.get_by_role("list", name="Versions").get_by_role("listitem").first).to_contain_text(
        "restored from version 1"
    )
    page.keyboard.press("Escape")
    other, session = member(document_server)
    choose("Share")
    sharing = page.get_by_role("dialog", name="Share “Translate”")
    sharing.get_by_label("E-mail address").fill(other.email)
    sharing.get_by_role("button", name="Share", exact=True).first.click()
    expect(sharing.get_by_role("list", name="Who has it")).to_contain_text("may use it")
    page.keyboard.press("Escape")
    theirs = profile(storage_state=session).new_page()
    theirs.goto(f"{site(document_server)}/prompts")
    expect(theirs.get_by_text("Shared with you")).to_be_visible()
    choose("Delete")
    expect(lines).to_have_count(0)
    # The page of the other one follows.
    expect(theirs.get_by_text("Shared with you")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(lines).to_contain_text("Shared")
    expect(theirs.get_by_text("Shared with you")).to_be_visible()

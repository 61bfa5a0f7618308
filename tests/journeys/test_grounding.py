"""Files and collections go along with a question, and the answer's citations lead back to what they say."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Route, expect

from tests.journeys.browser import Chat
from tests.journeys.cited_documents import (
    HANDBOOK,
    attach,
    begin_attaching,
    chips,
    known,
    program,
)
from tests.journeys.conftest import PLAIN, QUOTING, SEES
from tests.journeys.server import RxChat


@pytest.fixture
def chat(filled_server: RxChat, signed_in: Callable[..., BrowserContext]) -> Chat:
    """A signed-in tab at the server with two documents."""
    return Chat(signed_in(filled_server).new_page(), filled_server.url)


def pick(chat: Chat, words: str) -> None:
    """Choose the first that is called so, with the keyboard alone."""
    chat.composer.press_sequentially(f"#{words}")
    expect(chat.page.get_by_role("option").first).to_have_attribute("aria-selected", "true")
    chat.composer.press("Enter")
    expect(chat.page.get_by_role("listbox")).to_have_count(0)


def test_a_file_is_attached_asked_about_and_cited(chat: Chat) -> None:
    page = chat.open().choose(QUOTING).page
    attach(page)
    expect(chips(page)).to_have_count(1)
    expect(chips(page)).to_contain_text("handbook.md")
    chat.ask("How many days of holidays?")
    page.wait_for_url(re.compile("/c/"))
    expect(chips(page)).to_have_count(0)
    chat.wait_for_end()
    expect(known(page)).to_have_count(1)
    expect(known(page)).to_contain_text("handbook.md")
    citation = chat.answer.get_by_role("button", name="Source 1", exact=True)
    expect(citation).to_be_visible()
    assert chat.said() == "It says “Everybody has thirty days of holidays” 1."
    citation.hover()
    card = page.get_by_role("dialog", name="Source 1")
    expect(card).to_contain_text("handbook.md")
    expect(card.locator("mark")).to_have_text("Everybody has thirty days of holidays")
    # The card can be gone into, and Escape closes it.
    card.hover()
    page.wait_for_timeout(400)
    expect(card).to_be_visible()
    page.keyboard.press("Escape")
    expect(card).to_have_count(0)
    page.get_by_role("button", name="1 source", exact=True).click()
    expect(page.locator(".sources-list")).to_contain_text("handbook.md")


def test_what_was_sent_with_a_message_stays_with_it_and_opens(chat: Chat, filled_server: RxChat) -> None:
    page = chat.open().choose(PLAIN).page
    attach(page)
    attach(page, "two.md", "# Two\n\nAnother text.\n")
    chat.composer.press("Enter")
    page.wait_for_url(re.compile("/c/"))
    chat.wait_for_end()
    sent = chat.questions.get_by_role("list", name="Attached").get_by_role("listitem")
    for _ in range(2):
        expect(sent).to_have_text(["handbook.md", "two.md"])
        expect(chat.questions.locator(".bubble")).to_be_hidden()
        page.reload()
    path = chat.path
    sent.first.get_by_role("link").click()
    page.wait_for_url(re.compile("/documents/view/"))
    expect(page.get_by_role("heading", name="handbook.md", exact=True)).to_be_visible()
    with program(filled_server) as client:
        client.delete(f"/api/documents/{page.url.rpartition('/')[2]}").raise_for_status()
    page.goto(f"{chat.url}{path}")
    expect(sent.first).to_have_text("handbook.md · deleted")
    expect(sent.first.get_by_role("link")).to_have_count(0)


def test_a_collection_is_picked_with_the_keyboard_and_taken_out_again(chat: Chat) -> None:
    page = chat.open().choose(PLAIN).page
    chat.composer.fill("Look into ")
    pick(chat, "team ru")
    expect(chips(page)).to_have_text(["Team rules"])
    expect(chat.composer).to_have_value("Look into ")
    chat.composer.press_sequentially("and say how many holidays there are")
    chat.composer.press("Enter")
    page.wait_for_url(re.compile("/c/"))
    chat.wait_for_end()
    expect(chat.answer.get_by_role("button", name="Source 1", exact=True)).to_be_visible()
    expect(known(page)).to_contain_text(["Team rules"])
    # A document of an existing conversation's own travels with the next message.
    pick(chat, "park")
    chat.composer.press_sequentially("And the bicycles?")
    chat.composer.press("Enter")
    expect(known(page)).to_have_count(2)
    known(page).filter(has_text="Team rules").get_by_role("button").click()
    expect(known(page)).to_have_text(["parking.md"])
    page.reload()
    expect(known(page)).to_have_text(["parking.md"])


def test_words_that_nothing_is_called_stay_words(chat: Chat) -> None:
    page = chat.open().choose(PLAIN).page
    chat.composer.press_sequentially("see #nothingiscalledso")
    expect(page.get_by_text("No collections or documents match.")).to_be_visible()
    expect(page.get_by_role("link", name="Documents page")).to_have_attribute("href", "/documents")
    page.keyboard.press("Escape")
    expect(page.get_by_text("No collections or documents match.")).to_have_count(0)
    chat.composer.press("Enter")
    expect(chat.asked).to_have_text(["see #nothingiscalledso"])


def test_what_is_attached_survives_a_reload_and_is_removed(chat: Chat) -> None:
    page = chat.open().choose(PLAIN).page
    attach(page, "one.md", HANDBOOK)
    attach(page, "two.md", "# Two\n\nAnother text.\n")
    expect(page.locator(".attachment-ring")).to_have_count(0)
    chat.composer.fill("Half a question")
    page.reload()
    expect(chips(page)).to_have_count(2)
    expect(chat.composer).to_have_value("Half a question")
    chips(page).filter(has_text="two.md").get_by_role("button", name="Remove two.md").click()
    expect(chips(page)).to_have_count(1)
    page.reload()
    expect(chips(page)).to_have_text(["one.md"])
    chat.choose(PLAIN).composer.press("Enter")
    page.wait_for_url(re.compile("/c/"))
    expect(known(page)).to_have_text(["one.md"])
    expect(chips(page)).to_have_count(0)


def test_sending_waits_for_a_file_and_says_so_and_one_that_was_cut_off_is_chosen_again(chat: Chat) -> None:
    page = chat.open().choose(PLAIN).page
    held: list[Route] = []
    page.route("**/api/uploads/**", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks what it is given
    with page.expect_request("**/api/uploads/**"):
        begin_attaching(page)
    chat.composer.fill("And?")
    expect(page.get_by_role("button", name="A file is still being uploaded")).to_be_disabled()
    expect(chat.composer_hint).to_have_text("A file is still being uploaded.")
    chat.composer.press("Enter")
    expect(chat.questions).to_have_count(0)
    page.unroute_all(behavior="ignoreErrors")
    page.reload()
    expect(chips(page)).to_contain_text("The upload was interrupted when you left the page.")
    expect(chat.composer_hint).to_have_text("“handbook.md” was not uploaded and will not be sent.")
    with page.expect_file_chooser() as choosing:
        page.get_by_role("button", name="Choose handbook.md again").click()
    choosing.value.set_files([{"name": "handbook.md", "mimeType": "text/markdown", "buffer": HANDBOOK.encode()}])
    expect(chips(page)).to_have_text(["handbook.md"])
    expect(chat.send_button).to_be_enabled()


def test_leaving_the_page_asks_while_a_file_is_on_its_way(chat: Chat) -> None:
    page = chat.open().page
    held: list[Route] = []
    page.route("**/api/uploads/**", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks what it is given
    with page.expect_request("**/api/uploads/**"):
        begin_attaching(page)
    with page.expect_event("dialog") as asked:
        page.close(run_before_unload=True)
    assert asked.value.type == "beforeunload"
    asked.value.dismiss()
    expect(chips(page)).to_contain_text("handbook.md")
    page.unroute_all(behavior="ignoreErrors")


def test_a_file_that_cannot_be_read_says_so_before_it_is_sent(chat: Chat) -> None:
    page = chat.open().choose(PLAIN).page
    attach(page, "rules.pdf", "%PDF-1.7 This is none.")
    expect(chips(page).get_by_role("alert")).to_contain_text("This file could not be read.")
    attach(page, "rules.md", HANDBOOK)
    expect(chips(page)).to_have_text([re.compile("rules.pdf.*could not be read"), "rules.md"])


def test_a_refused_file_says_why_and_can_be_removed(chat: Chat) -> None:
    page = chat.open().choose(PLAIN).page
    attach(page, "empty.md", "")
    expect(chips(page).get_by_role("alert")).to_contain_text("is empty")
    page.get_by_role("button", name="Remove empty.md").click()
    expect(chips(page)).to_have_count(0)


def test_a_refused_message_gives_back_what_went_along(chat: Chat, filled_server: RxChat) -> None:
    page = chat.open().choose(PLAIN).page
    with program(filled_server) as client:
        gone = client.post("/api/collections", json={"name": "Short-lived"}).json()["id"]
        pick(chat, "short-l")
        client.delete(f"/api/collections/{gone}").raise_for_status()
    attach(page)
    expect(chat.send_button).to_have_count(1)
    chat.composer.fill("What is it about?")
    expect(chat.send_button).to_be_enabled()
    chat.composer.press("Enter")
    expect(chat.composer_hint).to_contain_text("no longer exists")
    expect(chat.composer).to_have_value("What is it about?")
    expect(chips(page)).to_have_count(2)
    page.get_by_role("button", name="Remove Short-lived").click()
    chat.composer.press("Enter")
    page.wait_for_url(re.compile("/c/"))
    expect(known(page)).to_have_text(["handbook.md"])


def test_files_are_dropped_on_the_window_and_pasted(chat: Chat) -> None:
    page = chat.open().choose(PLAIN).page
    page.evaluate(
        "() => { const data = new DataTransfer(); data.items.add(new File(['one text'], 'dropped.md'));"
        " const tell = (name) => document.querySelector('.thread-scroll').dispatchEvent("
        "new DragEvent(name, { bubbles: true, cancelable: true, dataTransfer: data }));"
        " window.drop = () => tell('drop'); tell('dragenter'); }"
    )
    expect(page.get_by_text("Drop files to attach them")).to_be_visible()
    page.evaluate("window.drop()")
    expect(page.get_by_text("Drop files to attach them")).to_have_count(0)
    chat.composer.evaluate(
        "(field) => { const data = new DataTransfer(); data.items.add(new File(['another text'], 'pasted.md'));"
        " field.dispatchEvent(new ClipboardEvent('paste', { bubbles: true, cancelable: true, clipboardData: data })) }"
    )
    expect(chips(page)).to_have_text(["dropped.md", "pasted.md"])


def test_a_pasted_picture_is_shown_and_a_model_that_sees_none_is_named(chat: Chat) -> None:
    page = chat.open().choose(PLAIN).page
    chat.composer.evaluate(
        "async (field) => { const canvas = new OffscreenCanvas(300, 200); canvas.getContext('2d').fillRect(0, 0, 99, 99);"
        " const data = new DataTransfer(); data.items.add(new File([await canvas.convertToBlob()], 'shot.png'));"
        " field.dispatchEvent(new ClipboardEvent('paste', { bubbles: true, cancelable: true, clipboardData: data })) }"
    )
    expect(chips(page)).to_contain_text(["shot.png"])
    expect(chat.composer_hint).to_contain_text("does not see pictures")
    thumbnail = page.locator(".attachment-thumbnail")
    expect(thumbnail).to_be_visible()
    page.wait_for_function("() => document.querySelector('.attachment-thumbnail').naturalWidth === 300")
    chat.choose(SEES)
    expect(chat.composer_hint).not_to_contain_text("does not see pictures")
    chat.composer.fill("What is on it?")
    chat.composer.press("Enter")
    page.wait_for_url(re.compile("/c/"))
    chat.wait_for_end()
    picture = page.get_by_role("img", name="shot.png")
    expect(picture).to_be_visible()
    page.wait_for_function("() => document.querySelector('.attached-picture img').naturalWidth === 300")
    page.get_by_role("button", name="More actions").last.click()
    page.get_by_role("menuitem", name="What the model saw").click()
    expect(page.get_by_role("dialog")).to_contain_text("1 picture")

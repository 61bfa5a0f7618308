"""An answer's citations: their cards, and the documents that open beside the chat at what they say."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.journeys.browser import Chat, requests_of
from tests.journeys.cited_documents import (
    attach,
    handbook_address,
    program,
)
from tests.journeys.conftest import CODE, DOUBTFUL, HELD, LONG, PLAIN, QUOTING
from tests.journeys.server import ModelHost, RxChat, until
from tests.parsers import scans
from tests.parsers.samples import pdf


@pytest.fixture
def chat(filled_server: RxChat, signed_in: Callable[..., BrowserContext]) -> Chat:
    """A signed-in tab at the server with two documents."""
    return Chat(signed_in(filled_server).new_page(), filled_server.url)


def beside(page: Page) -> Locator:
    """The document that is open beside the chat, or over it."""
    return page.get_by_role("dialog", name="Document", exact=True)


def ask_far_above_the_end(chat: Chat, question: str = "How many days of holidays?") -> Locator:
    """Have an answer with a citation that is read in the middle of a conversation; returns the citation."""
    attach(chat.page)
    chat.ask(question).wait_for_end()
    chat.choose(LONG)
    chat.ask("Say more").wait_for_end()
    citation = chat.page.get_by_role("button", name="Source 1", exact=True).first
    # Two frames later, the page knows that it is read somewhere above its end.
    citation.evaluate(
        "async (element) => { element.scrollIntoView({ block: 'center' });"
        " for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame) }"
    )
    expect(chat.page.get_by_role("button", name="Scroll to the end")).to_be_visible()
    return citation


def top(place: Locator) -> float:
    """How far from the window's top something is."""
    box = place.bounding_box()
    assert box is not None
    return box["y"]


def test_a_citation_opens_its_document_beside_the_chat_and_leads_back_to_the_line(chat: Chat) -> None:
    page = chat.open().choose(QUOTING).page
    citation = ask_far_above_the_end(chat)
    before, path = top(citation), chat.path
    citation.click()
    page.wait_for_url(re.compile(f"{path}.*document="))
    panel = beside(page)
    expect(panel.locator("mark.passage")).to_have_text("Everybody has thirty days of holidays")
    expect(panel.locator("mark.passage")).to_be_in_viewport()
    expect(panel).to_be_focused()
    # The chat is still there and can be used.
    assert abs(top(citation) - before) < 2
    chat.composer.fill("A half-written question")
    expect(page.locator(".citation-card")).to_be_hidden()
    chat.composer.press("Escape")
    expect(panel).to_have_count(0)
    page.wait_for_url(re.compile(f"{path}$"))
    expect(citation).to_be_focused()
    assert abs(top(citation) - before) < 2
    expect(chat.composer).to_have_value("A half-written question")
    # Forward opens it again; its button and Back close it.
    page.go_forward()
    expect(panel.locator("mark.passage")).to_be_visible()
    page.go_back()
    expect(panel).to_have_count(0)
    citation.focus()
    page.keyboard.press("Enter")
    panel.get_by_role("button", name="Close the document").click()
    expect(panel).to_have_count(0)
    expect(citation).to_be_focused()
    assert abs(top(citation) - before) < 2
    expect(chat.questions).to_have_count(2)


def test_a_conversation_goes_on_while_a_document_opens_and_closes_beside_it(
    chat: Chat, document_model_host: ModelHost
) -> None:
    page = chat.open().choose(PLAIN).page
    attach(page)
    chat.ask("How many days of holidays?").wait_for_end()
    citation = page.get_by_role("button", name="Source 1", exact=True).first
    chat.choose(HELD).ask("Count").wait_for_words(3)
    citation.click()
    expect(beside(page).locator("mark.passage")).to_be_visible()
    chat.wait_for_words(40)
    page.keyboard.press("Escape")
    expect(beside(page)).to_have_count(0)
    document_model_host.go_on()
    chat.wait_for_end()
    assert chat.said() == " ".join(str(number) for number in range(1, 201))
    chat.choose(PLAIN).ask("And without a document?").wait_for_end()
    citation.click()
    expect(beside(page).locator("mark.passage")).to_be_visible()
    chat.ask("And beside one?").wait_for_end()
    expect(chat.answers).to_have_count(4)


def test_the_document_beside_a_chat_survives_a_reload_and_has_a_page(chat: Chat) -> None:
    page = chat.open().choose(PLAIN).page
    attach(page)
    chat.ask("How many days of holidays?").wait_for_end()
    page.get_by_role("button", name="1 source", exact=True).click()
    page.locator(".sources-list").get_by_role("link", name="handbook.md").click()
    panel = beside(page)
    expect(panel.locator(".viewer-words")).to_contain_text("Everybody has thirty days")
    panel.get_by_role("tab", name="Passages").click()
    panel.get_by_role("link", name="Show in the document").first.click()
    expect(panel.locator("mark.passage")).to_be_visible()
    page.reload()
    expect(panel.locator("mark.passage")).to_be_visible()
    expect(chat.questions).to_have_count(1)
    panel.get_by_role("link", name="Open the page").click()
    page.wait_for_url(re.compile("/documents/view/.*quote="))
    expect(page.locator("mark.passage")).to_be_visible()
    page.go_back()
    expect(panel.locator("mark.passage")).to_be_visible()
    panel.get_by_role("button", name="Close the document").click()
    expect(panel).to_have_count(0)
    expect(chat.questions).to_have_count(1)


def test_a_chat_starts_without_the_viewer(filled_server: RxChat, signed_in: Callable[..., BrowserContext]) -> None:
    context = signed_in(filled_server)
    asked = requests_of(context)
    page = Chat(context.new_page(), filled_server.url).open().page
    # Linked pages are loaded when the page is idle; these are the scripts of the chat itself.
    loaded = [url for url in asked if url.endswith((".js", ".mjs"))]
    assert loaded and not any("pdf" in url for url in loaded)
    assert not any("No passages yet" in page.request.get(url).text() for url in loaded)


def test_a_pdf_opens_beside_a_chat_at_its_passage(chat: Chat) -> None:
    page = chat.open().choose(QUOTING).page
    with page.expect_file_chooser() as choosing:
        page.get_by_role("button", name="Attach files").click()
    rules = pdf(
        [(72.0, 700.0, 20.0, "Holidays"), (72.0, 660.0, 11.0, "Everybody has thirty days of holidays in a year.")]
    )
    choosing.value.set_files([{"name": "rules.pdf", "mimeType": "application/pdf", "buffer": rules}])
    expect(page.locator(".attachment-ring")).to_have_count(0)
    chat.ask("How many days?").wait_for_end()
    chat.answer.get_by_role("button", name="Source 1", exact=True).click()
    panel = beside(page)
    expect(panel.get_by_role("region", name="Page 1").locator("mark.passage").first).to_be_in_viewport()
    expect(panel.locator(".viewer-note")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)


def test_what_does_not_hold_is_shown_as_unverified(chat: Chat) -> None:
    page = chat.open().choose(DOUBTFUL).page
    attach(page)
    chat.ask("How many days?").wait_for_end()
    quote = chat.answer.get_by_role("button", name="Source 1. Not verified: the source does not contain these words.")
    number = chat.answer.get_by_role("button", name="Source 7. Not verified: the source does not exist.")
    expect(quote).to_have_attribute("data-unverified", "true")
    number.hover()
    expect(page.get_by_role("dialog")).to_have_text("Not verified: the source does not exist.")
    number.click()
    assert "/c/" in page.url
    quote.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("dialog", name="Source 1")).to_contain_text("handbook.md")


def test_a_mark_in_code_stays_a_mark_and_one_behind_an_exclamation_is_no_picture(chat: Chat) -> None:
    page = chat.open().choose(CODE).page
    attach(page)
    chat.ask("Say it").wait_for_end()
    expect(chat.answer.get_by_role("button", name="Source 1", exact=True).last).to_be_visible()
    assert "#cite-" not in chat.answer.inner_text()
    expect(chat.answer).not_to_contain_text("Image:")
    expect(page.locator(".md img")).to_have_count(0)


def test_a_finger_opens_the_card_and_then_the_document_over_the_chat(
    filled_server: RxChat, signed_in: Callable[..., BrowserContext]
) -> None:
    narrow: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "has_touch": True}
    chat = Chat(signed_in(filled_server, **narrow).new_page(), filled_server.url).open().choose(PLAIN)
    page = chat.page
    citation = ask_far_above_the_end(chat)
    before, path = top(citation), chat.path
    citation.tap()
    card = page.get_by_role("dialog", name="Source 1")
    expect(card).to_contain_text("thirty days")
    box = card.bounding_box()
    assert box is not None
    assert box["x"] >= 0 and box["x"] + box["width"] <= 360 and abs(box["y"] + box["height"] - 740) < 2
    # Nothing of it is below the composer.
    expect(card.get_by_role("link", name="Open document")).to_be_in_viewport(ratio=1)
    card.get_by_role("link", name="Open document").tap()
    panel = beside(page)
    expect(panel.locator("mark.passage")).to_be_in_viewport()
    expect(card).to_have_count(0)
    box = panel.bounding_box()
    assert box is not None and box["x"] == 0 and box["width"] == 360
    # What is below it is out of reach.
    assert panel.evaluate("element => element.matches(':modal')")
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    page.wait_for_url(re.compile(f"{path}$"))
    expect(citation).to_be_focused()
    assert abs(top(citation) - before) < 2
    citation.tap()
    card.get_by_role("link", name="Open document").tap()
    expect(panel).to_have_count(1)
    page.go_back()
    expect(panel).to_have_count(0)


def test_a_citation_of_a_text_that_has_changed_since_marks_nothing_else(chat: Chat, filled_server: RxChat) -> None:
    page = chat.page
    mark = page.locator("mark.passage")
    page.goto(handbook_address(filled_server, "start=3&end=40#quote=The+coffee+machine+is+cleaned"))
    expect(mark).to_have_text("The coffee machine is cleaned")
    expect(page.locator(".viewer-note")).to_have_count(0)
    page.goto(handbook_address(filled_server, "start=3&end=40#quote=The+tea+machine+is+cleaned"))
    expect(page.locator(".viewer-note")).to_contain_text("This document has changed")
    expect(page.locator(".viewer-note")).to_contain_text("The tea machine is cleaned")
    expect(page.locator(".viewer-words")).to_contain_text("Everybody has thirty days")
    expect(mark).to_have_count(0)
    # One that lies behind the end of what is left of the text.
    page.goto(handbook_address(filled_server, "start=90000&end=90040#quote=Everybody+has+thirty+days"))
    expect(mark).to_have_text("Everybody has thirty days")


@pytest.mark.slow
def test_a_passage_of_a_scan_is_told_and_its_page_opened(chat: Chat, filled_server: RxChat) -> None:
    with program(filled_server) as client:
        made: str = client.post("/api/collections", json={"name": "Scans"}).json()["id"]
        where = {"name": "scan.pdf", "collection": made}
        scan = scans.pdf("Invoice\nOf the ninth of May", "Due at once\nThe total is ninety euros")
        client.post("/api/files", params=where, content=scan).raise_for_status()

        def document() -> dict[str, Any]:
            return client.get(f"/api/collections/{made}/documents").json()[0]

        until(lambda: document()["state"] in {"ready", "failed"}, 120)
        identifier = document()["id"]
    page = chat.page
    page.goto(f"{filled_server.url}/documents/view/{identifier}?page=2#quote=The+total+is+ninety+euros")
    note = page.locator(".viewer-note")
    expect(note).to_contain_text("This page is a scan, so the passage cannot be highlighted.")
    expect(note.locator("blockquote")).to_contain_text("The total is ninety euros")
    expect(page.get_by_role("region", name="Page 2").locator("canvas")).to_be_in_viewport()
    expect(note).to_be_in_viewport()
    note.get_by_role("button", name="Close this note").click()
    expect(note).to_have_count(0)


def test_passages_are_listed_again_after_the_server_was_restarted(filled_server: RxChat, chat: Chat) -> None:
    page = chat.page
    page.goto(handbook_address(filled_server, "start=3&end=40"))
    page.get_by_role("tab", name="Passages").click()
    expect(page.locator(".chunk").first).to_contain_text("Everybody has thirty days")
    # What the page asks for after the restart.
    page.evaluate(
        "() => { window.gone = 0; new MutationObserver(() => { if (!document.querySelector('.chunk'))"
        " window.gone += 1; }).observe(document.body, { childList: true, subtree: true }); }"
    )
    filled_server.stop()
    filled_server.start()
    page.wait_for_function("() => window.gone > 0")
    expect(page.locator(".chunk").first).to_contain_text("Everybody has thirty days")
    expect(page.get_by_role("tab", name="Passages")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_text("No passages yet")).to_have_count(0)

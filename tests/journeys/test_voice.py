"""Long texts that are pasted, words that are dictated, and answers that are read aloud."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys.axe import Audit, with_axe
from tests.journeys.browser import Chat
from tests.journeys.cited_documents import chips
from tests.journeys.conftest import PLAIN, RICH
from tests.journeys.server import RxChat
from tests.journeys.test_versions import button, choose

_RECOGNITION = """
  window.SpeechRecognition = undefined;
  window.webkitSpeechRecognition = class {
    constructor() { window.recognition = this; }
    start() { this.isStarted = true; }
    stop() { this.onend(); }
    abort() { this.isAborted = true; }
    hear(...said) {
      const results = said.map(([transcript, isFinal]) => Object.assign([{ transcript }], { isFinal }));
      this.onresult({ resultIndex: 0, results });
    }
  };
"""
_SYNTHESIS = """
  window.spoken = [];
  const synthesis = { getVoices: () => [], cancel: () => { window.isCanceled = true; },
    speak: (utterance) => { window.spoken.push(utterance.text); window.utterance = utterance; } };
  Object.defineProperty(window, "speechSynthesis", { value: synthesis });
  window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
"""


@pytest.fixture
def context(filled_server: RxChat, signed_in: Callable[..., BrowserContext]) -> BrowserContext:
    """A signed-in profile of a browser that hears and speaks."""
    made = signed_in(filled_server)
    made.add_init_script(_RECOGNITION)
    made.add_init_script(_SYNTHESIS)
    return made


@pytest.fixture
def chat(filled_server: RxChat, context: BrowserContext) -> Chat:
    return Chat(context.new_page(), filled_server.url)


def paste(chat: Chat, text: str) -> None:
    """Paste as the browser tells of it; what the page does not take, the browser would insert."""
    chat.composer.evaluate(
        "(field, text) => { const data = new DataTransfer(); data.setData('text/plain', text);"
        " const event = new ClipboardEvent('paste', { bubbles: true, cancelable: true, clipboardData: data });"
        " if (field.dispatchEvent(event)) document.execCommand('insertText', false, text) }",
        text,
    )


def hear(page: Page, *said: tuple[str, bool]) -> None:
    page.evaluate("said => window.recognition.hear(...said)", [list(item) for item in said])


def test_a_long_text_that_is_pasted_is_attached_and_can_be_a_text_again(chat: Chat) -> None:
    page = chat.open().choose(PLAIN).page
    chat.composer.fill("Look: ")
    paste(chat, "a few words")
    expect(chat.composer).to_have_value("Look: a few words")
    # 20,000 lines, 300 kB.
    paste(chat, "fourteen chars\n" * 20_000)
    expect(chips(page)).to_contain_text(["Pasted text.txt"])
    expect(chat.composer).to_have_value("Look: a few words")
    expect(page.get_by_text("Attached as “Pasted text.txt”.")).to_be_visible()
    paste(chat, "name,sum\n" * 201)
    expect(chips(page)).to_contain_text(["Pasted text.txt", "Pasted text.csv"])
    page.get_by_role("button", name="Paste as text instead").click()
    expect(chips(page)).to_contain_text(["Pasted text.txt"])
    expect(chat.composer).to_have_value("Look: a few words" + "name,sum\n" * 201)
    expect(chat.composer).to_be_focused()
    expect(page.get_by_role("button", name="Paste as text instead")).to_have_count(0)
    # Ctrl+Shift+V pastes what it always did.
    chat.composer.fill("")
    chat.composer.evaluate(
        "field => field.dispatchEvent(new KeyboardEvent('keydown',"
        " { key: 'V', code: 'KeyV', ctrlKey: true, shiftKey: true, bubbles: true }))"
    )
    paste(chat, "b\n" * 300)
    expect(chat.composer).to_have_value("b\n" * 300)
    expect(chips(page)).to_have_count(1)


def test_a_long_text_that_cannot_be_attached_is_in_the_field(chat: Chat, context: BrowserContext) -> None:
    page = chat.open().choose(PLAIN).page
    refusal = '{"error": {"message": "Your files need more space than you have."}}'
    page.route("**/api/uploads", lambda route: route.fulfill(status=507, body=refusal))
    chat.composer.focus()
    paste(chat, "words\n" * 300)
    expect(chat.composer).to_have_value("words\n" * 300)
    expect(chips(page)).to_have_count(0)
    expect(chat.composer_hint).to_contain_text("Your files need more space than you have.")
    chat.composer.fill("")
    context.set_offline(True)
    paste(chat, "offline\n" * 300)
    expect(chat.composer).to_have_value("offline\n" * 300)
    context.set_offline(False)


def test_words_are_dictated_at_the_caret_after_the_first_question(chat: Chat) -> None:
    page = chat.open().choose(PLAIN).page
    microphone = page.get_by_role("button", name="Dictate", exact=True)
    expect(microphone).to_have_attribute("aria-pressed", "false")
    chat.composer.fill("Tell me now")
    chat.composer.evaluate("field => field.setSelectionRange(8, 8)")
    microphone.click()
    dialog = page.get_by_role("dialog", name="Dictate messages?")
    expect(dialog).to_contain_text("send the recording to a server of their maker")
    dialog.get_by_role("button", name="Start dictating").click()
    expect(dialog).to_have_count(0)
    expect(microphone).to_have_attribute("aria-pressed", "true")
    assert page.evaluate("window.recognition.isStarted && window.recognition.lang.slice(0, 2)") == "en"
    hear(page, ("all about", False))
    expect(chat.composer_hint).to_have_text("Listening… all about")
    expect(chat.composer).to_have_value("Tell me now")
    hear(page, ("all about holidays", True), (" and", False))
    expect(chat.composer).to_have_value("Tell me all about holidays now")
    # What is not certain yet is not lost at the end.
    page.keyboard.press("Escape")
    expect(chat.composer).to_have_value("Tell me all about holidays and now")
    expect(microphone).to_have_attribute("aria-pressed", "false")
    # It asks once.
    microphone.click()
    expect(microphone).to_have_attribute("aria-pressed", "true")
    hear(page, ("please", False))
    chat.composer.press("Enter")
    expect(chat.asked).to_have_text(["Tell me all about holidays and please now"])
    expect(microphone).to_have_attribute("aria-pressed", "false")
    microphone.click()
    page.evaluate("window.recognition.onerror({ error: 'not-allowed' })")
    expect(chat.composer_hint).to_contain_text("does not let RxChat use the microphone")
    expect(microphone).to_have_attribute("aria-pressed", "false")


def test_an_answer_is_read_aloud_until_it_is_stopped_or_left(chat: Chat) -> None:
    page = chat.begin(RICH, "Everything").page
    chat.wait_for_end()
    choose(chat, chat.answers.last, "Read aloud")
    page.wait_for_function("() => window.spoken.length === 1")
    page.evaluate("window.utterance.onend()")
    page.wait_for_function("() => window.spoken.length === 2")
    assert not any(re.search(r"\*\*|^#|```", words) for words in page.evaluate("window.spoken"))
    page.evaluate("window.isCanceled = false")
    choose(chat, chat.answers.last, "Stop reading")
    assert page.evaluate("window.isCanceled")
    choose(chat, chat.answers.last, "Read aloud")
    page.wait_for_function("() => window.spoken.length === 3")
    page.evaluate("window.isCanceled = false")
    page.get_by_role("link", name="New chat").first.click()
    page.wait_for_function("() => window.isCanceled")


def test_a_browser_without_speech_shows_none_of_it(
    filled_server: RxChat, signed_in: Callable[..., BrowserContext]
) -> None:
    context = signed_in(filled_server)
    context.add_init_script(
        "for (const name of ['SpeechRecognition', 'webkitSpeechRecognition', 'speechSynthesis'])"
        " Object.defineProperty(window, name, { value: undefined });"
    )
    chat = Chat(context.new_page(), filled_server.url).begin(PLAIN, "Holidays?").wait_for_end()
    button(chat.answers.last, "More actions").click()
    expect(chat.page.get_by_role("menuitem", name="Copy as plain text")).to_be_visible()
    expect(chat.page.get_by_role("menuitem", name="Read aloud")).to_have_count(0)
    expect(chat.page.get_by_role("button", name="Dictate", exact=True)).to_have_count(0)


def test_axe_finds_nothing_while_it_listens_and_after_a_paste(filled_server: RxChat, context: BrowserContext) -> None:
    audit, chat = Audit(), Chat(with_axe(context).new_page(), filled_server.url).open().choose(PLAIN)
    page = chat.page
    page.get_by_role("button", name="Dictate", exact=True).click()
    audit.look(page, "question before dictation")
    page.get_by_role("button", name="Start dictating").click()
    hear(page, ("and so on", False))
    expect(chat.composer_hint).to_contain_text("Listening")
    audit.look(page, "dictation")
    page.keyboard.press("Escape")
    paste(chat, "words\n" * 300)
    expect(page.get_by_role("button", name="Paste as text instead")).to_be_visible()
    audit.look(page, "pasted text")
    assert audit.found == []

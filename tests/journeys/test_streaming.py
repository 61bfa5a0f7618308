"""A question is asked, and its answer streams: what a person sees from the Enter key to the end."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import BrowserContext, expect

from tests.journeys.browser import Chat
from tests.journeys.conftest import ENDLESS, LATE
from tests.journeys.models import counted
from tests.journeys.server import ModelHost, RxChat


def test_an_answer_streams_in_and_says_how_long_it_took(chat: Chat, model_host: ModelHost) -> None:
    chat.open().choose(LATE).ask("How does the first token come?")
    expect(chat.page.locator(".typing")).to_be_visible()
    expect(chat.stop_button).to_be_visible()
    expect(chat.page.get_by_text(f"Waiting for {LATE}")).to_be_visible()
    chat.page.wait_for_url(re.compile("/c/[0-9a-f-]{36}$"))
    expect(chat.row("How does the first token come?")).to_be_visible()
    expect(chat.row("How does the first token come?").get_by_label("An answer is being written")).to_be_visible()
    model_host.go_on()
    chat.wait_for_words(5)
    assert len(chat.said().split()) == 5
    expect(chat.page.locator(".typing")).to_have_count(0)
    model_host.go_on()
    chat.wait_for_end()
    assert chat.said() == " ".join(["word"] * 10)
    expect(chat.answers.last.locator(".stats")).to_have_text(re.compile(r"^\d+(\.\d)? s · \d+(\.\d)? tokens/s$"))
    expect(chat.row("How does the first token come?").get_by_label("An answer is being written")).to_have_count(0)
    expect(chat.page).to_have_title(re.compile("^How does the first token come?"))


def test_thoughts_come_before_the_answer_and_unfold(chat: Chat) -> None:
    chat.begin("scripted:think=20,tokens=20,rate=40", "Think first, please").wait_for_end()
    thoughts = chat.page.get_by_role("button", name=re.compile("^Thought"))
    thoughts.click()
    expect(chat.page.locator(".reasoning-text")).to_contain_text("thought 0 thought 1")
    expect(chat.page.locator(".reasoning-text")).to_contain_text("thought 19")
    assert chat.said() == " ".join(["word"] * 20)


def test_markdown_is_drawn_and_code_can_be_copied(server: RxChat, signed_in: Callable[..., BrowserContext]) -> None:
    context = signed_in(server)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    chat = (
        Chat(context.new_page(), server.url).begin("scripted:fault=markdown,rate=200", "A plan, please").wait_for_end()
    )
    answer = chat.answers.last
    expect(answer.get_by_role("heading", name="A plan")).to_be_visible()
    expect(answer.get_by_role("listitem")).to_have_text(["one", "two"])
    expect(answer.get_by_role("link", name="a link")).to_have_attribute("target", "_blank")
    expect(answer.get_by_role("cell")).to_have_text(["1", "2"])
    expect(answer.locator("figure pre")).to_have_text("def answer() -> int:\n    return 42")
    answer.get_by_role("button", name="Copy code").click()
    expect(answer.get_by_text("Copied").first).to_be_visible()
    assert chat.page.evaluate("navigator.clipboard.readText()") == "def answer() -> int:\n    return 42"
    answer.get_by_role("button", name="Copy answer").click()
    chat.page.wait_for_function("() => navigator.clipboard.readText().then(text => text.startsWith('# A plan'))")


# Right when the address changes, a user writes and presses a key; what is on the page then is remembered.
WRITES_AT_THE_CHANGE = """(pressed) => {
  const parts = () => ["#composer", "[role=log]"].map((selector) => document.querySelector(selector));
  const before = parts();
  window.isSamePage = () => parts().every((element, at) => element === before[at]);
  const replace = history.replaceState.bind(history);
  history.replaceState = (state, unused, url) => {
    replace(state, unused, url);
    if (!String(url).includes("/c/")) return;
    const field = before[0];
    Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set.call(field, "Written meanwhile");
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dispatchEvent(new KeyboardEvent("keydown", { key: pressed, bubbles: true, cancelable: true }));
  };
}"""


def test_a_new_chat_stays_as_it_is_when_it_gets_its_address(chat: Chat, model_host: ModelHost) -> None:
    page = chat.open().choose("scripted:think=10,fault=markdown,rate=100,hold=5+50").page
    page.evaluate(WRITES_AT_THE_CHANGE, "Shift")
    chat.ask("A plan, please")
    page.wait_for_url(re.compile("/c/"))
    model_host.go_on()
    expect(page.get_by_role("button", name=re.compile("^Thought for"))).to_be_visible()
    expect(chat.composer).to_have_value("Written meanwhile")
    expect(chat.composer).to_be_focused()
    assert page.evaluate("isSamePage()") is True
    model_host.go_on()
    chat.wait_for_end()
    page.reload()
    expect(chat.composer).to_have_value("Written meanwhile")


def test_a_message_sent_right_when_a_new_chat_gets_its_address_is_its_second(chat: Chat) -> None:
    page = chat.open().choose("scripted:count=1,tokens=20").page
    page.evaluate(WRITES_AT_THE_CHANGE, "Enter")
    chat.ask("The first").wait_for_end()
    expect(chat.asked).to_have_text(["The first", "Written meanwhile"])
    expect(chat.answers).to_have_count(2)
    chat.wait_for_end()
    page.reload()
    expect(chat.asked).to_have_text(["The first", "Written meanwhile"])
    expect(chat.answers).to_have_count(2)
    expect(chat.composer).to_have_value("")


def test_nothing_is_drawn_anew_when_an_answer_ends(chat: Chat, model_host: ModelHost) -> None:
    chat.begin("scripted:think=10,fault=markdown,rate=100,hold=5+50", "A plan, please")
    expect(chat.page.get_by_role("button", name="Thinking…")).to_be_visible()
    model_host.go_on()
    thoughts = chat.page.get_by_role("button", name=re.compile("^Thought for"))
    thoughts.click()
    heading = chat.answers.last.get_by_role("heading", name="A plan")
    expect(chat.answers.last.get_by_role("listitem").first).to_be_visible()
    words = thoughts.inner_text()
    heading.evaluate("element => { window.shownBefore = element; getSelection().selectAllChildren(element) }")
    expect(chat.stop_button).to_be_visible()
    model_host.go_on()
    chat.wait_for_end()
    assert heading.evaluate("element => [element === window.shownBefore, String(getSelection()).trim()]") == [
        True,
        "A plan",
    ]
    expect(thoughts).to_have_text(words)
    expect(chat.page.locator(".reasoning-text")).to_contain_text("thought 9")


def test_footnotes_lead_to_each_other_and_texts_from_right_to_left_stay_inside(chat: Chat) -> None:
    chat.begin("scripted:notes=1", "Notes, please").wait_for_end()
    answer, address = chat.answers.last, chat.page.url
    reference = answer.locator("[data-footnote-ref]")
    reference.click()
    note = answer.locator("section[data-footnotes] li")
    expect(note).to_be_in_viewport()
    expect(note).to_be_focused()
    note.locator("[data-footnote-backref]").click()
    expect(reference).to_be_in_viewport()
    expect(reference).to_be_focused()
    assert chat.page.url == address
    # Marks and lines are at the side where the text begins.
    style = "element => [getComputedStyle(element).direction, parseFloat(getComputedStyle(element).paddingRight) > 0]"
    for part in (answer.locator("ul").filter(has_text="אחת"), answer.locator("blockquote")):
        assert part.evaluate(style) == ["rtl", True]


def test_a_block_of_code_is_one_stop_of_the_tab_key(chat: Chat) -> None:
    chat.begin("scripted:notes=1", "Notes, please").wait_for_end()
    chat.answers.last.locator("[data-footnote-ref]").focus()
    chat.page.keyboard.press("Tab")
    expect(chat.answers.last.get_by_role("button", name="Copy code")).to_be_focused()
    chat.page.keyboard.press("Tab")
    expect(chat.answers.last.locator("figure :focus")).to_have_count(0)


def test_stopping_keeps_what_was_said(chat: Chat) -> None:
    chat.begin(ENDLESS, "Count very far").wait_for_words(20)
    chat.stop_button.click()
    chat.wait_for_end()
    expect(chat.answers.last.get_by_text("Stopped")).to_be_visible()
    said = chat.said()
    assert said == counted(1, len(said.split())).strip()
    chat.page.reload()
    expect(chat.answers.last.get_by_text("Stopped")).to_be_visible()
    assert chat.said() == said


def test_scrolling_up_lets_go_of_the_end_and_a_pill_leads_back(chat: Chat, model_host: ModelHost) -> None:
    chat.begin("scripted:count=1,tokens=12000,rate=400,hold=900+3000", "Count far, please").wait_for_words(900)
    box = chat.page.locator(".thread-scroll")
    box.hover()
    chat.page.mouse.wheel(0, -400)
    pill = chat.page.get_by_role("button", name="New text below")
    expect(pill).to_be_visible()
    before = box.evaluate("element => element.scrollTop")
    model_host.go_on()
    chat.wait_for_words(960)
    assert box.evaluate("element => element.scrollTop") == before
    pill.click()
    expect(pill).to_have_count(0)
    chat.page.wait_for_function(
        "() => { const box = document.querySelector('.thread-scroll');"
        " return box.scrollHeight - box.clientHeight - box.scrollTop < 60 }"
    )
    chat.stop_button.click()
    chat.wait_for_end()

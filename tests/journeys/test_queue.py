"""What is sent while an answer is being written waits where everybody sees it; an answer that was cut off goes on."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.journeys.browser import Chat
from tests.journeys.conftest import ENDLESS, FAILING, HELD
from tests.journeys.models import counted
from tests.journeys.server import ModelHost, RxChat

QUICK = "scripted:count=1,tokens=20"


def queue(page: Page) -> Locator:
    """The messages that wait, as the page shows them."""
    return page.get_by_role("region", name="Queued messages").get_by_role("listitem")


def send_meanwhile(chat: Chat, text: str) -> None:
    """Write and press Enter while an answer is being written."""
    count = queue(chat.page).count()
    chat.composer.fill(text)
    chat.composer.press("Enter")
    expect(queue(chat.page)).to_have_count(count + 1)
    expect(chat.composer).to_have_value("")


def test_what_is_sent_meanwhile_waits_is_changed_taken_back_and_sent(
    server: RxChat, signed_in: Callable[..., BrowserContext]
) -> None:
    chat = Chat(signed_in(server).new_page(), server.url).begin(ENDLESS, "The first one").wait_for_words(10)
    for text in ("The second one", "The third one", "A slip of the pen"):
        send_meanwhile(chat, text)
    other = Chat(signed_in(server).new_page(), server.url).open(chat.path)
    expect(queue(other.page)).to_have_text(["The second one", "The third one", "A slip of the pen"])
    queue(chat.page).nth(1).get_by_role("button", name="Edit this message").click()
    field = chat.page.get_by_role("textbox", name="Queued message")
    expect(field).to_be_focused()
    field.fill("The third one, but better")
    field.press("Enter")
    queue(other.page).nth(2).get_by_role("button", name="Remove this message from the queue").click()
    expect(other.composer).to_have_value("A slip of the pen")
    for tab in (chat, other):
        expect(queue(tab.page)).to_have_text(["The second one", "The third one, but better"])
    chat.page.reload()
    expect(queue(chat.page)).to_have_count(2)
    chat.stop_button.click()
    # The second one is asked now, by the same model, and stopped as well; then the third.
    expect(chat.asked).to_have_text(["The first one", "The second one"])
    chat.wait_for_words(3)
    chat.stop_button.click()
    expect(chat.asked).to_have_text(["The first one", "The second one", "The third one, but better"])
    expect(queue(chat.page)).to_have_count(0)
    chat.wait_for_words(3)
    chat.stop_button.click()
    for tab in (chat, other):
        tab.wait_for_end()
        expect(tab.answers).to_have_count(3)


def test_after_a_failure_what_waits_is_kept_and_sent_on_a_press(chat: Chat, model_host: ModelHost) -> None:
    chat.begin(FAILING, "It will fail").wait_for_words(5)
    send_meanwhile(chat, "And then?")
    model_host.go_on()
    expect(chat.page.get_by_text("Not sent yet")).to_be_visible()
    expect(queue(chat.page)).to_have_text(["And then?"])
    chat.page.get_by_role("button", name="Send now").click()
    expect(chat.asked).to_have_text(["It will fail", "And then?"])
    expect(queue(chat.page)).to_have_count(0)
    expect(chat.answers).to_have_count(2)
    model_host.go_on()
    chat.wait_for_end()


def test_a_stopped_answer_is_continued_where_it_was_stopped(chat: Chat) -> None:
    chat.begin(HELD, "Count, and be interrupted").wait_for_words(40)
    chat.stop_button.click()
    chat.wait_for_end()
    said = chat.said()
    chat.page.get_by_role("button", name="Continue").click()
    chat.wait_for_words(len(said.split()) + 5)
    assert chat.said().startswith(said)
    chat.wait_for_words(200).wait_for_end()
    assert chat.said() == counted(1, 200).strip()
    expect(chat.answers).to_have_count(1)
    chat.page.reload()
    chat.wait_for_words(200)
    assert chat.said() == counted(1, 200).strip()


def test_a_text_that_is_longer_than_any_event_comes_whole(chat: Chat) -> None:
    question = "".join(f"line {number} of something long\n" for number in range(3000)).strip()
    chat.open().choose(QUICK).put(question)
    chat.composer.press("Enter")
    chat.page.wait_for_url("**/c/*")
    chat.wait_for_end()
    chat.page.reload()
    chat.page.wait_for_function(
        "length => (document.querySelector('.bubble-text')?.textContent.length ?? 0) === length", arg=len(question)
    )
    assert chat.questions.locator(".bubble-text").text_content() == question

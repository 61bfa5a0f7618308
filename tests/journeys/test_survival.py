"""What happens to an answer while it is written: reloads, other tabs, a cut network. It ends whole, once, everywhere."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import BrowserContext, expect

from tests.journeys.browser import Chat
from tests.journeys.conftest import ENDLESS, HELD, LATE
from tests.journeys.models import counted
from tests.journeys.server import ModelHost, RxChat

WHOLE = counted(1, 200).strip()


def test_a_reload_in_the_middle_of_an_answer_goes_on_and_ends_whole(chat: Chat, model_host: ModelHost) -> None:
    chat.begin(HELD, "Count to 200").wait_for_words(30)
    chat.page.reload()
    chat.wait_for_words(60)
    expect(chat.stop_button).to_be_visible()
    chat.page.reload()
    model_host.go_on()
    chat.wait_for_words(200).wait_for_end()
    assert chat.said() == WHOLE
    expect(chat.answers).to_have_count(1)
    expect(chat.questions).to_have_count(1)
    chat.page.reload()
    chat.wait_for_words(200)
    assert chat.said() == WHOLE


def test_a_reload_before_the_first_word_still_asks_once(chat: Chat, model_host: ModelHost) -> None:
    chat.begin(LATE, "Are you there?")
    chat.page.reload()
    expect(chat.page.locator(".typing")).to_be_visible()
    for _ in range(2):
        model_host.go_on()
    chat.wait_for_words(10)
    chat.wait_for_end()
    expect(chat.questions).to_have_count(1)
    assert chat.said() == " ".join(["word"] * 10)
    expect(chat.composer).to_have_value("")


def test_a_second_tab_streams_too_and_both_end_equal(
    server: RxChat, model_host: ModelHost, signed_in: Callable[..., BrowserContext]
) -> None:
    context = signed_in(server)
    chat = Chat(context.new_page(), server.url).begin(HELD, "Count for two").wait_for_words(20)
    other = Chat(context.new_page(), server.url).open(chat.path)
    other.wait_for_words(40)
    expect(other.stop_button).to_be_visible()
    model_host.go_on()
    chat.wait_for_end()
    other.wait_for_end()
    assert chat.said() == other.said() == WHOLE


def test_a_question_asked_in_one_tab_shows_in_the_idle_other(
    server: RxChat, model_host: ModelHost, signed_in: Callable[..., BrowserContext]
) -> None:
    chat = Chat(signed_in(server).new_page(), server.url).begin("scripted:count=1,tokens=20", "First").wait_for_end()
    # Another browser, so that nothing but the server connects the two.
    other = Chat(signed_in(server).new_page(), server.url).open(chat.path)
    expect(other.answers).to_have_count(1)
    chat.choose(HELD).ask("Second")
    expect(other.questions.filter(has_text="Second")).to_be_visible()
    other.wait_for_words(20)
    model_host.go_on()
    chat.wait_for_end()
    other.wait_for_end()
    assert chat.said() == other.said() == WHOLE
    expect(other.answers).to_have_count(2)
    expect(other.page.get_by_role("button", name=f"Model: {HELD}", exact=True)).to_be_visible()


def test_a_new_conversation_shows_in_the_sidebar_of_another_browser(
    server: RxChat, signed_in: Callable[..., BrowserContext], chat: Chat
) -> None:
    other = Chat(signed_in(server).new_page(), server.url).open()
    chat.begin("scripted:count=1,tokens=20", "Seen from afar").wait_for_end()
    expect(other.row("Seen from afar")).to_be_visible()


def test_stop_in_one_tab_stops_both(server: RxChat, signed_in: Callable[..., BrowserContext]) -> None:
    context = signed_in(server)
    chat = Chat(context.new_page(), server.url)
    chat.begin(ENDLESS, "Count until told otherwise").wait_for_words(20)
    other = Chat(context.new_page(), server.url).open(chat.path).wait_for_words(30)
    other.stop_button.click()
    chat.wait_for_end()
    other.wait_for_end()
    for tab in (chat, other):
        expect(tab.answers.last.get_by_text("Stopped")).to_be_visible()
    said = chat.said()
    assert other.said() == said == counted(1, len(said.split())).strip()
    chat.page.reload()
    chat.wait_for_words(len(said.split()))
    assert chat.said() == said


def test_a_cut_network_heals_in_the_middle_of_an_answer(
    server: RxChat, model_host: ModelHost, signed_in: Callable[..., BrowserContext]
) -> None:
    context = cuttable(signed_in(server))
    chat = Chat(context.new_page(), server.url).begin(HELD, "Count over a bad line").wait_for_words(20)
    cut(chat)
    model_host.go_on()
    chat.composer.fill("Written meanwhile")
    context.set_offline(False)
    chat.wait_for_end()
    assert chat.said() == WHOLE
    expect(chat.page.get_by_text("Reconnecting…")).to_have_count(0)
    expect(chat.composer).to_have_value("Written meanwhile")
    expect(chat.answers).to_have_count(1)


def test_a_question_sent_while_the_line_is_cut_arrives_once(
    server: RxChat, signed_in: Callable[..., BrowserContext]
) -> None:
    context = cuttable(signed_in(server))
    chat = Chat(context.new_page(), server.url).begin("scripted:count=1,tokens=20", "Before the cut").wait_for_end()
    cut(chat)
    chat.ask("Said into the void")
    context.set_offline(False)
    expect(chat.page.get_by_text("Reconnecting…")).to_have_count(0)
    # Either the page sends it by itself, or the composer has it back: it is never gone and never twice.
    chat.page.wait_for_function(
        "() => document.querySelectorAll('.message-answer').length === 2"
        " || document.querySelector('#composer').value === 'Said into the void'"
    )
    if chat.composer.input_value():
        chat.composer.press("Enter")
    expect(chat.answers).to_have_count(2)
    chat.wait_for_end()
    chat.page.reload()
    expect(chat.questions.filter(has_text="Said into the void")).to_have_count(1)
    expect(chat.answers).to_have_count(2)


def cuttable(context: BrowserContext) -> BrowserContext:
    """A profile whose pages keep their websockets where `cut` finds them."""
    context.add_init_script(
        "window.sockets = []; const Real = window.WebSocket;"
        "window.WebSocket = class extends Real { constructor(...all) { super(...all); window.sockets.push(this) } }"
    )
    return context


def cut(chat: Chat) -> None:
    """Take the network away: going offline alone leaves the websockets that are open as they are."""
    chat.page.context.set_offline(True)
    chat.page.evaluate("window.sockets.forEach(socket => socket.close())")
    expect(chat.page.get_by_text("Reconnecting…")).to_be_visible()

"""A question is asked once and its composer is free again, whatever becomes of the server's answer to it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from playwright.sync_api import BrowserContext, Locator, WebSocketRoute, expect

from tests.journeys.browser import Chat
from tests.journeys.server import RxChat

QUICK = "scripted:count=1,tokens=20"


class Line:
    """What goes between a page and its server, which can go deaf to the server without either end noticing."""

    def __init__(self, context: BrowserContext) -> None:
        """Stand between all pages of a profile and their server."""
        self.is_deaf = False
        self.sends = 0
        self._pages: list[WebSocketRoute] = []
        context.route_web_socket("**/_event/**", self._connect)

    def _connect(self, page: WebSocketRoute) -> None:
        server = page.connect_to_server()
        self._pages.append(page)

        def to_server(message: str | bytes) -> None:
            self.sends += '.send"' in str(message)
            server.send(message)

        page.on_message(to_server)
        server.on_message(lambda message: None if self.is_deaf else page.send(message))

    def break_off(self) -> None:
        """Break every connection; new ones work."""
        self.is_deaf = False
        pages, self._pages = self._pages, []
        for page in pages:
            page.close()


def ask_unheard(chat: Chat, line: Line, text: str) -> None:
    """Ask so that the server has the question, and the page never hears of it."""
    line.is_deaf = True
    before = line.sends
    chat.ask(text)
    chat.page.wait_for_timeout(1500)
    assert line.sends > before
    expect(on_its_way(chat)).to_have_count(1)


def on_its_way(chat: Chat) -> Locator:
    """What was sent and is not known to have arrived."""
    return chat.page.locator(".message-user.is-muted")


def expect_asked_once(chat: Chat, text: str) -> None:
    """Expect the question once, answered, and the composer empty and free: also after the page is loaded again."""
    expect(on_its_way(chat)).to_have_count(0)
    expect(chat.questions.filter(has_text=text)).to_have_count(1)
    chat.wait_for_end()
    expect(chat.composer).to_have_value("")
    chat.page.reload()
    expect(chat.questions.filter(has_text=text)).to_have_count(1)
    expect(chat.composer).to_have_value("")
    chat.ask("And free again").wait_for_words(20).wait_for_end()
    expect(chat.questions.filter(has_text=text)).to_have_count(1)
    expect(chat.composer).to_have_value("")


def test_an_acknowledgement_that_is_lost_with_the_line_and_the_process(
    disposable_server: RxChat, signed_in: Callable[..., BrowserContext]
) -> None:
    context = signed_in(disposable_server)
    line = Line(context)
    chat = Chat(context.new_page(), disposable_server.url).begin(QUICK, "Before").wait_for_end()
    ask_unheard(chat, line, "Heard, and not answered")
    os.kill(disposable_server.web_worker(), signal.SIGKILL)
    line.break_off()
    expect_asked_once(chat, "Heard, and not answered")


def test_an_acknowledgement_that_is_lost_on_a_line_that_looks_fine(
    server: RxChat, signed_in: Callable[..., BrowserContext]
) -> None:
    context = signed_in(server)
    line = Line(context)
    chat = Chat(context.new_page(), server.url).begin(QUICK, "Before").wait_for_end()
    ask_unheard(chat, line, "Said into a dead line")
    line.is_deaf = False
    expect_asked_once(chat, "Said into a dead line")


def test_a_new_chat_whose_beginning_was_not_heard_of_is_found_after_a_reload(
    server: RxChat, signed_in: Callable[..., BrowserContext]
) -> None:
    context = signed_in(server)
    line = Line(context)
    chat = Chat(context.new_page(), server.url).open().choose(QUICK)
    ask_unheard(chat, line, "Begun unheard")
    line.is_deaf = False
    chat.page.reload()
    chat.page.wait_for_url("**/c/*")
    expect_asked_once(chat, "Begun unheard")
    expect(chat.row("Begun unheard")).to_have_count(1)

"""A page that slept while its socket died: when it wakes, it has the whole answer without a time-out."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext

from tests.journeys.browser import Chat
from tests.journeys.conftest import HELD
from tests.journeys.models import counted
from tests.journeys.server import ModelHost, RxChat, until
from tests.journeys.wire import Wire, wire_to

# Without waking.js the page learns of its dead socket from Engine.IO's time-outs, after 45 seconds. How long waking takes
# is a figure of `make bench`.
WOKEN_WITHIN_SECONDS = 20.0
# Longer than what waking.js takes for sleep.
SLEEP_SECONDS = 8.5


@contextmanager
def frozen(browser: Browser, seconds: float) -> Iterator[None]:
    """Let no page of the browser run for at least so long, as a machine that sleeps does."""
    found = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    pages = [process["id"] for process in found if process["type"] == "renderer"]
    assert pages
    began = time.monotonic()
    for pid in pages:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
        time.sleep(max(0.0, began + seconds - time.monotonic()))
    finally:
        for pid in pages:
            os.kill(pid, signal.SIGCONT)


def begun(disposable_server: RxChat, context: BrowserContext, wire: Wire) -> Chat:
    """A page that reaches the server by the wire, in mid-answer."""
    return Chat(context.new_page(), wire.url).begin(HELD, "Count to 200").wait_for_words(20)


def answers_ended(server: RxChat) -> int:
    return server.web_log(1_000_000).count('"event": "answer ended"')


def test_a_page_that_was_frozen_has_the_whole_answer(
    disposable_server: RxChat,
    disposable_model_host: ModelHost,
    browser: Browser,
    signed_in: Callable[..., BrowserContext],
) -> None:
    before = answers_ended(disposable_server)
    with wire_to(disposable_server) as wire:
        chat = begun(disposable_server, signed_in(disposable_server), wire)
        with frozen(browser, SLEEP_SECONDS):
            wire.lose_connections()
            disposable_model_host.go_on()
            until(lambda: answers_ended(disposable_server) > before)
        chat.wait_for_words(200, seconds=WOKEN_WITHIN_SECONDS)
        assert chat.wait_for_end().said() == counted(1, 200).strip()


def test_a_page_whose_network_came_back_has_the_whole_answer(
    disposable_server: RxChat, disposable_model_host: ModelHost, signed_in: Callable[..., BrowserContext]
) -> None:
    before = answers_ended(disposable_server)
    with wire_to(disposable_server) as wire:
        chat = begun(disposable_server, signed_in(disposable_server), wire)
        wire.lose_connections()
        disposable_model_host.go_on()
        until(lambda: answers_ended(disposable_server) > before)
        chat.page.evaluate("dispatchEvent(new Event('online'))")
        chat.wait_for_words(200, seconds=WOKEN_WITHIN_SECONDS)
        assert chat.wait_for_end().said() == counted(1, 200).strip()

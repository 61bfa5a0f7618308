"""Parts of the machine are killed in the middle of things: the page says so, loses nothing and recovers by itself."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from contextlib import suppress

import pytest
from playwright.sync_api import BrowserContext, expect
from playwright.sync_api import TimeoutError as Timeout

from tests.journeys.browser import Chat
from tests.journeys.conftest import HELD
from tests.journeys.models import counted
from tests.journeys.server import ModelHost, RxChat, until

QUICK = "scripted:count=1,tokens=20"


@pytest.fixture
def tab(disposable_server: RxChat, disposable_model_host: ModelHost, signed_in: Callable[..., BrowserContext]) -> Chat:
    """A tab on the server that this file is rough with."""
    assert disposable_model_host
    return Chat(signed_in(disposable_server).new_page(), disposable_server.url)


def test_a_model_host_that_is_away_is_named_and_retry_works_when_it_is_back(
    tab: Chat, disposable_model_host: ModelHost
) -> None:
    tab.begin(QUICK, "Before it went").wait_for_end()
    disposable_model_host.kill()
    try:
        tab.ask("Is anybody there?")
        failure = tab.answers.last.get_by_role("alert")
        expect(failure).to_contain_text("The model host does not respond.")
        tab.wait_for_end()
        failure.get_by_role("button", name="Retry").click()
        expect(tab.answers.last.get_by_role("alert")).to_contain_text("does not respond")
    finally:
        disposable_model_host.start()
    tab.wait_for_end()
    tab.answers.last.get_by_role("button", name="Retry").click()
    tab.wait_for_words(20).wait_for_end()
    assert tab.said() == counted(1, 20).strip()
    expect(tab.answers).to_have_count(2)
    expect(tab.page.get_by_role("alert")).to_have_count(0)
    tab.page.reload()
    expect(tab.answers).to_have_count(2)
    tab.wait_for_words(20)


def test_a_model_host_that_dies_in_mid_answer_leaves_the_words_and_retry(
    tab: Chat, disposable_model_host: ModelHost
) -> None:
    tab.begin(HELD, "Will you finish?").wait_for_words(20)
    disposable_model_host.kill()
    try:
        tab.wait_for_end()
        expect(tab.answers.last.get_by_role("alert")).to_contain_text("The text so far is kept")
        assert tab.said().startswith(counted(1, 20).strip())
    finally:
        disposable_model_host.start()
    tab.answers.last.get_by_role("button", name="Retry").click()
    disposable_model_host.go_on()
    tab.wait_for_words(200).wait_for_end()
    assert tab.said() == counted(1, 200).strip()


def test_a_cut_answer_shows_its_words_a_sentence_and_retry(tab: Chat) -> None:
    tab.begin("scripted:fault=cut,at=5", "Can you finish?").wait_for_end()
    assert tab.said() == "word word word word word"
    failure = tab.answers.last.get_by_role("alert")
    expect(failure).to_contain_text("stopped during the answer. The text so far is kept.")
    expect(failure.get_by_role("button", name="Retry")).to_be_visible()
    tab.page.reload()
    expect(tab.answers.last.get_by_role("alert")).to_contain_text("stopped during the answer")
    assert tab.said() == "word word word word word"


def test_a_page_opened_while_the_model_host_is_away_says_so(
    tab: Chat, disposable_server: RxChat, disposable_model_host: ModelHost
) -> None:
    tab.begin(QUICK, "Kept while it is away").wait_for_end()
    disposable_model_host.kill()
    try:
        # What is on offer is remembered for some seconds.
        notice = tab.page.get_by_role("status").filter(has_text=re.compile("does not respond"))

        def is_said() -> bool:
            tab.page.reload()
            with suppress(Timeout):
                notice.wait_for(timeout=2_000)
                return True
            return False

        until(is_said)
        assert tab.said() == counted(1, 20).strip()
    finally:
        disposable_model_host.start()
    tab.page.reload()
    expect(tab.answers).to_have_count(1)
    expect(notice).to_have_count(0)


def test_a_killed_web_worker_is_replaced_and_the_answer_ends_whole(tab: Chat, disposable_server: RxChat) -> None:
    tab.begin(HELD, "Survive this").wait_for_words(60)
    worker = disposable_server.web_worker()
    os.kill(worker, signal.SIGKILL)
    tab.composer.fill("Typed in between")
    tab.wait_for_words(200).wait_for_end(60)
    assert tab.said() == counted(1, 200).strip()
    expect(tab.answers).to_have_count(1)
    expect(tab.composer).to_have_value("Typed in between")
    expect(tab.page.get_by_text("Reconnecting…")).to_have_count(0)
    until(lambda: disposable_server.web_worker() != worker)
    tab.choose(QUICK).composer.press("Enter")
    expect(tab.questions.filter(has_text="Typed in between")).to_be_visible()
    expect(tab.answers).to_have_count(2)
    tab.wait_for_words(20).wait_for_end()


def test_a_killed_web_server_comes_back_and_the_answer_ends_whole(tab: Chat, disposable_server: RxChat) -> None:
    tab.begin(HELD, "Survive that, too").wait_for_words(60)
    os.kill(disposable_server.pid_of("rxchat.server"), signal.SIGKILL)
    expect(tab.page.get_by_text("Reconnecting…")).to_be_visible()
    tab.wait_for_words(200).wait_for_end(60)
    assert tab.said() == counted(1, 200).strip()
    expect(tab.page.get_by_text("Reconnecting…")).to_have_count(0)


def test_a_killed_postgres_comes_back_and_nothing_is_lost(
    tab: Chat, disposable_server: RxChat, disposable_model_host: ModelHost
) -> None:
    tab.begin(HELD, "Survive without a database").wait_for_words(30)
    os.kill(disposable_server.pid_of("bin/postgres"), signal.SIGKILL)
    disposable_model_host.go_on()
    tab.composer.fill("Typed without a database")
    tab.wait_for_words(200).wait_for_end(60)
    assert tab.said() == counted(1, 200).strip()
    expect(tab.composer).to_have_value("Typed without a database")
    expect(tab.page.get_by_text("The database does not respond")).to_have_count(0)
    tab.page.reload()
    tab.wait_for_words(200)
    assert tab.said() == counted(1, 200).strip()
    expect(tab.composer).to_have_value("Typed without a database")
    tab.choose(QUICK).composer.press("Enter")
    expect(tab.answers).to_have_count(2)
    tab.wait_for_words(20).wait_for_end()


def test_a_question_asked_while_the_database_is_away_comes_back_and_can_be_asked_again(
    tab: Chat, disposable_server: RxChat
) -> None:
    tab.begin(QUICK, "Idle for now").wait_for_end()
    tab.composer.fill("Asked without a database")
    backs = disposable_server.said().count("postgres is back.")
    os.kill(disposable_server.pid_of("bin/postgres"), signal.SIGKILL)
    tab.composer.press("Enter")
    # The kernel takes a moment to end it: the question may have been taken before, and then it is answered.
    expect(tab.composer_hint.filter(has_text="The database does not respond").or_(tab.answers.nth(1))).to_be_visible()
    until(lambda: disposable_server.said().count("postgres is back.") > backs)
    if tab.composer_hint.filter(has_text="The database does not respond").is_visible():
        expect(tab.composer).to_have_value("Asked without a database")
        expect(tab.questions).to_have_count(1)
        tab.composer.press("Enter")
    tab.wait_for_words(20).wait_for_end()
    expect(tab.answers).to_have_count(2)
    expect(tab.page.get_by_text("The database does not respond")).to_have_count(0)
    expect(tab.questions.filter(has_text="Asked without a database")).to_have_count(1)


def test_a_restart_of_everything_keeps_the_sign_in_and_goes_on_with_the_answer(
    tab: Chat, disposable_server: RxChat
) -> None:
    tab.begin(QUICK, "Before the restart").wait_for_end()
    first = tab.path
    tab.begin(HELD, "Across the restart").wait_for_words(60)
    tab.composer.fill("Typed during the restart")
    disposable_server.stop()
    expect(tab.page.get_by_text("Reconnecting…")).to_be_visible()
    disposable_server.start()
    assert disposable_server.link == ""
    tab.wait_for_words(200).wait_for_end(60)
    assert tab.said() == counted(1, 200).strip()
    expect(tab.composer).to_have_value("Typed during the restart")
    tab.row("Before the restart").get_by_role("link").click()
    tab.page.wait_for_url(f"**{first}")
    tab.wait_for_words(20)
    expect(tab.asked).to_have_text("Before the restart")
    tab.page.reload()
    expect(tab.row("Across the restart")).to_be_visible()

"""The first minutes on a fresh machine: the printed link, the first account, and a real model's first answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.embedded import weights_cache
from tests.journeys.browser import EMAIL, NAME, PASSWORD, PATIENCE_MS, Chat
from tests.journeys.conftest import session_of
from tests.journeys.server import RxChat


@pytest.fixture(scope="module")
def fresh() -> Iterator[RxChat]:
    """A server without any account, with the demo model."""
    found = RxChat()
    try:
        weights_cache.seed(found.data)
        found.start()
        yield found
    finally:
        found.remove()


def field(page: Page, name: str):
    """The field with this label."""
    return page.get_by_label(name, exact=True)


def test_before_the_first_account_every_page_asks_for_the_printed_link(
    fresh: RxChat, profile: Callable[..., BrowserContext]
) -> None:
    page = profile().new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(fresh.url)
    expect(page.get_by_role("heading", name="Not set up yet")).to_be_focused()
    expect(page.get_by_text("Open the link that RxChat printed")).to_be_visible()
    expect(field(page, "Password")).to_have_count(0)


def test_the_printed_link_makes_the_first_administrator_once(
    fresh: RxChat, profile: Callable[..., BrowserContext]
) -> None:
    page = profile().new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(fresh.link)
    create = page.get_by_role("button", name="Create account")
    for name in ("Name", "E-mail", "Password"):
        expect(field(page, name)).to_have_attribute("aria-invalid", "false")
    expect(page.locator(".field-problem")).to_have_count(0)
    create.click()
    expect(page.get_by_text("Enter your name.")).to_be_visible()
    expect(page.get_by_text("Enter your e-mail address.")).to_be_visible()
    expect(page.get_by_text("Enter your password.")).to_be_visible()
    expect(field(page, "Name")).to_be_focused()

    # As pasted by mistake: refused at the field, and all of it is still there.
    field(page, "Name").fill("x" * 300_000)
    field(page, "E-mail").fill(EMAIL)
    create.click()
    expect(page.locator("#name-problem")).to_have_text("Use at most 100 characters.")
    expect(field(page, "Name")).to_be_focused()
    assert len(field(page, "Name").input_value()) == 300_000

    field(page, "Name").fill(NAME)
    field(page, "E-mail").fill("ada")
    field(page, "Password").fill("short")
    create.click()
    expect(page.locator("#email-problem")).to_have_text("This is not a valid e-mail address.")
    expect(page.locator("#password-problem")).to_have_text("Use at least 10 characters.")
    expect(field(page, "Name")).to_have_value(NAME)
    expect(field(page, "E-mail")).to_have_value("ada")
    expect(field(page, "Password")).to_have_value("short")

    field(page, "E-mail").fill(EMAIL)
    field(page, "Password").fill(PASSWORD)
    field(page, "Password").press("Enter")
    expect(page.get_by_role("heading", name="Hello, Ada")).to_be_visible()

    second = profile().new_page()
    second.goto(fresh.link)
    expect(second.get_by_role("heading", name="This link is no longer valid")).to_be_visible()
    expect(field(second, "Name")).to_have_count(0)
    second.get_by_role("link", name="Sign in").click()
    expect(field(second, "Password")).to_be_visible()


def test_a_setup_page_without_its_token_says_where_the_link_is(
    fresh: RxChat, profile: Callable[..., BrowserContext]
) -> None:
    page = profile().new_page()
    page.goto(f"{fresh.url}/setup")
    expect(page.get_by_text("This page needs the one-time link")).to_be_visible()


def test_the_demo_model_answers_a_real_question(fresh: RxChat, profile: Callable[..., BrowserContext]) -> None:
    chat = Chat(profile(storage_state=session_of(fresh)).new_page(), fresh.url).open()
    expect(chat.page.get_by_text("You are using the demo model")).to_be_visible()
    chat.page.get_by_role("button", name=re.compile("^Ask for a fact")).click()
    expect(chat.composer).to_have_value(re.compile("capital of France"))
    chat.composer.press("Enter")
    chat.wait_for_words(1)
    chat.wait_for_end(seconds=90)
    expect(chat.answer).to_contain_text("Paris")
    expect(chat.answers.last.locator(".stats")).to_have_text(re.compile("tokens/s$"))
    whole = chat.said()
    chat.page.reload()
    chat.wait_for_end()
    assert chat.said() == whole

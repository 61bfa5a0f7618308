"""Signing in and out, and where one is led on the way."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys.browser import EMAIL, PASSWORD, PATIENCE_MS, Chat
from tests.journeys.conftest import HELD
from tests.journeys.server import ModelHost, RxChat


@pytest.fixture
def stranger(profile: Callable[..., BrowserContext]) -> Page:
    """A tab of somebody who is not signed in."""
    page = profile().new_page()
    page.set_default_timeout(PATIENCE_MS)
    return page


def sign_in(page: Page, password: str = PASSWORD) -> None:
    """Fill the form and press Enter."""
    page.get_by_label("E-mail", exact=True).fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_label("Password", exact=True).press("Enter")


def test_a_wrong_password_is_one_sentence_and_keeps_the_address(server: RxChat, stranger: Page) -> None:
    stranger.goto(f"{server.url}/sign-in")
    sign_in(stranger, "not the password")
    expect(stranger.get_by_role("alert")).to_have_text("Wrong e-mail address or password.")
    expect(stranger.get_by_label("E-mail", exact=True)).to_have_value(EMAIL)
    sign_in(stranger)
    expect(stranger.get_by_role("heading", name="Hello, Ada")).to_be_visible()


def test_signing_out_leads_to_sign_in_and_back_does_not_show_the_chat(server: RxChat, stranger: Page) -> None:
    stranger.goto(f"{server.url}/sign-in")
    sign_in(stranger)
    expect(stranger.get_by_role("heading", name="Hello, Ada")).to_be_visible()
    chat = Chat(stranger, server.url)
    chat.begin("scripted:count=1,tokens=20", "A private question").wait_for_end()
    asked_at = stranger.url
    stranger.get_by_role("button", name="Ada Lovelace").click()
    stranger.get_by_role("menuitem", name="Sign out").click()
    stranger.wait_for_url(re.compile("/sign-in$"))
    expect(stranger.get_by_role("button", name="Sign in")).to_be_visible()
    stranger.go_back()
    expect(stranger.get_by_role("button", name="Sign in")).to_be_visible()
    expect(stranger.get_by_text("A private question")).to_have_count(0)
    stranger.goto(asked_at)
    stranger.wait_for_url(re.compile("/sign-in"))
    expect(stranger.get_by_text("A private question")).to_have_count(0)


def test_signing_out_in_one_tab_ends_what_the_other_sees(
    server: RxChat, model_host: ModelHost, signed_in: Callable[..., BrowserContext]
) -> None:
    context = signed_in(server)
    chat = Chat(context.new_page(), server.url)
    chat.begin(HELD, "Seen from two tabs").wait_for_words(5)
    other = Chat(context.new_page(), server.url).open()
    other.page.get_by_role("button", name="Ada Lovelace").click()
    other.page.get_by_role("menuitem", name="Sign out").click()
    other.page.wait_for_url(re.compile("/sign-in$"))
    # The first tab is not touched.
    chat.page.wait_for_url(re.compile("/sign-in"))
    expect(chat.page.get_by_role("button", name="Sign in")).to_be_visible()
    expect(chat.page.get_by_text("Seen from two tabs")).to_have_count(0)
    model_host.go_on()


def test_an_address_visited_signed_out_is_where_signing_in_leads(server: RxChat, chat: Chat, stranger: Page) -> None:
    chat.begin("scripted:count=1,tokens=20", "Where was I?").wait_for_end()
    stranger.goto(server.url + chat.path)
    stranger.wait_for_url(re.compile("/sign-in"))
    sign_in(stranger)
    stranger.wait_for_url(re.compile(f"{chat.path}$"))
    expect(stranger.get_by_text("Where was I?").first).to_be_visible()


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/%09/evil.example",
        "@evil.example",
    ],
)
def test_signing_in_never_leads_to_another_site(server: RxChat, stranger: Page, target: str) -> None:
    stranger.goto(f"{server.url}/sign-in?next={target}")
    sign_in(stranger)
    stranger.wait_for_url(lambda url: "/sign-in" not in url)
    assert stranger.url.startswith(server.url + "/")

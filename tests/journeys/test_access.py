"""For every hand and eye: the keyboard alone, a phone, the dark."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from rxchat.domain.ids import new_id
from tests.journeys.browser import EMAIL, PASSWORD, Chat
from tests.journeys.server import RxChat
from tests.journeys.users import session_of

QUICK = "scripted:count=1,tokens=20"
PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True} | {
    # The drawers of a phone are looked at while they move.
    "reduced_motion": "no-preference"
}


def test_a_first_conversation_needs_nothing_but_the_keyboard(
    server: RxChat, profile: Callable[..., BrowserContext]
) -> None:
    page = profile().new_page()
    chat = Chat(page, server.url)
    page.goto(server.url)
    expect(page.get_by_label("E-mail", exact=True)).to_be_focused()
    page.keyboard.type(EMAIL)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(chat.composer).to_be_focused()

    tab_to(page, "Model: ")
    page.keyboard.press("Enter")
    # With many models the menu begins in its filter; the arrow keys lead from there into the list.
    expect(page.locator(".menu-filter")).to_be_focused()
    page.keyboard.type(QUICK)
    for _ in range(6):
        page.keyboard.press("ArrowDown")
        if page.evaluate("document.activeElement.title") == QUICK:
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name=f"Model: {QUICK}", exact=True)).to_be_focused()

    tab_to(page, "Message")
    page.keyboard.type("One line")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("and another")
    expect(chat.composer).to_have_value("One line\nand another")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/c/"))
    chat.wait_for_words(20).wait_for_end()
    expect(chat.composer).to_be_focused()
    tab_to(page, "Copy answer", backwards=True)
    tab_to(page, "Actions for One line and another", backwards=True)
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("menuitem", name="Pin")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("menuitem")).to_have_count(0)
    expect(page.get_by_role("button", name="Actions for One line and another")).to_be_focused()


def tab_to(page: Page, name: str, *, backwards: bool = False) -> None:
    """Press Tab until the control of this name has the focus; each one on the way shows that it has it."""
    for _ in range(80):
        page.keyboard.press("Shift+Tab" if backwards else "Tab")
        label, ring = page.evaluate(
            "() => { const at = document.activeElement, style = getComputedStyle(at);"
            " return [at.getAttribute('aria-label') ?? '', at.id === 'composer' || at === document.body"
            " || parseFloat(style.outlineWidth) >= 2] }"
        )
        assert ring, f"{label or page.evaluate('document.activeElement.outerHTML')[:200]} has no focus ring"
        if label.startswith(name):
            return
    raise AssertionError(f"Tab never leads to {name}")


@pytest.mark.parametrize("key", ["Control+b", "Meta+b"])
def test_the_sidebar_folds_with_a_shortcut_and_is_remembered(chat: Chat, key: str) -> None:
    chat.open()
    expect(chat.sidebar).to_be_visible()
    chat.page.keyboard.press(key)
    expect(chat.sidebar).to_be_hidden()
    chat.page.reload()
    expect(chat.composer).to_be_visible()
    expect(chat.sidebar).to_be_hidden()
    chat.page.get_by_role("button", name="Show the sidebar").click()
    expect(chat.sidebar).to_be_visible()


def test_no_page_scrolls_sideways_on_a_phone(server: RxChat, profile: Callable[..., BrowserContext]) -> None:
    stranger = profile(**PHONE).new_page()
    for path in ("/sign-in", "/setup", "/setup?token=x", "/nowhere"):
        stranger.goto(server.url + path)
        expect(stranger.get_by_role("heading").first).to_be_visible()
        assert width(stranger) <= 360, path
    chat = Chat(profile(storage_state=session_of(server), **PHONE).new_page(), server.url)
    chat.open()
    expect(chat.page.get_by_role("heading", name="Hello, Ada")).to_be_visible()
    assert width(chat.page) <= 360
    chat.choose("scripted:fault=markdown,rate=200")
    chat.composer.fill("A_very_long_word_without_a_break" * 20)
    chat.send_button.click()
    chat.page.wait_for_url(re.compile("/c/"))
    chat.wait_for_words(10).wait_for_end()
    assert width(chat.page) <= 360
    expect(chat.answers.last.get_by_role("cell").first).to_be_in_viewport()
    chat.page.goto(f"{server.url}/c/{new_id()}")
    expect(chat.page.get_by_role("heading", name="Page not found")).to_be_visible()
    assert width(chat.page) <= 360


def width(page: Page) -> int:
    """How wide the page is, with what hangs over its side."""
    return page.evaluate("document.scrollingElement.scrollWidth")


def test_the_drawer_of_a_phone_opens_and_closes(server: RxChat, profile: Callable[..., BrowserContext]) -> None:
    chat = Chat(profile(storage_state=session_of(server), **PHONE).new_page(), server.url).open()
    new_chat = chat.sidebar.get_by_role("link", name="New chat")
    opens = chat.page.get_by_role("button", name="Show the sidebar")
    expect(new_chat).not_to_be_in_viewport()
    opens.click()
    expect(new_chat).to_be_in_viewport()
    assert width(chat.page) <= 360
    chat.page.keyboard.press("Escape")
    expect(new_chat).not_to_be_in_viewport()
    expect(opens).to_be_focused()
    opens.click()
    expect(new_chat).to_be_in_viewport()
    chat.page.mouse.click(350, 400)
    expect(new_chat).not_to_be_in_viewport()


def test_the_dark_is_there_before_the_first_paint_and_remembered(
    server: RxChat, profile: Callable[..., BrowserContext]
) -> None:
    context = profile(storage_state=session_of(server), color_scheme="light")
    # The class as it is when the body begins to exist: nothing can have been painted before that.
    context.add_init_script(
        "new MutationObserver((_, observer) => { if (!document.body) return; observer.disconnect();"
        " window.firstTheme = document.documentElement.className }).observe(document, { childList: true, subtree: true })"
    )
    chat = Chat(context.new_page(), server.url).open()
    assert theme(chat.page) == ("light", "light")
    chat.page.get_by_role("button", name="Use the dark theme").click()
    expect(chat.page.locator("html")).to_have_class(re.compile("dark"))
    chat.page.reload()
    expect(chat.composer).to_be_visible()
    assert theme(chat.page) == ("dark", "dark")
    dark = chat.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    chat.page.get_by_role("button", name="Ada Lovelace").click()
    chat.page.get_by_role("menuitemradio", name="System").click()
    expect(chat.page.locator("html")).not_to_have_class(re.compile("dark"))
    assert chat.page.evaluate("getComputedStyle(document.documentElement).backgroundColor") != dark
    chat.page.emulate_media(color_scheme="dark")
    expect(chat.page.locator("html")).to_have_class(re.compile("dark"))
    chat.page.reload()
    expect(chat.composer).to_be_visible()
    assert theme(chat.page) == ("dark", "dark")


def theme(page: Page) -> tuple[str, str]:
    """The theme of the first paint, and the one now."""
    first, now = page.evaluate("[window.firstTheme, document.documentElement.className]")
    return tuple("dark" if "dark" in names.split() else "light" for names in (first, now))  # pyright: ignore[reportReturnType]


def test_administering_without_a_second_factor_leads_to_setting_one_up(chat: Chat) -> None:
    chat.open()
    chat.page.get_by_role("button", name="Ada Lovelace").click()
    chat.page.get_by_role("menuitem", name="Administration").click()
    expect(chat.page.get_by_role("heading", name="Two-factor authentication required")).to_be_visible()
    expect(chat.page.get_by_role("navigation", name="Administration")).to_have_count(0)
    chat.page.get_by_role("link", name="Set up two-factor authentication").click()
    chat.page.wait_for_url(re.compile("/account/security"))

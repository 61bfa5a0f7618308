"""Pictures of every page, to be looked at: python -m tests.journeys.screenshots FOLDER [--readme].

They are of a real RxChat with its demo model, so that what the pictures show is what a new user gets. With --readme,
docs/images is renewed, too.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

import psycopg
from playwright.sync_api import Browser, Page, expect, sync_playwright

from rxchat.domain.ids import new_id
from tests.embedded import weights_cache
from tests.journeys.browser import PASSWORD, Chat, chromium
from tests.journeys.conftest import create_account
from tests.journeys.server import ROOT, RxChat
from tests.journeys.users import session_of

SIZES = {360: 740, 768: 1024, 1440: 900}
IMAGES = ROOT / "docs" / "images"
QUESTIONS = (
    "What is the capital of France, and what is it known for?",
    "Explain in two sentences why the sky is blue.",
)
BREAKFAST, HELLO = "List five simple ideas for a healthy breakfast.", "Write a hello world program in Python."
ATTEMPTS = 60
ENTRIES = {
    "sign-in": "/sign-in",
    "second-step": "/sign-in?step=second-factor",
    "taken": "/sign-in?problem=address_taken",
    "register": "/register",
    "forgot": "/forgot",
    "reset": "/reset#token=x",
    "confirm": "/confirm#token=x",
    "old-invitation": "/join#token=x",
    "setup": "/setup#token=x",
    "nowhere": "/nowhere",
}
SECTIONS = ("", "/security", "/sessions", "/keys", "/data")


def ask_all(chat: Chat, server: RxChat) -> str:
    """Ask everything; return the path of the conversation that shows most.

    A model of 135 million parameters does not always write a list or code when it is asked to. It is asked again
    until it has; what it writes is its own.
    """
    for question in QUESTIONS:
        chat.open().ask(question)
        chat.wait_for_words(1).wait_for_end(seconds=120)
    for _ in range(ATTEMPTS):
        chat.open().ask(BREAKFAST)
        chat.page.wait_for_url(re.compile("/c/"))
        chat.wait_for_end(seconds=120)
        if is_picturesque(chat, "li", 3, 650):
            chat.ask(HELLO)
            expect(chat.answers).to_have_count(2)
            chat.wait_for_end(seconds=120)
            if is_picturesque(chat, "pre", 1, 650):
                return chat.path
        with psycopg.connect(server.owner_url()) as connection:
            connection.execute("SELECT set_config('rxchat.user_id', id::text, true) FROM user_account")
            connection.execute("DELETE FROM conversation WHERE id = %s", (chat.conversation_id,))
    raise AssertionError("the demo model never wrote what a picture should show")


def is_picturesque(chat: Chat, part: str, count: int, longest: int) -> bool:
    """Whether the answer is short and has what was asked for."""
    return 40 < len(chat.answer.inner_text()) < longest and chat.answer.locator(part).count() >= count


def calm(page: Page, path: Path) -> None:
    """Take a picture without a pointer or a blinking caret in it."""
    page.mouse.move(0, 0)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=path, animations="disabled", caret="hide")


def picture_pages(browser: Browser, server: RxChat, conversation: str, folder: Path) -> None:
    """Every page, narrow and wide, light and dark."""
    for theme in ("light", "dark"):
        for width, height in SIZES.items():
            options: Any = {"viewport": {"width": width, "height": height}, "color_scheme": theme}
            stranger = browser.new_context(**options).new_page()
            for name, path in ENTRIES.items():
                stranger.goto(server.url + path)
                expect(stranger.get_by_role("heading").first).to_be_visible()
                calm(stranger, folder / f"{name}-{width}-{theme}.png")
            chat = Chat(browser.new_context(storage_state=session_of(server), **options).new_page(), server.url).open()
            expect(chat.page.get_by_text("You are using the demo model")).to_be_visible()
            calm(chat.page, folder / f"new-{width}-{theme}.png")
            if width < 768:
                chat.page.get_by_role("button", name="Show the sidebar").click()
                calm(chat.page, folder / f"drawer-{width}-{theme}.png")
                chat.page.keyboard.press("Escape")
            chat.open(conversation).wait_for_words(5)
            calm(chat.page, folder / f"conversation-{width}-{theme}.png")
            chat.page.goto(f"{server.url}/c/{new_id()}")
            expect(chat.page.get_by_role("heading", name="Page not found")).to_be_visible()
            calm(chat.page, folder / f"missing-{width}-{theme}.png")
            picture_account(chat.page, server, folder, f"{width}-{theme}")
            stranger.context.close()
            chat.page.context.close()


def picture_account(page: Page, server: RxChat, folder: Path, suffix: str) -> None:
    """One's own account, and the dialogs on the way to a second factor."""
    for section in SECTIONS:
        page.goto(f"{server.url}/account{section}")
        expect(page.get_by_role("heading", level=2).first).to_be_visible()
        calm(page, folder / f"account{section.replace('/', '-')}-{suffix}.png")
    page.get_by_role("button", name="Download my data").click()
    page.get_by_label("Your password", exact=True).fill(PASSWORD)
    calm(page, folder / f"proof-{suffix}.png")
    page.goto(f"{server.url}/account/security")
    page.get_by_role("button", name="Set up an authenticator app").click()
    expect(page.get_by_role("img", name="QR code for your authenticator app")).to_be_visible()
    calm(page, folder / f"authenticator-{suffix}.png")
    page.keyboard.press("Escape")
    page.goto(f"{server.url}/account/keys")
    page.get_by_role("button", name="New key").click()
    calm(page, folder / f"new-key-{suffix}.png")


def picture_readme(browser: Browser, server: RxChat, conversation: str) -> None:
    """The two pictures of the README's folder."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    for theme, name in (("light", "chat.png"), ("dark", "chat-dark.png")):
        options: Any = {"viewport": {"width": 1440, "height": 900}, "color_scheme": theme}
        page = browser.new_context(storage_state=session_of(server), **options).new_page()
        chat = Chat(page, server.url).open(conversation).wait_for_words(5)
        expect(chat.answer.locator("pre span[style]").first).to_be_visible()
        page.evaluate("document.querySelector('.thread-scroll').scrollTop = 0")
        calm(page, IMAGES / name)
        page.context.close()


def main() -> None:
    """Start a server of our own, talk to it, and take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--readme", action="store_true", help="renew docs/images, too")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    server = RxChat()
    try:
        weights_cache.seed(server.data)
        server.start()
        create_account(server)
        with sync_playwright() as playwright, chromium(playwright) as browser:
            expect.set_options(timeout=20_000)
            tab = browser.new_context(storage_state=session_of(server)).new_page()
            conversation = ask_all(Chat(tab, server.url), server)
            tab.context.close()
            picture_pages(browser, server, conversation, chosen.folder)
            if chosen.readme:
                picture_readme(browser, server, conversation)
    finally:
        server.remove()


if __name__ == "__main__":
    main()

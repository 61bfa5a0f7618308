"""Japanese typed by an input method: Enter that ends a conversion ends that, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import BrowserContext, CDPSession, Locator, expect

from tests.journeys.browser import Chat
from tests.journeys.server import RxChat
from tests.journeys.test_sidebar import QUICK, menu

_ENTER: dict[str, Any] = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13}


def convert(line: CDPSession, field: Locator, typed: str, found: str) -> None:
    """Type with an input method, and choose what it found by Enter; desktops send that key while it is composing."""
    field.focus()
    line.send("Input.imeSetComposition", {"text": typed, "selectionStart": len(typed), "selectionEnd": len(typed)})
    for kind in ("keyDown", "keyUp"):
        line.send("Input.dispatchKeyEvent", {**_ENTER, "type": kind, "text": "\r" if kind == "keyDown" else ""})
    line.send("Input.insertText", {"text": found})
    # As Safari tells of the same key, after the composition has ended.
    field.evaluate(
        "field => field.dispatchEvent(new KeyboardEvent('keydown',"
        " { key: 'Enter', keyCode: 229, bubbles: true, cancelable: true }))"
    )
    expect(field).to_have_value(re.compile(found))


def test_enter_that_ends_a_conversion_neither_sends_nor_renames(
    server: RxChat, signed_in: Callable[..., BrowserContext]
) -> None:
    context = signed_in(server)
    chat = Chat(context.new_page(), server.url).open().choose(QUICK)
    line = context.new_cdp_session(chat.page)
    convert(line, chat.composer, "にほん", "日本")
    expect(chat.questions).to_have_count(0)
    chat.composer.press("Enter")
    expect(chat.questions).to_have_count(1)
    expect(chat.questions.first).to_contain_text("日本")
    chat.wait_for_end()
    menu(chat, "日本", "Rename")
    title = chat.page.get_by_label("Conversation title")
    title.press("End")
    convert(line, title, "とうきょう", "東京")
    expect(title).to_be_visible()
    title.press("Enter")
    expect(title).to_have_count(0)
    expect(chat.row("日本東京")).to_be_visible()

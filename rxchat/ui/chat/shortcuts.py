"""The list of keyboard shortcuts, which `?` opens."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.ui.kit.browser_preferences import send_key
from rxchat.ui.kit.client_values import ClientValue
from rxchat.ui.kit.dialogs import window
from rxchat.ui.kit.elements import keys

_is_open: ClientValue[bool] = ClientValue("shortcuts", initial=False)
"""Whether the list is open; client/behaviours.js opens it."""
open_shortcuts = _is_open.set(True)
"""The trigger that opens it."""


def shortcuts() -> rx.Component:
    """The list, where it is open."""
    is_enter = send_key.value == "enter"
    new_line = rx.cond(is_enter, "Shift+Enter", "Enter")
    content = rx.el.div(
        _group(
            "Everywhere",
            ("Search, and go to a page", keys("K")),
            ("New chat", keys("Shift+O")),
            ("Show or hide the sidebar", keys("B")),
            ("This list", "?"),
        ),
        _group(
            "Writing",
            ("Send the message", rx.cond(is_enter, "Enter", keys("Enter"))),
            ("New line", new_line),
            ("Paste a long text without attaching it", keys("Shift+V")),
            ("Insert a prompt", "/"),
            ("Ask about a document or collection", "#"),
        ),
        _group(
            "Lists, menus and dialogs",
            ("Move", "↑ ↓"),
            ("Choose", "Enter"),
            ("Close", "Escape"),
        ),
        class_name="shortcuts",
    )
    return rx.cond(_is_open.value, window("Keyboard shortcuts", content, on_close=_is_open.set(False)))


def _group(title: str, *rows: tuple[str, Any]) -> rx.Component:
    return rx.el.section(
        rx.el.h3(title),
        rx.el.dl(*(rx.el.div(rx.el.dt(words), rx.el.dd(rx.el.kbd(key))) for words, key in rows)),
    )

"""Preferences that the browser remembers by itself (client/browser-preferences.js)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import reflex as rx

from rxchat.ui.client import module
from rxchat.ui.kit.client_values import in_sequence, js_function, react_hook

_LIBRARY = "browser-preferences.js"
_SET = js_function("setBrowserPreference", _LIBRARY)


class BrowserPreference:
    """A preference with a name, one of several values."""

    def __init__(self, name: str) -> None:
        """Refer to the preference with this name, whose default is in the JavaScript module."""
        self._name = name

    @property
    def value(self) -> rx.Var[str]:
        """The current value; the component that shows it is redrawn when it changes."""
        call = f"useBrowserPreference({self._name!r})"
        return react_hook(call, f"preference_{self._name}", str, module(_LIBRARY), "useBrowserPreference")

    def set(self, value: str) -> Any:
        """A trigger that sets it."""
        return in_sequence(_SET.call(self._name, value))


text_size = BrowserPreference("text_size")
send_key = BrowserPreference("send_key")
"""The key that sends a message: `enter` or `ctrl_enter`."""
notifications = BrowserPreference("notifications")
"""Whether the browser notifies of an answer while the page is not seen: `on` or `off`."""
set_notifications = js_function("setNotifications", _LIBRARY)
"""Call it with `on` or `off`; the browser asks the user first."""


def segments(
    name: str,
    label: str,
    current: Any,
    *choices: tuple[str, str, Any],
    help_text: Any = None,
    icons: Sequence[Any] = (),
) -> rx.Component:
    """A choice of a few short values, side by side: radio buttons.

    Args:
        name: An identifier, unique on the page.
        label: What is chosen.
        current: The chosen value.
        choices: (value, words, the trigger that chooses it).
        help_text: A sentence below.
        icons: An icon for each choice.
    """
    marks = [*icons, *([None] * len(choices))]

    def choice(place: int, value: str, words: str, choose: Any) -> rx.Component:
        return rx.el.label(
            rx.el.input(type="radio", name=name, value=value, checked=current == value, on_change=choose),
            *([marks[place]] if marks[place] is not None else []),
            rx.el.span(words),
        )

    described = {"aria_describedby": f"{name}-help"} if help_text is not None else {}
    return rx.el.div(
        rx.el.span(label, id=f"{name}-label", class_name="segments-label"),
        rx.el.div(
            *(choice(place, *item) for place, item in enumerate(choices)),
            role="radiogroup",
            aria_labelledby=f"{name}-label",
            class_name="segments",
            **described,
        ),
        rx.el.p(help_text, id=f"{name}-help", class_name="field-help") if help_text is not None else rx.fragment(),
        class_name="setting",
    )

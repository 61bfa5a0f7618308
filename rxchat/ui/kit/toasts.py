"""Toasts: messages at the bottom of the window that disappear by themselves."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex_components_core.el.elements.typography import Div

from rxchat.ui.kit.elements import icon_button


class Fading(Div):
    """An element that goes when its animation ends; CSS halts the animation under the pointer and the focus."""

    on_animation_end: rx.EventHandler[rx.event.no_args_event_spec]


def toast(is_shown: Any, words: Any, on_end: Any, *buttons: Any, key: Any) -> rx.Component:
    """A toast.

    Args:
        is_shown: Whether it is shown.
        words: Its text.
        on_end: The trigger that hides it, when its time is over or it is dismissed.
        buttons: Its actions, such as Undo (class "toast-action").
        key: What it is about: a toast about something else has its own time.
    """
    return rx.cond(
        is_shown,
        Fading.create(
            rx.el.span(words, class_name="toast-text"),
            *buttons,
            icon_button("x", "Dismiss", size=15, side="top", look="small", on_click=on_end),
            class_name="toast fading",
            on_animation_end=on_end,
            key=key,
        ),
    )


def toast_action(words: str, on_click: Any) -> rx.Component:
    """A button in a toast."""
    return rx.el.button(words, type="button", class_name="toast-action", on_click=on_click)

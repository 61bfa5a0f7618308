"""The site map: every page, its address and what it loads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import reflex as rx

from rxchat.states.thread import ThreadState
from rxchat.ui.layout import loading_frame
from rxchat.ui.pages.account import setup_page, sign_in_page
from rxchat.ui.pages.chat import chat_page
from rxchat.ui.pages.not_found import not_found_page
from rxchat.ui.theme import FIRST_PAINT_SCRIPT


@dataclass(frozen=True, slots=True)
class Page:
    """One page: where it is and what it shows."""

    route: str
    component: Callable[[], rx.Component]
    title: str
    on_load: tuple[Any, ...] = ()


PAGES = (
    Page("/", chat_page, "RxChat", (ThreadState.open,)),
    Page("/c/[conversation_id]", chat_page, "RxChat", (ThreadState.open,)),
    Page("/sign-in", sign_in_page, "Sign in · RxChat"),
    Page("/setup", setup_page, "Welcome · RxChat"),
    Page("404", not_found_page, "Not found · RxChat"),
)


def app_options() -> dict[str, Any]:
    """What the interface needs of rx.App: its styles, the first paint, and none of Reflex's own overlays."""
    return {
        "app_wraps": {},
        "toaster": None,
        "html_lang": "en",
        "stylesheets": ["/rxchat.css", "/thread.css", "/pages.css"],
        "head_components": [
            rx.el.script(FIRST_PAINT_SCRIPT),
            rx.el.link(rel="icon", href="/mark.svg", type="image/svg+xml"),
            rx.el.meta(name="color-scheme", content="light dark"),
        ],
        "hydrate_fallback": loading_frame,
    }


def register(app: rx.App, before_load: tuple[Any, ...] = ()) -> None:
    """Add every page; `before_load` runs before a page's own loading, such as finding out who looks."""
    for page in PAGES:
        app.add_page(
            page.component,
            route=page.route,
            title=page.title,
            on_load=[*before_load, *page.on_load] if page.on_load else [],
        )

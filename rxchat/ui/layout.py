"""The frames that pages stand in."""

from __future__ import annotations

import reflex as rx

from rxchat.ui.chat.shortcuts import shortcuts
from rxchat.ui.chat.sidebar import drawer, sidebar
from rxchat.ui.chat.topbar import topbar
from rxchat.ui.platform.notices import banners, toasts


def shell(*content: rx.Component, beside: rx.Component) -> rx.Component:
    """Sidebar, top bar and notices around a conversation, which shows the toasts itself; and what is beside it."""
    return _frame(topbar(), banners(), *content, beside=beside)


def page_shell(bar: rx.Component, *content: rx.Component, only_problems: bool = False) -> rx.Component:
    """The same around a page that is no conversation, with a bar of its own.

    Args:
        bar: The bar at the top.
        content: What the page shows.
        only_problems: Whether notices that are no problems are left out.
    """
    return _frame(bar, banners(only_problems=only_problems), *content, page_toasts())


def page_toasts() -> rx.Component:
    """The toasts of the page; while the phone's drawer is open, they are shown in it."""
    return rx.cond(drawer.value, rx.fragment(), toasts())


def _frame(*content: rx.Component, beside: rx.Component | None = None) -> rx.Component:
    main = rx.el.main(*content, class_name="main", tab_index=-1)
    return rx.el.div(sidebar(), shortcuts(), main, *([beside] if beside else []), class_name="shell")


def card(*content: rx.Component) -> rx.Component:
    """One narrow column in the middle, for users who are not signed in."""
    return rx.el.main(
        rx.el.div(
            rx.el.img(src="/mark.svg", alt="", width="44", height="44", class_name="auth-card-mark"),
            *content,
            class_name="auth-card",
        ),
        rx.el.p("RxChat runs on your own server. What you write stays there.", class_name="auth-card-foot"),
        class_name="auth-card-page",
    )


def loading_frame() -> rx.Component:
    """What is there before the first script has run."""
    return rx.el.div(
        rx.el.div(class_name="sidebar"),
        rx.el.div(rx.el.div(class_name="topbar"), class_name="main", tab_index=-1),
        class_name="shell",
        aria_hidden="true",
    )

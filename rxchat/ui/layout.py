"""The frames that pages stand in."""

from __future__ import annotations

import reflex as rx

from rxchat.ui.components.notices import banners, toasts
from rxchat.ui.components.sidebar import sidebar
from rxchat.ui.components.topbar import topbar


def shell(*content: rx.Component) -> rx.Component:
    """Sidebar, top bar and notices around what a signed-in user does."""
    return rx.el.div(
        sidebar(),
        rx.el.main(topbar(), banners(), *content, class_name="main"),
        toasts(),
        class_name="shell",
    )


def page_shell(bar: rx.Component, *content: rx.Component) -> rx.Component:
    """The same around a page that is no conversation, with a bar of its own."""
    return rx.el.div(
        sidebar(),
        rx.el.main(bar, banners(), *content, class_name="main"),
        toasts(),
        class_name="shell",
    )


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
        rx.el.div(rx.el.div(class_name="topbar"), class_name="main"),
        class_name="shell",
        aria_hidden="true",
    )

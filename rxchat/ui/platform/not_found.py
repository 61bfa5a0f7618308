"""The page for an address that leads nowhere, and for a conversation that is not the user's."""

from __future__ import annotations

import reflex as rx


def not_found_panel(
    words: str = "The page may have been deleted, or the address may be wrong.",
    to: str = "/",
    action: str = "Start a new chat",
) -> rx.Component:
    """The message for what is missing or forbidden: the same for both, so that it reveals nothing."""
    return rx.el.section(
        rx.el.p("404", class_name="not-found-number", aria_hidden="true"),
        rx.el.h1("Page not found"),
        rx.el.p(words, class_name="auth-card-lead"),
        rx.el.a(action, href=to, class_name="button-main"),
        class_name="not-found",
    )


def not_found_page() -> rx.Component:
    """The whole page, for any address that no page has."""
    return rx.el.main(not_found_panel(), class_name="auth-card-page")

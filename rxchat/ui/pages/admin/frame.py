"""The frame of the pages for administrators."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.states.platform.current_user import SECTIONS, CurrentUserState
from rxchat.ui.chat.sidebar import sidebar
from rxchat.ui.chat.topbar import page_bar
from rxchat.ui.components import admin
from rxchat.ui.layout import page_toasts
from rxchat.ui.pages.not_found import not_found_panel
from rxchat.ui.platform.notices import banners


def admin_page(section: str, state: Any, *content: rx.Component, says_problem: bool = True) -> rx.Component:
    """The frame of an administration page: its content with the permission, otherwise a neutral message.

    An error is shown at the top, unless the page shows it in a better place.
    """
    permission = SECTIONS[section][1].value
    shown = rx.fragment(
        rx.cond(
            (state.problem != "") & _is_page_problem(state),
            rx.cond(state.loaded, admin.problem(state) if says_problem else rx.fragment(), _try_again(state)),
        ),
        rx.cond(state.loaded, rx.fragment(*content), rx.cond(state.problem == "", admin.skeleton())),
    )
    return rx.el.div(
        sidebar(),
        rx.el.main(
            page_bar(section, is_heading=True),
            banners(only_problems=True),
            rx.cond(
                CurrentUserState.ready,
                rx.cond(
                    admin.may(permission),
                    rx.fragment(
                        admin.AdminNav.create(sections=CurrentUserState.sections),
                        rx.el.div(rx.el.div(shown, class_name="admin"), class_name="admin-scroll"),
                    ),
                    rx.cond(CurrentUserState.needs_second_factor, _second_factor_panel(), not_found_panel()),
                ),
                rx.el.div(rx.el.div(admin.skeleton(), class_name="admin"), class_name="admin-scroll"),
            ),
            page_toasts(),
            class_name="main",
            tab_index=-1,
        ),
        class_name="shell",
    )


def _is_page_problem(state: Any) -> Any:
    """Whether no dialog shows the error: the browser's own dialogs have numbers, those that a state opens have names."""
    return state.problem_dialog == 0 if hasattr(state, "done_dialog") else state.dialog == ""


def _second_factor_panel() -> rx.Component:
    return rx.el.section(
        rx.el.h1("Two-factor authentication required"),
        rx.el.p(
            "Your role may manage users and settings. Set up an authenticator app or a passkey first, so that a stolen password is not enough to do so.",
            class_name="auth-card-lead",
        ),
        admin.PageLink.create("Set up two-factor authentication", to="/account/security", class_name="button-main"),
        class_name="not-found",
    )


def _try_again(state: Any) -> rx.Component:
    return rx.el.div(
        rx.el.p(state.problem, role="alert"),
        rx.el.button("Try again", type="button", on_click=state.load, class_name="button-quiet"),
        class_name="failure",
    )

"""The frame of the administration pages, and what they have in common."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.states.platform.current_user import SECTIONS, CurrentUserState, Section
from rxchat.ui.chat.topbar import page_bar
from rxchat.ui.kit.client_values import current_path, js_function
from rxchat.ui.kit.elements import UNDEFINED, link, quiet_button, skeleton
from rxchat.ui.kit.forms import form_problem
from rxchat.ui.layout import page_shell
from rxchat.ui.platform.not_found import not_found_panel

_path = current_path()


def may(permission: str) -> rx.Var[bool]:
    """Whether the user has a permission, to decide what the page offers; services check again."""
    return CurrentUserState.permissions.contains(permission)


def admin_page(section: str, state: Any, *content: rx.Component, says_problem: bool = True) -> rx.Component:
    """The frame of an administration page: its content with the permission, otherwise a neutral message.

    An error that no dialog shows is shown at the top, unless the page shows it in a better place.
    """
    problem = rx.cond(
        (state.problem != "") & (state.problem_dialog == 0),
        rx.cond(state.loaded, form_problem(state.problem) if says_problem else rx.fragment(), _try_again(state)),
    )
    loading = skeleton("Loading", 38, 100, 100, 100, 100, 72, look="skeleton admin-skeleton")
    shown = rx.fragment(problem, rx.cond(state.loaded, rx.fragment(*content), rx.cond(state.problem == "", loading)))
    refused = rx.cond(CurrentUserState.needs_second_factor, _second_factor_panel(), not_found_panel())
    return page_shell(
        page_bar(section, is_heading=True),
        rx.cond(
            CurrentUserState.ready,
            rx.cond(may(SECTIONS[section][1].value), rx.fragment(_navigation(), _scroll(shown)), refused),
            _scroll(loading),
        ),
        only_problems=True,
    )


def _scroll(content: rx.Component) -> rx.Component:
    return rx.el.div(rx.el.div(content, class_name="admin"), class_name="admin-scroll")


def _navigation() -> rx.Component:
    def item(section: Section) -> rx.Component:
        is_here = (_path == section.path) | _path.startswith(section.path + "/")
        attributes = {"aria-current": rx.cond(is_here, "page", UNDEFINED)}
        in_view = {"ref": rx.cond(is_here, js_function("inView", "behaviours.js"), UNDEFINED)}
        return rx.el.li(link(section.label, to=section.path, custom_attrs=attributes | in_view), key=section.path)

    items = rx.el.ul(rx.foreach(CurrentUserState.sections, item))
    return rx.el.nav(items, class_name="admin-nav", aria_label="Administration")


def _second_factor_panel() -> rx.Component:
    return rx.el.section(
        rx.el.h1("Two-factor authentication required"),
        rx.el.p(
            "Your role may manage users and settings. Set up an authenticator app or a passkey first, so that a stolen"
            " password is not enough to do so.",
            class_name="auth-card-lead",
        ),
        link("Set up two-factor authentication", to="/account/security", class_name="button-main"),
        class_name="not-found",
    )


def _try_again(state: Any) -> rx.Component:
    return rx.el.div(
        rx.el.p(state.problem, role="alert"), quiet_button("Try again", on_click=state.load), class_name="failure"
    )


def lead(*words: Any, actions: tuple[rx.Component, ...] = ()) -> rx.Component:
    """The introduction of a page, with its main action."""
    buttons = rx.el.div(*actions, class_name="admin-actions") if actions else rx.fragment()
    return rx.el.header(rx.el.p(*words), buttons, class_name="admin-lead")


def facts(*items: tuple[str, Any]) -> rx.Component:
    """Numbers, each below what it is about."""
    return rx.el.dl(*[rx.el.div(rx.el.dt(label), rx.el.dd(value)) for label, value in items], class_name="facts")


def flash(state: Any) -> rx.Component:
    """The confirmation of the last action."""
    return rx.el.div(rx.cond(state.flash != "", rx.el.p(state.flash, class_name="flash")), role="status")


def nothing(title: Any, words: Any) -> rx.Component:
    """The message of an empty list."""
    return rx.el.div(rx.el.h2(title), rx.el.p(words), class_name="admin-empty")


def options(choices: Any) -> rx.Component:
    """The options of a select."""
    return rx.foreach(choices, lambda choice: rx.el.option(choice.label, value=choice.value, key=choice.value))

"""The frame of the account pages: the links to its sections, what concerns the whole account, and the open section."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.states.app.account import AccountState
from rxchat.states.platform.current_user import CurrentUserState
from rxchat.ui.accounts.problems import problem_words
from rxchat.ui.kit.client_values import search_param
from rxchat.ui.kit.elements import Moment, icon, in_view, link, passes_focus, quiet_button, skeleton
from rxchat.ui.kit.forms import form_problem

_SECTIONS = (
    ("Profile", "/account"),
    ("Preferences", "/account/preferences"),
    ("Security", "/account/security"),
    ("Sessions", "/account/sessions"),
    ("API keys", "/account/keys"),
    ("Quotas", "/account/quotas"),
    ("Import and export", "/account/import"),
    ("My data", "/account/data"),
)


def account_frame(section: str, *content: Any, is_security: bool = False) -> rx.Component:
    """The section with this label, below what stands above all of them."""
    here = {"aria-current": "page", "ref": in_view}
    links = [link(label, to=path, custom_attrs=here if label == section else {}) for label, path in _SECTIONS]
    has_own_problem = AccountState.ready & (AccountState.problem_dialog == 0)
    problem = rx.cond(has_own_problem, AccountState.problem, "")
    failed = search_param("problem")
    return rx.el.div(
        rx.el.div(
            rx.el.h1("Account", tab_index=-1, class_name="sr-only"),
            rx.el.nav(*links, class_name="tabs", aria_label="Account"),
            rx.cond(AccountState.ready, rx.fragment(_deletion(), _enrollment() if is_security else rx.fragment())),
            form_problem(rx.cond(failed == "", problem, problem_words(failed))),
            rx.cond(AccountState.ready, rx.fragment(*content), _unloaded()),
            class_name="page",
        ),
        class_name="page-scroll",
    )


def _deletion() -> rx.Component:
    profile = AccountState.profile
    words = rx.cond(
        profile.is_deleted_by_others,
        "An administrator requested the deletion. Until then you can download your data, or ask them to cancel it.",
        "Until then you can cancel the deletion; nothing is deleted yet.",
    )
    keep = rx.cond(
        profile.is_deleted_by_others, rx.fragment(), quiet_button("Cancel deletion", on_click=AccountState.keep)
    )
    banner = rx.el.div(
        icon("calendar-clock", 18, 1.75),
        rx.el.p(
            rx.el.b("Your account will be deleted on ", Moment.create(at=profile.deletion_at, is_day=True), "."),
            " ",
            words,
        ),
        keep,
        class_name="callout is-danger",
        role="status",
        custom_attrs={"ref": passes_focus},
    )
    return rx.cond(profile.deletion_at > 0, banner)


def _enrollment() -> rx.Component:
    why = rx.cond(
        CurrentUserState.must_enrol,
        "Two-factor authentication is required. Set up an authenticator app or a passkey to use RxChat.",
        "Administration requires two-factor authentication. Set up an authenticator app or a passkey here; "
        "if you have one, sign in again with it.",
    )
    banner = rx.el.div(icon("shield-alert", 18, 1.75), rx.el.p(why), class_name="callout is-warning", role="status")
    return rx.cond(CurrentUserState.must_enrol | CurrentUserState.needs_second_factor, banner)


def _unloaded() -> rx.Component:
    placeholders = rx.el.div(
        skeleton("Loading your account", 34, 82, 61, look="panel skeleton"), class_name="panel-skeletons"
    )
    again = quiet_button(icon("refresh-cw", 15), " Try again", on_click=AccountState.open)
    failed = rx.el.div(form_problem(AccountState.problem), again, class_name="load-error")
    return rx.cond(AccountState.problem == "", placeholders, failed)

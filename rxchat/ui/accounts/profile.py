"""The user's name, address and role."""

from __future__ import annotations

import reflex as rx

from rxchat.states.app.account import RENAME_FORM, AccountState
from rxchat.ui.kit.client_values import ClientValue, fresh
from rxchat.ui.kit.elements import Moment, icon, main_button
from rxchat.ui.kit.forms import field
from rxchat.ui.kit.panels import panel

_typed: ClientValue[str | None] = ClientValue("typed_name", None, str)


def profile_section() -> rx.Component:
    """The profile, with the form for the name."""
    profile = AccountState.profile
    initial = rx.cond(profile.name == "", "?", profile.name[0].upper())
    return panel(
        "Profile",
        rx.el.div(
            rx.el.span(initial, class_name="avatar is-large", aria_hidden="true"),
            rx.el.div(
                rx.el.p(profile.name, class_name="profile-name"), rx.el.p(profile.email, class_name="item-detail")
            ),
            class_name="profile",
        ),
        fresh(_typed),
        _name_form(),
        rx.el.dl(
            rx.el.div(rx.el.dt("Role"), rx.el.dd(profile.role, class_name="is-role")),
            rx.el.div(rx.el.dt("Member since"), rx.el.dd(Moment.create(at=profile.since, is_day=True))),
            class_name="about",
        ),
    )


def _name_form() -> rx.Component:
    name, typed = AccountState.profile.name, _typed.value
    # The server removes the same spaces.
    is_changed = rx.Var(
        _js_expr=f"({typed!s} !== null && {typed!s}.trim().replace(/\\s+/g, ' ') !== {name!s})",
        _var_type=bool,
        _var_data=rx.vars.VarData.merge(typed._get_all_var_data(), name._get_all_var_data()),
    ).guess_type()
    is_mine = AccountState.problem_dialog == RENAME_FORM
    is_saved = (AccountState.done_dialog == RENAME_FORM) & ~is_changed
    return rx.el.form(
        rx.el.input(type="hidden", name="dialog", value=str(RENAME_FORM)),
        field(
            "name",
            "Name",
            default_value=name,
            auto_complete="name",
            help_text="Shown to other users, and to the model.",
            problem=rx.cond(is_mine, AccountState.problem, ""),
            is_announced=True,
            on_change=_typed.set,
        ),
        main_button("Save", type="submit", disabled=~is_changed),
        rx.el.p(rx.cond(is_saved, rx.fragment(icon("check", 15), " Saved")), class_name="saved", role="status"),
        on_submit=AccountState.rename,
        class_name="name-form",
    )

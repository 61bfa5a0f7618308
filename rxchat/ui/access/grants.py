"""The page of grants: who may use which model."""

from __future__ import annotations

import reflex as rx

from rxchat.states.access.grants import AccessState, GrantView
from rxchat.ui.access.frame import admin_page, flash, lead, may, nothing, options
from rxchat.ui.kit.dialogs import Dialogs
from rxchat.ui.kit.elements import badge, main_button, quiet_button
from rxchat.ui.kit.forms import select
from rxchat.ui.kit.inputs import combobox
from rxchat.ui.kit.tables import actions_cell, cell, row, table

_KINDS = (("everyone", "Everyone"), ("role", "A role"), ("group", "A group"), ("user", "A user"))
_dialogs = Dialogs("access_dialog", AccessState, GrantView)


def access_page() -> rx.Component:
    """The grants on models."""
    grant = _dialogs.subject
    return admin_page(
        "Access",
        AccessState,
        lead(
            "Members may use every model. Guests may use only models that are granted here: to them, their group, their"
            " role or everyone.",
            actions=(main_button("Grant access", on_click=[_dialogs.open("grant"), AccessState.begin]),),
        ),
        flash(AccessState),
        rx.cond(
            AccessState.grants.length() > 0,
            table(("Who", "Model", "Actions"), rx.foreach(AccessState.grants, _row), "Access to models"),
            nothing("No grants", "Guests cannot use any model yet. Grant them one."),
        ),
        _grant_dialog(),
        _dialogs.confirm(
            "revoke",
            "Revoke this access?",
            f"{grant.who} will no longer have access to {grant.model} through this grant. Users whose role allows every"
            " model keep access.",
            action="Revoke",
            on_submit=AccessState.revoke,
        ),
    )


def _row(line: GrantView) -> rx.Component:
    revoke = quiet_button(
        "Revoke",
        on_click=_dialogs.open("revoke", line),
        aria_label=f"Revoke access of {line.who} to {line.model}",
    )
    return row(
        cell("Who", line.who, rx.cond(line.kind != "everyone", badge(line.kind)), is_head=True),
        cell("Model", line.model),
        actions_cell(revoke),
        key=line.id,
    )


def _grant_dialog() -> rx.Component:
    kinds = rx.fragment(*(rx.el.option(words, value=kind) for kind, words in _KINDS))
    return _dialogs.form(
        "grant",
        "Grant access to a model",
        select("kind", "For whom", kinds, default_value="everyone", on_change=AccessState.choose_kind),
        rx.match(
            AccessState.kind,
            ("role", _choice("Role", AccessState.roles, "You cannot see any roles.")),
            ("group", _choice("Group", AccessState.groups, "No groups yet.")),
            ("user", _user()),
            rx.fragment(),
        ),
        select("model", "Model", options(AccessState.models), default_value="*"),
        action="Grant access",
        on_submit=AccessState.give,
    )


def _choice(label: str, choices: rx.Var, empty: str) -> rx.Component:
    return rx.cond(
        choices.length() > 0,
        select("principal", label, options(choices)),
        rx.el.p(empty, class_name="text-muted"),
    )


def _user() -> rx.Component:
    picked = AccessState.picked
    finder = combobox(
        "grant-user",
        "User",
        "Choose",
        AccessState.found,
        AccessState.searched,
        on_search=AccessState.find,
        on_pick=AccessState.pick,
    )
    chosen = rx.el.div(
        rx.el.span(rx.el.b(picked.name), rx.el.span(picked.email), class_name="picker-who"),
        quiet_button("Another user", on_click=AccessState.pick("")),
        class_name="picked",
    )
    unseen = rx.el.p("Your role may not see users, so you cannot select one.", class_name="text-muted")
    return rx.cond(picked.id == "", rx.cond(may("users.read"), finder, unseen), chosen)

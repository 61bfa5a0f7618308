"""Access: who may use which model."""

from __future__ import annotations

import reflex as rx

from rxchat.states.access.grants import AccessState, GrantView
from rxchat.ui.components import admin
from rxchat.ui.components.admin import UserPicker, may
from rxchat.ui.pages.admin.frame import admin_page

_KINDS = (("everyone", "Everyone"), ("role", "A role"), ("group", "A group"), ("user", "A user"))


def access_page() -> rx.Component:
    """The grants on models."""
    return admin_page(
        "Access",
        AccessState,
        admin.lead(
            "Members may use every model. Guests may use only models that are granted here: to them, their group, their role or everyone.",
            actions=(admin.main_button("Grant access", AccessState.show_form),),
        ),
        admin.flash(AccessState),
        rx.cond(
            AccessState.grants.length() > 0,
            admin.table(("Who", "Model", "Actions"), rx.foreach(AccessState.grants, _row), "Access to models"),
            admin.empty("No grants", "Guests cannot use any model yet. Grant them one."),
        ),
        _grant_dialog(),
        admin.confirm(
            AccessState,
            "revoke",
            "Revoke this access?",
            f"{AccessState.selected.who} will no longer have access to {AccessState.selected.model} through this grant. Users whose role allows every model keep access.",
            "Revoke",
            AccessState.revoke,
        ),
    )


def _row(line: GrantView) -> rx.Component:
    return admin.row(
        admin.cell("Who", line.who, rx.cond(line.kind != "everyone", admin.badge(line.kind)), is_head=True),
        admin.cell("Model", line.model),
        admin.actions_cell(
            admin.button(
                "Revoke",
                AccessState.ask_revoke(line.id),
                aria_label=f"Revoke access of {line.who} to {line.model}",
            )
        ),
        key=line.id,
    )


def _grant_dialog() -> rx.Component:
    return admin.dialog(
        AccessState,
        "grant",
        "Grant access to a model",
        admin.form(
            AccessState,
            AccessState.give,
            "Grant access",
            admin.field(
                "kind",
                "For whom",
                rx.el.select(
                    *(rx.el.option(words, value=kind) for kind, words in _KINDS),
                    id="kind",
                    name="kind",
                    default_value="everyone",
                    on_change=AccessState.choose_kind,
                ),
            ),
            rx.match(
                AccessState.kind,
                ("role", _choice("Role", AccessState.roles, "You cannot see any roles.")),
                ("group", _choice("Group", AccessState.groups, "No groups yet.")),
                ("user", _user()),
                rx.fragment(),
            ),
            admin.field(
                "model",
                "Model",
                rx.el.select(admin.options(AccessState.models), id="model", name="model", default_value="*"),
            ),
        ),
    )


def _choice(label: str, choices: rx.Var, nothing: str) -> rx.Component:
    return rx.cond(
        choices.length() > 0,
        admin.field("principal", label, rx.el.select(admin.options(choices), id="principal", name="principal")),
        rx.el.p(nothing, class_name="text-muted"),
    )


def _user() -> rx.Component:
    picked = AccessState.picked
    return rx.cond(
        picked.id == "",
        rx.cond(
            may("users.read"),
            UserPicker.create(
                label="Person",
                verb="Choose",
                found=AccessState.found,
                searched=AccessState.searched,
                on_search=AccessState.find,
                on_pick=AccessState.pick,
            ),
            rx.el.p("Your role may not see users, so you cannot select one.", class_name="text-muted"),
        ),
        rx.el.div(
            rx.el.span(rx.el.b(picked.name), rx.el.span(picked.email), class_name="picker-who"),
            admin.button("Another user", AccessState.pick("")),
            class_name="picked",
        ),
    )

"""The page of roles and their permissions."""

from __future__ import annotations

import reflex as rx

from rxchat.states.access.roles import PermissionChoice, RolesState, RoleView
from rxchat.ui.components import admin
from rxchat.ui.components.admin import may
from rxchat.ui.pages.admin.frame import admin_page


def roles_page() -> rx.Component:
    """All roles, in words."""
    return admin_page(
        "Roles",
        RolesState,
        admin.lead(
            "Every user has one role. Four roles are built in; you can create more.",
            actions=(rx.cond(may("roles.manage"), admin.main_button("New role", RolesState.show_form(""))),),
        ),
        admin.flash(RolesState),
        rx.el.ul(rx.foreach(RolesState.roles, _card), class_name="role-list"),
        _role_dialog(),
        admin.confirm(
            RolesState,
            "remove",
            f"Delete the role “{RolesState.current.title}”?",
            "A role can only be deleted if no user has it.",
            "Delete role",
            RolesState.remove,
        ),
    )


def _card(role: RoleView) -> rx.Component:
    manage = rx.el.div(
        admin.button("Edit", RolesState.show_form(role.name), aria_label=f"Edit {role.title}"),
        admin.button("Delete", RolesState.ask_remove(role.name), danger=True, aria_label=f"Delete {role.title}"),
        class_name="admin-actions",
    )
    return rx.el.li(
        rx.el.div(
            rx.el.div(
                rx.el.h2(role.title),
                rx.cond(role.is_builtin, admin.badge("Built in")),
                rx.el.span(rx.cond(role.users == 1, "1 user", f"{role.users} users"), class_name="text-muted"),
                class_name="role-title",
            ),
            rx.cond(may("roles.manage") & ~role.is_builtin, manage),
            class_name="role-head",
        ),
        rx.cond(role.description != "", rx.el.p(role.description)),
        rx.cond(
            role.may.length() > 0,
            rx.el.details(
                rx.el.summary(f"What it allows ({role.may.length()})"),
                rx.el.ul(rx.foreach(role.may, lambda words: rx.el.li(words, key=words))),
            ),
            rx.el.p("No permissions.", class_name="text-muted"),
        ),
        key=role.name,
        class_name="role-card",
    )


def _role_dialog() -> rx.Component:
    current = RolesState.current
    return admin.dialog(
        RolesState,
        "role",
        rx.cond(current.name == "", "New role", f"Edit “{current.title}”"),
        admin.form(
            RolesState,
            RolesState.save,
            rx.cond(current.name == "", "Create role", "Save role"),
            admin.text_field("title", "Name", default_value=current.title, max_length=60),
            admin.text_field("description", "Description", default_value=current.description, max_length=300),
            _boxes("Chatting", RolesState.everyday),
            _boxes("Administering", RolesState.administrative),
            rx.el.p("You can only grant permissions you have yourself.", class_name="field-help"),
        ),
        is_wide=True,
    )


def _boxes(title: str, choices: rx.Var[list[PermissionChoice]]) -> rx.Component:
    return rx.el.fieldset(rx.el.legend(title), rx.foreach(choices, _box), class_name="boxes")


def _box(choice: PermissionChoice) -> rx.Component:
    return rx.el.label(
        rx.el.input(
            type="checkbox",
            name=f"may:{choice.name}",
            default_checked=choice.is_chosen,
            disabled=~choice.is_mine,
        ),
        rx.el.span(choice.words),
        key=choice.name,
    )

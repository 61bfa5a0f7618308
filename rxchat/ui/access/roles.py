"""The page of roles and their permissions."""

from __future__ import annotations

import reflex as rx

from rxchat.states.access.roles import PermissionChoice, RolesState, RoleView
from rxchat.ui.access.frame import admin_page, flash, lead, may
from rxchat.ui.kit.dialogs import Dialogs
from rxchat.ui.kit.elements import badge, main_button, quiet_button, skeleton

_dialogs = Dialogs("roles_dialog", RolesState, RoleView)


def roles_page() -> rx.Component:
    """All roles, in words."""
    role = _dialogs.subject
    new = main_button("New role", on_click=[_dialogs.open("new"), RolesState.edit("")])
    return admin_page(
        "Roles",
        RolesState,
        lead(
            "Every user has one role. Four roles are built in; you can create more.",
            actions=(rx.cond(may("roles.manage"), new),),
        ),
        flash(RolesState),
        rx.el.ul(rx.foreach(RolesState.roles, _card), class_name="role-list"),
        _dialogs.form(
            "new",
            "New role",
            *_fields("", ""),
            _permissions(""),
            action="Create role",
            on_submit=RolesState.save,
            is_wide=True,
        ),
        _dialogs.form(
            "edit",
            f"Edit “{role.title}”",
            rx.el.input(type="hidden", name="id", value=role.name),
            *_fields(role.title, role.description),
            _permissions(role.name),
            action="Save role",
            on_submit=RolesState.save,
            is_wide=True,
        ),
        _dialogs.form(
            "delete",
            f"Delete the role “{role.title}”?",
            rx.el.input(type="hidden", name="id", value=role.name),
            lead="A role can only be deleted if no user has it.",
            action="Delete role",
            on_submit=RolesState.remove,
            danger=True,
        ),
    )


def _card(role: RoleView) -> rx.Component:
    edit = [_dialogs.open("edit", role), RolesState.edit(role.name)]
    manage = rx.el.div(
        quiet_button("Edit", on_click=edit, aria_label=f"Edit {role.title}"),
        quiet_button("Delete", on_click=_dialogs.open("delete", role), danger=True, aria_label=f"Delete {role.title}"),
        class_name="admin-actions",
    )
    allowed = rx.el.details(
        rx.el.summary(f"What it allows ({role.may.length()})"),
        rx.el.ul(rx.foreach(role.may, lambda words: rx.el.li(words, key=words))),
    )
    return rx.el.li(
        rx.el.div(
            rx.el.div(
                rx.el.h2(role.title),
                rx.cond(role.is_builtin, badge("Built in")),
                rx.el.span(rx.cond(role.users == 1, "1 user", f"{role.users} users"), class_name="text-muted"),
                class_name="role-title",
            ),
            rx.cond(may("roles.manage") & ~role.is_builtin, manage),
            class_name="role-head",
        ),
        rx.cond(role.description != "", rx.el.p(role.description)),
        rx.cond(role.may.length() > 0, allowed, rx.el.p("No permissions.", class_name="text-muted")),
        key=role.name,
        class_name="role-card",
    )


def _fields(title: object, description: object) -> tuple[rx.Component, ...]:
    return (
        _dialogs.field("title", "Name", missing="Enter the role’s name.", default_value=title, longest=60),
        _dialogs.field("description", "Description", default_value=description, longest=300),
    )


def _permissions(name: object) -> rx.Component:
    """The checkboxes, once the server has said which are checked."""
    boxes = rx.fragment(
        _boxes("Chatting", RolesState.everyday),
        _boxes("Administering", RolesState.administrative),
        rx.el.p("You can only grant permissions you have yourself.", class_name="field-help"),
    )
    is_here = (RolesState.edited == name) & (RolesState.everyday.length() > 0)
    return rx.cond(is_here, boxes, skeleton("Loading", 60, 80, 70, 75))


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
        key=f"{RolesState.edited} {choice.name}",
    )

"""Groups: users who are granted access together."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.states.access.groups import GroupsState, GroupView, Member
from rxchat.ui.access.frame import admin_page, flash, lead, may, nothing
from rxchat.ui.kit.dialogs import Dialogs
from rxchat.ui.kit.elements import main_button, quiet_button
from rxchat.ui.kit.forms import form_problem
from rxchat.ui.kit.inputs import combobox
from rxchat.ui.kit.tables import actions_cell, cell, row, table

_dialogs = Dialogs("groups_dialog", GroupsState, GroupView)


def groups_page() -> rx.Component:
    """All groups, and their members."""
    group = _dialogs.subject
    return admin_page(
        "Groups",
        GroupsState,
        lead(
            "Groups of users. What you grant to a group, all its members may use.",
            actions=(rx.cond(may("groups.manage"), main_button("New group", on_click=_dialogs.open("new"))),),
        ),
        flash(GroupsState),
        rx.cond(
            GroupsState.groups.length() > 0,
            table(("Name", "Users", "Actions"), rx.foreach(GroupsState.groups, _row), "Groups"),
            nothing("No groups yet", "Create one for a team or a class, and grant it access to models."),
        ),
        _dialogs.form("new", "New group", *_fields(), action="Create group", on_submit=GroupsState.save),
        _dialogs.form(
            "rename",
            "Rename the group",
            rx.el.input(type="hidden", name="id", value=group.id),
            *_fields(group.name, group.description),
            action="Save",
            on_submit=GroupsState.save,
        ),
        _dialogs.confirm(
            "delete",
            f"Delete the group “{group.name}”?",
            "Its members keep their accounts, but lose the access that the group gave them.",
            action="Delete group",
            on_submit=GroupsState.remove,
        ),
        _members_dialog(group),
    )


def _row(line: GroupView) -> rx.Component:
    manage = rx.fragment(
        quiet_button("Rename", on_click=_dialogs.open("rename", line), aria_label=f"Rename {line.name}"),
        quiet_button("Delete", on_click=_dialogs.open("delete", line), danger=True, aria_label=f"Delete {line.name}"),
    )
    return row(
        cell("Name", line.name, rx.el.span(line.description, class_name="row-detail"), is_head=True),
        cell("Users", line.users),
        actions_cell(
            quiet_button(
                "Members",
                on_click=[_dialogs.open("members", line), GroupsState.show_members(line.id)],
                aria_label=f"Members of {line.name}",
            ),
            rx.cond(may("groups.manage"), manage),
        ),
        key=line.id,
    )


def _fields(name: Any = "", description: Any = "") -> tuple[rx.Component, ...]:
    return (
        _dialogs.field("name", "Name", missing="Enter the group’s name.", default_value=name, longest=60),
        _dialogs.field("description", "Description (optional)", default_value=description, longest=300),
    )


def _members_dialog(group: Any) -> rx.Component:
    picker = combobox(
        "group-member",
        "Add a member",
        "Add",
        GroupsState.found,
        GroupsState.searched,
        on_search=GroupsState.find,
        on_pick=GroupsState.add,
    )
    members = rx.cond(
        GroupsState.members.length() > 0,
        rx.el.ul(rx.foreach(GroupsState.members, _member), class_name="member-list", aria_label="Members"),
        rx.el.p("This group has no members yet.", class_name="text-muted"),
    )
    return _dialogs.window(
        "members",
        f"Members of “{group.name}”",
        form_problem(GroupsState.problem),
        rx.cond(may("groups.manage"), picker),
        rx.cond(GroupsState.selected_id == group.id, members),
        rx.el.div(quiet_button("Done", on_click=_dialogs.close), class_name="dialog-actions"),
    )


def _member(member: Member) -> rx.Component:
    remove = quiet_button("Remove", on_click=GroupsState.take_out(member.id), aria_label=f"Remove {member.name}")
    return rx.el.li(
        rx.el.span(rx.el.b(member.name), rx.el.span(member.email), class_name="picker-who"),
        rx.cond(may("groups.manage"), remove),
        key=member.id,
    )

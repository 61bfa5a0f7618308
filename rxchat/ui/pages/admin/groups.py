"""Groups: who belongs together."""

from __future__ import annotations

import reflex as rx

from rxchat.states.access.groups import GroupsState, GroupView, Member
from rxchat.ui.components import admin
from rxchat.ui.components.admin import UserPicker, may
from rxchat.ui.pages.admin.frame import admin_page

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportCallIssue=false, reportGeneralTypeIssues=false


def groups_page() -> rx.Component:
    """All groups, and who is in them."""
    new = admin.main_button("New group", GroupsState.show_form(""))
    return admin_page(
        "Groups",
        GroupsState,
        admin.lead(
            "Groups of users. What you grant to a group, all its members may use.",
            actions=(rx.cond(may("groups.manage"), new),),
        ),
        admin.flash(GroupsState),
        rx.cond(
            GroupsState.groups.length() > 0,
            admin.table(("Name", "Users", "Actions"), rx.foreach(GroupsState.groups, _row), "Groups"),
            admin.empty("No groups yet", "Create one for a team or a class, and grant it access to models."),
        ),
        _group_dialog(),
        _members_dialog(),
        admin.confirm(
            GroupsState,
            "remove",
            f"Delete the group “{GroupsState.current.name}”?",
            "Its members keep their accounts, but lose the access that the group gave them.",
            "Delete group",
            GroupsState.remove,
        ),
    )


def _row(line: GroupView) -> rx.Component:
    manage = rx.fragment(
        admin.button("Rename", GroupsState.show_form(line.id), aria_label=f"Rename {line.name}"),
        admin.button("Delete", GroupsState.ask_remove(line.id), danger=True, aria_label=f"Delete {line.name}"),
    )
    return admin.row(
        admin.cell("Name", line.name, rx.el.span(line.description, class_name="row-detail"), is_head=True),
        admin.cell("Users", line.users),
        admin.actions_cell(
            admin.button("Members", GroupsState.show_members(line.id), aria_label=f"Members of {line.name}"),
            rx.cond(may("groups.manage"), manage),
        ),
        key=line.id,
    )


def _group_dialog() -> rx.Component:
    current = GroupsState.current
    return admin.dialog(
        GroupsState,
        "group",
        rx.cond(current.id == "", "New group", "Rename the group"),
        admin.form(
            GroupsState,
            GroupsState.save,
            rx.cond(current.id == "", "Create group", "Save"),
            admin.text_field("name", "Name", default_value=current.name, max_length=60),
            admin.text_field("description", "Description", default_value=current.description, max_length=300),
        ),
    )


def _members_dialog() -> rx.Component:
    return admin.dialog(
        GroupsState,
        "members",
        f"Members of “{GroupsState.current.name}”",
        admin.problem(GroupsState),
        rx.cond(
            may("groups.manage"),
            UserPicker.create(
                label="Add a member",
                verb="Add",
                found=GroupsState.found,
                searched=GroupsState.searched,
                on_search=GroupsState.find,
                on_pick=GroupsState.add,
            ),
        ),
        rx.cond(
            GroupsState.members.length() > 0,
            rx.el.ul(rx.foreach(GroupsState.members, _member), class_name="member-list", aria_label="Members"),
            rx.el.p("This group has no members yet.", class_name="text-muted"),
        ),
        rx.el.div(admin.button("Done", GroupsState.close), class_name="dialog-actions"),
    )


def _member(member: Member) -> rx.Component:
    return rx.el.li(
        rx.el.span(rx.el.b(member.name), rx.el.span(member.email), class_name="picker-who"),
        rx.cond(
            may("groups.manage"),
            admin.button("Remove", GroupsState.take_out(member.id), aria_label=f"Remove {member.name}"),
        ),
        key=member.id,
    )

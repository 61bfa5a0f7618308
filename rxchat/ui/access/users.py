"""The page of users: a table, and the open invitations."""

from __future__ import annotations

import reflex as rx

from rxchat.states.access.users import InvitationView, UsersState, UserView
from rxchat.ui.access.frame import admin_page, flash, lead, may, nothing, options
from rxchat.ui.kit.dialogs import Dialogs
from rxchat.ui.kit.elements import Moment, badge, link, main_button, quiet_button
from rxchat.ui.kit.forms import LONGEST_EMAIL, select
from rxchat.ui.kit.inputs import link_box, search_box
from rxchat.ui.kit.tables import actions_cell, cell, row, table

_STATES = (("suspended", "Suspended"), ("leaving", "Wants to leave"))
_dialogs = Dialogs("users_dialog", UsersState, InvitationView)


def users_page() -> rx.Component:
    """Users and invitations."""
    invite = main_button("Invite a user", on_click=[_dialogs.open("invite"), UsersState.begin_invite])
    return admin_page(
        "Users",
        UsersState,
        lead("Everyone with an account.", actions=(rx.cond(may("users.invite"), invite),)),
        flash(UsersState),
        _filters(),
        rx.cond(
            UsersState.users.length() > 0,
            rx.fragment(_table(), _pages()),
            nothing("No users found", "Try fewer words, or another role."),
        ),
        rx.cond(may("users.invite"), _invitations()),
        _invite_dialog(),
        _dialogs.confirm(
            "revoke",
            "Revoke this invitation?",
            f"The link of {_dialogs.subject.email} stops working.",
            action="Revoke",
            on_submit=UsersState.revoke_invitation,
        ),
    )


def _filters() -> rx.Component:
    roles = rx.el.select(
        rx.el.option("All roles", value=""),
        options(UsersState.roles),
        default_value="",
        aria_label="Role",
        on_change=UsersState.filter_role,
    )
    search = search_box("Search users", "Search by name or address", UsersState.search)
    return rx.el.div(search, roles, class_name="filters")


def _table() -> rx.Component:
    everyday = ("Name", "Role", "State")
    full = ("Name", "Role", "Two-factor", "Last seen", "State")
    return rx.cond(
        UsersState.knows_more,
        table(full, rx.foreach(UsersState.users, lambda line: _row(line, knows_more=True)), "Users"),
        table(everyday, rx.foreach(UsersState.users, lambda line: _row(line, knows_more=False)), "Users"),
    )


def _row(line: UserView, *, knows_more: bool) -> rx.Component:
    factor = rx.cond(line.second_factor == "yes", "Yes", rx.el.span("No", class_name="text-muted"))
    more = (cell("Two-factor", factor), cell("Last seen", Moment.create(at=line.seen))) if knows_more else ()
    return row(
        cell(
            "Name",
            link(line.name, to=f"/admin/users/{line.id}", class_name="row-link"),
            rx.el.span(line.email, class_name="row-detail"),
            is_head=True,
        ),
        cell("Role", line.role),
        *more,
        cell("State", state_badge(line.state)),
        key=line.id,
    )


def state_badge(state: str) -> rx.Component:
    """The state of an account."""
    badges = ((name, badge(words, name)) for name, words in _STATES)
    return rx.fragment(rx.match(state, *badges, rx.el.span("Active")))


def _pages() -> rx.Component:
    first, last = UsersState.offset + 1, UsersState.offset + UsersState.users.length()
    buttons = rx.el.div(
        quiet_button("Previous", on_click=UsersState.previous_page, disabled=UsersState.offset == 0),
        quiet_button("Next", on_click=UsersState.next_page, disabled=last >= UsersState.total),
        class_name="admin-actions",
    )
    return rx.el.div(
        rx.el.span(f"{first} to {last} of {UsersState.total}", role="status"),
        rx.cond(UsersState.total > UsersState.users.length(), buttons),
        class_name="paging",
    )


def _invitations() -> rx.Component:
    none = rx.el.p(
        "No open invitations. An invitation is a link that works once, within seven days.", class_name="text-muted"
    )
    return rx.el.section(
        rx.el.h2("Open invitations"),
        rx.cond(
            UsersState.invitations.length() > 0,
            table(
                ("Address", "Role", "Ends", "Actions"),
                rx.foreach(UsersState.invitations, _invitation),
                "Open invitations",
            ),
            none,
        ),
        class_name="admin-section",
    )


def _invitation(item: InvitationView) -> rx.Component:
    mailed = rx.cond(item.is_mailed, rx.el.span("mailed", class_name="row-detail"))
    revoke = quiet_button(
        "Revoke", on_click=_dialogs.open("revoke", item), aria_label=f"Revoke the invitation of {item.email}"
    )
    return row(
        cell("Address", item.email, mailed, is_head=True),
        cell("Role", item.role),
        cell("Ends", Moment.create(at=item.expires)),
        actions_cell(revoke),
        key=item.id,
    )


def _invite_dialog() -> rx.Component:
    is_ready = UsersState.link != ""
    return _dialogs.window(
        "invite",
        rx.cond(is_ready, "The invitation is ready", "Invite a user"),
        rx.cond(is_ready, _invited(), _invite_form()),
    )


def _invite_form() -> rx.Component:
    closed = rx.el.p(
        "Registration is closed. The link will work once invitations are allowed again.", class_name="text-muted"
    )
    return _dialogs.content(
        rx.cond(UsersState.is_closed, closed),
        _dialogs.field(
            "email",
            "E-mail",
            input_mode="email",
            auto_capitalize="none",
            spell_check=False,
            longest=LONGEST_EMAIL,
            is_first=True,
        ),
        select(
            "role",
            "Role",
            options(UsersState.giveable),
            default_value="member",
            help_text="You can only grant permissions you have yourself.",
        ),
        rx.cond(UsersState.groups.length() > 0, _group_boxes()),
        action="Create invitation",
        on_submit=UsersState.invite,
    )


def _group_boxes() -> rx.Component:
    return rx.el.fieldset(
        rx.el.legend("Groups"),
        rx.foreach(
            UsersState.groups,
            lambda group: rx.el.label(
                rx.el.input(type="checkbox", name=f"group:{group.value}"), rx.el.span(group.label), key=group.value
            ),
        ),
        class_name="boxes",
    )


def _invited() -> rx.Component:
    is_local = UsersState.link.contains("://127.0.0.1") | UsersState.link.contains("://localhost")
    local = rx.el.p(
        "It leads to this very machine. To let users in from others, give RxChat a public address:"
        " see “Let others in” in the README.",
        class_name="field-help",
    )
    return rx.el.div(
        rx.el.p(
            rx.cond(
                UsersState.is_mailed,
                f"It was mailed to {UsersState.invited}. You can also pass the link on yourself:",
                f"Hand this link to {UsersState.invited}: RxChat has no mail server to send it.",
            ),
            rx.cond(UsersState.has_replaced, " The earlier invitation to this address is no longer valid.", ""),
            role="status",
        ),
        link_box(UsersState.link, "Invitation link"),
        rx.el.p("It works once, within seven days. It will not be shown again.", class_name="field-help"),
        rx.cond(is_local, local),
        rx.el.div(quiet_button("Done", on_click=_dialogs.close), class_name="dialog-actions"),
        class_name="form",
    )

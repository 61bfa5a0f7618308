"""The users: a table, and the invitations that are open."""

from __future__ import annotations

import reflex as rx

from rxchat.states.access.users import InvitationView, UsersState, UserView
from rxchat.ui.components import admin
from rxchat.ui.components.admin import LinkToHandOver, PageLink, SearchBox, may
from rxchat.ui.kit.elements import Moment
from rxchat.ui.pages.admin.frame import admin_page

_STATES = (("suspended", "Suspended"), ("leaving", "Wants to leave"))


def users_page() -> rx.Component:
    """Who is here, and who is invited."""
    return admin_page(
        "Users",
        UsersState,
        admin.lead(
            "Everyone with an account.",
            actions=(rx.cond(may("users.invite"), admin.main_button("Invite a user", UsersState.show_invite)),),
        ),
        admin.flash(UsersState),
        _filters(),
        rx.cond(
            UsersState.users.length() > 0,
            rx.fragment(_table(), _pages()),
            admin.empty("No users found", "Try fewer words, or another role."),
        ),
        rx.cond(may("users.invite"), _invitations()),
        _invite_dialog(),
        admin.confirm(
            UsersState,
            "take-back",
            "Revoke this invitation?",
            f"The link of {UsersState.selected_email} stops working.",
            "Revoke",
            UsersState.take_back,
        ),
    )


def _filters() -> rx.Component:
    return rx.el.div(
        SearchBox.create(label="Search users", placeholder="Search by name or address", on_search=UsersState.search),
        rx.el.select(
            rx.el.option("All roles", value=""),
            admin.options(UsersState.roles),
            default_value="",
            aria_label="Role",
            on_change=UsersState.filter_role,
        ),
        class_name="filters",
    )


def _table() -> rx.Component:
    everyday = ("Name", "Role", "State")
    full = ("Name", "Role", "Two-factor", "Last seen", "State")
    return rx.cond(
        UsersState.knows_more,
        admin.table(full, rx.foreach(UsersState.users, lambda line: _row(line, knows_more=True)), "Users"),
        admin.table(everyday, rx.foreach(UsersState.users, lambda line: _row(line, knows_more=False)), "Users"),
    )


def _row(line: UserView, *, knows_more: bool) -> rx.Component:
    more = (
        (
            admin.cell(
                "Two-factor", rx.cond(line.second_factor == "yes", "Yes", rx.el.span("No", class_name="text-muted"))
            ),
            admin.cell("Last seen", Moment.create(at=line.seen)),
        )
        if knows_more
        else ()
    )
    return admin.row(
        admin.cell(
            "Name",
            PageLink.create(line.name, to=f"/admin/users/{line.id}", class_name="row-link"),
            rx.el.span(line.email, class_name="row-detail"),
            is_head=True,
        ),
        admin.cell("Role", line.role),
        *more,
        admin.cell("State", state_badge(line.state)),
        key=line.id,
    )


def state_badge(state: str) -> rx.Component:
    """How it stands with an account."""
    badges = ((name, admin.badge(words, name)) for name, words in _STATES)
    return rx.fragment(rx.match(state, *badges, rx.el.span("Active")))


def _pages() -> rx.Component:
    first, last = UsersState.offset + 1, UsersState.offset + UsersState.users.length()
    return rx.el.div(
        rx.el.span(f"{first} to {last} of {UsersState.total}", role="status"),
        rx.cond(
            UsersState.total > UsersState.users.length(),
            rx.el.div(
                admin.button("Previous", UsersState.previous_page, disabled=UsersState.offset == 0),
                admin.button("Next", UsersState.next_page, disabled=last >= UsersState.total),
                class_name="admin-actions",
            ),
        ),
        class_name="paging",
    )


def _invitations() -> rx.Component:
    return rx.el.section(
        rx.el.h2("Open invitations"),
        rx.cond(
            UsersState.invitations.length() > 0,
            admin.table(
                ("Address", "Role", "Ends", "Actions"),
                rx.foreach(UsersState.invitations, _invitation),
                "Open invitations",
            ),
            rx.el.p(
                "No open invitations. An invitation is a link that works once, within seven days.",
                class_name="text-muted",
            ),
        ),
        class_name="admin-section",
    )


def _invitation(item: InvitationView) -> rx.Component:
    return admin.row(
        admin.cell(
            "Address", item.email, rx.cond(item.is_mailed, rx.el.span("mailed", class_name="row-detail")), is_head=True
        ),
        admin.cell("Role", item.role),
        admin.cell("Ends", Moment.create(at=item.expires)),
        admin.actions_cell(
            admin.button(
                "Revoke",
                UsersState.ask_take_back(item.id),
                aria_label=f"Revoke the invitation of {item.email}",
            )
        ),
        key=item.id,
    )


def _invite_dialog() -> rx.Component:
    return admin.dialog(
        UsersState,
        "invite",
        rx.cond(UsersState.link == "", "Invite a user", "The invitation is ready"),
        rx.cond(UsersState.link == "", _invite_form(), _invited()),
    )


def _invite_form() -> rx.Component:
    return admin.form(
        UsersState,
        UsersState.invite,
        "Create invitation",
        rx.cond(
            UsersState.is_closed,
            rx.el.p(
                "Registration is closed. The link will work once invitations are allowed again.",
                class_name="text-muted",
            ),
        ),
        admin.text_field("email", "E-mail", type="email", auto_capitalize="none", spell_check=False),
        admin.field(
            "role",
            "Role",
            rx.el.select(admin.options(UsersState.giveable), id="role", name="role", default_value="member"),
            "You can only grant permissions you have yourself.",
        ),
        rx.cond(UsersState.groups.length() > 0, _group_boxes()),
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
        LinkToHandOver.create(link=UsersState.link, label="Invitation link"),
        rx.el.p("It works once, within seven days. It will not be shown again.", class_name="field-help"),
        rx.cond(
            UsersState.link.contains("://127.0.0.1") | UsersState.link.contains("://localhost"),
            rx.el.p(
                "It leads to this very machine. To let users in from others, give RxChat a public address:"
                " see “Let others in” in the README.",
                class_name="field-help",
            ),
        ),
        rx.el.div(admin.button("Done", UsersState.close), class_name="dialog-actions"),
        class_name="form",
    )

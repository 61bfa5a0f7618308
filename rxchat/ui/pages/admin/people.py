"""The people: a table, and the invitations that are open."""

from __future__ import annotations

import reflex as rx

from rxchat.states.access.users import InvitationLine, PeopleState, PersonLine
from rxchat.ui.components import admin
from rxchat.ui.components.admin import LinkToHandOver, Moment, PageLink, SearchBox, may
from rxchat.ui.pages.admin.frame import admin_page

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportCallIssue=false, reportGeneralTypeIssues=false

_STATES = (("suspended", "Suspended"), ("leaving", "Wants to leave"))


def people_page() -> rx.Component:
    """Who is here, and who is invited."""
    return admin_page(
        "People",
        PeopleState,
        admin.lead(
            "Everybody who has an account here.",
            actions=(rx.cond(may("users.invite"), admin.main_button("Invite somebody", PeopleState.show_invite)),),
        ),
        admin.done(PeopleState),
        _filters(),
        rx.cond(
            PeopleState.people.length() > 0,
            rx.fragment(_table(), _pages()),
            admin.empty("Nobody was found", "Try fewer words, or another role."),
        ),
        rx.cond(may("users.invite"), _invitations()),
        _invite_dialog(),
        admin.confirm(
            PeopleState,
            "take-back",
            "Take this invitation back?",
            f"The link that {PeopleState.doomed} was given will not work any more.",
            "Revoke",
            PeopleState.take_back,
        ),
    )


def _filters() -> rx.Component:
    return rx.el.div(
        SearchBox.create(label="Search people", placeholder="Search by name or address", on_search=PeopleState.search),
        rx.el.select(
            rx.el.option("All roles", value=""),
            admin.options(PeopleState.roles),
            default_value="",
            aria_label="Role",
            on_change=PeopleState.filter_role,
        ),
        class_name="filters",
    )


def _table() -> rx.Component:
    everyday = ("Name", "Role", "State")
    full = ("Name", "Role", "Second factor", "Last seen", "State")
    return rx.cond(
        PeopleState.knows_more,
        admin.table(full, rx.foreach(PeopleState.people, lambda line: _row(line, knows_more=True)), "People"),
        admin.table(everyday, rx.foreach(PeopleState.people, lambda line: _row(line, knows_more=False)), "People"),
    )


def _row(line: PersonLine, *, knows_more: bool) -> rx.Component:
    more = (
        (
            admin.cell(
                "Second factor", rx.cond(line.second_factor == "yes", "Yes", rx.el.span("No", class_name="text-muted"))
            ),
            admin.cell("Last seen", Moment.create(at=line.seen)),
        )
        if knows_more
        else ()
    )
    return admin.row(
        admin.cell(
            "Name",
            PageLink.create(line.name, to=f"/admin/people/{line.id}", class_name="row-link"),
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
    first, last = PeopleState.offset + 1, PeopleState.offset + PeopleState.people.length()
    return rx.el.div(
        rx.el.span(f"{first} to {last} of {PeopleState.total}", role="status"),
        rx.cond(
            PeopleState.total > PeopleState.people.length(),
            rx.el.div(
                admin.button("Previous", PeopleState.previous_page, disabled=PeopleState.offset == 0),
                admin.button("Next", PeopleState.next_page, disabled=last >= PeopleState.total),
                class_name="admin-actions",
            ),
        ),
        class_name="paging",
    )


def _invitations() -> rx.Component:
    return rx.el.section(
        rx.el.h2("Open invitations"),
        rx.cond(
            PeopleState.invitations.length() > 0,
            admin.table(
                ("Address", "Role", "Ends", "Actions"),
                rx.foreach(PeopleState.invitations, _invitation),
                "Open invitations",
            ),
            rx.el.p(
                "Nobody is invited just now. An invitation is a link that works once, for seven days.",
                class_name="quiet",
            ),
        ),
        class_name="admin-section",
    )


def _invitation(item: InvitationLine) -> rx.Component:
    return admin.row(
        admin.cell(
            "Address", item.email, rx.cond(item.is_mailed, rx.el.span("mailed", class_name="row-detail")), is_head=True
        ),
        admin.cell("Role", item.role),
        admin.cell("Ends", Moment.create(at=item.expires)),
        admin.actions_cell(
            admin.button(
                "Revoke",
                PeopleState.ask_take_back(item.id),
                aria_label=f"Revoke the invitation of {item.email}",
            )
        ),
        key=item.id,
    )


def _invite_dialog() -> rx.Component:
    return admin.dialog(
        PeopleState,
        "invite",
        rx.cond(PeopleState.link == "", "Invite somebody", "The invitation is ready"),
        rx.cond(PeopleState.link == "", _invite_form(), _invited()),
    )


def _invite_form() -> rx.Component:
    return admin.form(
        PeopleState,
        PeopleState.invite,
        "Make the invitation",
        rx.cond(
            PeopleState.is_closed,
            rx.el.p(
                "Registration is closed: the link works as soon as people may be invited again.", class_name="quiet"
            ),
        ),
        admin.text_field("email", "E-mail", type="email", auto_capitalize="none", spell_check=False),
        admin.field(
            "role",
            "Role",
            rx.el.select(admin.options(PeopleState.giveable), id="role", name="role", default_value="member"),
            "You can only grant permissions you have yourself.",
        ),
        rx.cond(PeopleState.groups.length() > 0, _group_boxes()),
    )


def _group_boxes() -> rx.Component:
    return rx.el.fieldset(
        rx.el.legend("Groups"),
        rx.foreach(
            PeopleState.groups,
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
                PeopleState.is_mailed,
                f"It was mailed to {PeopleState.invited}. You can hand the link over yourself, too:",
                f"Hand this link to {PeopleState.invited}; there is no mail here that would do it.",
            ),
            rx.cond(PeopleState.has_replaced, " An earlier invitation to this address does not work any more.", ""),
            role="status",
        ),
        LinkToHandOver.create(link=PeopleState.link, label="Invitation link"),
        rx.el.p("It works once, for seven days. It is shown only now.", class_name="field-help"),
        rx.cond(
            PeopleState.link.contains("://127.0.0.1") | PeopleState.link.contains("://localhost"),
            rx.el.p(
                "It leads to this very machine. To let people in from others, give RxChat a public address:"
                " see “Let others in” in the README.",
                class_name="field-help",
            ),
        ),
        rx.el.div(admin.button("Done", PeopleState.close), class_name="dialog-actions"),
        class_name="admin-form",
    )

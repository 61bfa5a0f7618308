"""One user: what they may do, what can be done for them, and what they wrote, for a reason."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.states.access.user import ConversationView, MessageView, UserState
from rxchat.ui.access.frame import admin_page, flash, may
from rxchat.ui.access.user_dialogs import dialogs, user_dialogs
from rxchat.ui.access.users import state_badge
from rxchat.ui.kit.elements import Moment, badge, link, quiet_button
from rxchat.ui.platform.not_found import not_found_panel


def user_page() -> rx.Component:
    """The user whom the address names."""
    return admin_page(
        "Users",
        UserState,
        link("← All users", to="/admin/users", class_name="back-link"),
        rx.cond(
            UserState.missing,
            not_found_panel(
                "This user does not exist. The account may have been deleted.", "/admin/users", "All users"
            ),
            rx.fragment(
                _head(),
                flash(UserState),
                rx.cond(may("users.manage"), _actions()),
                rx.cond(may("conversations.read_any"), _conversations()),
                user_dialogs(),
            ),
        ),
    )


def _head() -> rx.Component:
    user = UserState.user
    return rx.el.header(
        rx.el.div(
            rx.el.h1(user.name, tab_index=-1),
            rx.el.p(user.email),
            class_name="user-name",
        ),
        rx.el.dl(
            _fact("Role", user.role_title),
            _fact("State", state_badge(user.state)),
            rx.cond(
                user.second_factor != "",
                rx.fragment(
                    _fact("Two-factor", rx.cond(user.second_factor == "yes", "Yes", "No")),
                    _fact("Last seen", Moment.create(at=user.seen)),
                ),
            ),
            _fact("Member since", Moment.create(at=user.since)),
            _fact("Groups", _groups()),
            class_name="user-facts",
        ),
        class_name="user-head",
    )


def _fact(name: str, value: Any) -> rx.Component:
    return rx.el.div(rx.el.dt(name), rx.el.dd(value))


def _groups() -> rx.Component:
    return rx.cond(
        UserState.groups.length() > 0,
        rx.el.span(rx.foreach(UserState.groups, lambda group: badge(group.label)), class_name="badges"),
        rx.el.span("None", class_name="text-muted"),
    )


def _actions() -> rx.Component:
    """What can be done; nothing of it happens before it was asked."""
    above = rx.el.p(
        "This user has permissions that you do not have, so you cannot change their account.",
        class_name="text-muted",
    )
    mine = rx.el.p(
        "This is your own account. Manage your password, sessions and two-factor authentication on your account page.",
        class_name="text-muted",
    )
    actions = rx.el.ul(
        _action("Role", f"{UserState.user.role_title} now.", "Change…", "role"),
        rx.cond(UserState.is_me, rx.el.li(mine), _actions_on_others()),
        class_name="related-links",
    )
    return rx.el.section(
        rx.el.h2("Account"),
        rx.cond(UserState.is_above, above, actions),
        class_name="admin-section",
    )


_DELETED = "Deletes the account and all its data after a grace period. Until then you can cancel the deletion."


def _actions_on_others() -> rx.Component:
    """What can be done to another user's account."""
    reset = "For users who lost both their device and their recovery codes."
    out = "Signs the user out everywhere. They cannot sign in until you reinstate them."
    return rx.fragment(
        _action("Password", "Create a link to choose a new password, and send it to the user.", "Create link…", "link"),
        _action("Sessions", "Sign the user out on every device.", "Sign out everywhere…", "sessions"),
        rx.cond(
            UserState.user.second_factor == "yes",
            _action("Two-factor authentication", reset, "Reset…", "factor", danger=True),
        ),
        rx.cond(
            UserState.user.state == "suspended",
            _action("Reinstate", "The user can sign in again. Nothing was deleted.", "Reinstate…", "readmit"),
            _action("Suspend", out, "Suspend…", "suspend", danger=True),
        ),
        rx.cond(
            UserState.user.deletion_at == 0,
            _action("Delete account", _DELETED, "Delete account…", "delete", danger=True),
            rx.cond(
                UserState.user.is_deleted_by_others,
                _action("Delete account", _deletion(), "Cancel deletion…", "keep"),
                rx.el.li(rx.el.div(rx.el.h3("Delete account"), rx.el.p("Requested by the user. ", _deletion()))),
            ),
        ),
    )


def _deletion() -> rx.Component:
    return rx.fragment("It will be deleted on ", Moment.create(at=UserState.user.deletion_at, is_exact=True), ".")


def _action(name: str, words: Any, label: str, question: str, *, danger: bool = False) -> rx.Component:
    open_ = dialogs.open(question)
    # A link is shown once: another one is made for another opening.
    opens = [open_, UserState.forget_link] if question == "link" else open_
    return rx.el.li(
        rx.el.div(rx.el.h3(name), rx.el.p(words)),
        quiet_button(label, on_click=opens, danger=danger),
    )


def _conversations() -> rx.Component:
    return rx.el.section(
        rx.el.h2("Conversations"),
        rx.cond(
            UserState.has_listed,
            rx.fragment(
                rx.el.div(
                    rx.el.p(
                        "You are reading another user's conversations. The audit log records each one that you open."
                    ),
                    quiet_button("Stop reading", on_click=UserState.stop_reading),
                    class_name="reading-note",
                ),
                rx.cond(
                    UserState.conversations.length() > 0,
                    rx.el.ul(rx.foreach(UserState.conversations, _conversation), class_name="conversation-list"),
                    rx.el.p("No conversations.", class_name="text-muted"),
                ),
                rx.cond(UserState.reading != "", _thread()),
            ),
            rx.el.div(
                rx.el.p("Conversations are private. Read them only when you must.", class_name="text-muted"),
                quiet_button("Read this user's conversations…", on_click=dialogs.open("reason")),
                class_name="reading-note",
            ),
        ),
        class_name="admin-section",
    )


def _conversation(item: ConversationView) -> rx.Component:
    return rx.el.li(
        rx.el.button(
            rx.el.span(item.title, class_name="row-title"),
            Moment.create(at=item.at),
            type="button",
            on_click=UserState.read(item.id),
        ),
        key=item.id,
    )


def _thread() -> rx.Component:
    return rx.el.section(
        rx.el.h3(UserState.reading),
        rx.foreach(UserState.said, _message),
        class_name="read-only",
        aria_label="Conversation",
    )


def _message(item: MessageView) -> rx.Component:
    return rx.el.div(
        rx.el.p(item.who, " · ", Moment.create(at=item.at, is_exact=True), class_name="row-detail"),
        rx.el.div(item.text, class_name="plain-text"),
        class_name="read-message",
    )

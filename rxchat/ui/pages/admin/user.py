"""One user: what they may do, what can be done for them, and what they wrote, for a reason."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.states.access.user import ConversationView, MessageView, UserState
from rxchat.ui.components import admin
from rxchat.ui.components.admin import LinkToHandOver, PageLink, may
from rxchat.ui.kit.elements import Moment
from rxchat.ui.pages.admin.frame import admin_page
from rxchat.ui.pages.admin.users import state_badge
from rxchat.ui.pages.not_found import not_found_panel


def user_page() -> rx.Component:
    """The user whom the address names."""
    return admin_page(
        "Users",
        UserState,
        PageLink.create("← All users", to="/admin/users", class_name="back-link"),
        rx.cond(
            UserState.missing,
            not_found_panel(),
            rx.fragment(
                _head(),
                admin.flash(UserState),
                rx.cond(may("users.manage"), _doors()),
                rx.cond(may("conversations.read_any"), _conversations()),
                _dialogs(),
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
        rx.el.span(rx.foreach(UserState.groups, lambda group: admin.badge(group.label)), class_name="badges"),
        rx.el.span("None", class_name="text-muted"),
    )


def _doors() -> rx.Component:
    """What can be done; nothing of it happens before it was asked."""
    above = rx.el.p(
        "This user has permissions that you do not have, so you cannot change their account.",
        class_name="text-muted",
    )
    mine = rx.el.p(
        "This is your own account. Manage your password, sessions and two-factor authentication on your account page.",
        class_name="text-muted",
    )
    doors = rx.el.ul(
        _door("Role", f"{UserState.user.role_title} now.", "Change…", "role"),
        rx.cond(UserState.is_me, rx.el.li(mine), _doors_to_others()),
        class_name="related-links",
    )
    return rx.el.section(
        rx.el.h2("Account"),
        rx.cond(UserState.is_above, above, doors),
        class_name="admin-section",
    )


_DELETED = "Deletes the account and all its data after a grace period. Until then you can cancel the deletion."


def _doors_to_others() -> rx.Component:
    """What can be done to another user's account."""
    reset = "For users who lost both their device and their recovery codes."
    out = "Signs the user out everywhere. They cannot sign in until you reinstate them."
    return rx.fragment(
        _door("Password", "Create a link to choose a new password, and send it to the user.", "Create link…", "link"),
        _door("Sessions", "Sign the user out on every device.", "Sign out everywhere…", "sessions"),
        rx.cond(
            UserState.user.second_factor == "yes",
            _door("Two-factor authentication", reset, "Reset…", "factor", danger=True),
        ),
        rx.cond(
            UserState.user.state == "suspended",
            _door("Reinstate", "The user can sign in again. Nothing was deleted.", "Reinstate…", "readmit"),
            _door("Suspend", out, "Suspend…", "suspend", danger=True),
        ),
        rx.cond(
            UserState.user.deletion_at == 0,
            _door("Delete account", _DELETED, "Delete account…", "delete", danger=True),
            rx.cond(
                UserState.user.is_deleted_by_others,
                _door("Delete account", _deletion(), "Cancel deletion…", "keep"),
                rx.el.li(rx.el.div(rx.el.h3("Delete account"), rx.el.p("Requested by the user. ", _deletion()))),
            ),
        ),
    )


def _deletion() -> rx.Component:
    return rx.fragment("It will be deleted on ", Moment.create(at=UserState.user.deletion_at, is_exact=True), ".")


def _door(name: str, words: Any, label: str, question: str, *, danger: bool = False) -> rx.Component:
    return rx.el.li(
        rx.el.div(rx.el.h3(name), rx.el.p(words)),
        admin.button(label, UserState.ask(question), danger=danger),
    )


_QUESTIONS = (
    (
        "suspend", "Suspend", "?", "Suspend", UserState.suspend,
        ("They will be signed out everywhere within seconds, and cannot sign in until you reinstate them. Their conversations are kept."),
    ),
    (
        "sessions", "Sign", " out everywhere?", "Sign out everywhere", UserState.end_sessions,
        "All their sessions end, on every device, including those of programs. They can sign in again immediately.",
    ),
    (
        "factor", "Reset two-factor authentication of", "?", "Reset two-factor authentication", UserState.reset_factor,
        ("Their authenticator app, passkeys and recovery codes stop working, and they are signed out. Make sure that the request really comes from them: afterwards the password alone is enough to sign in."),
    ),
)  # fmt: skip
"""What is asked before something dangerous: the words around the name, the button, and what will happen."""


_DELETION = "They will be signed out everywhere, and their API keys stop working. The account, its conversations and documents are deleted after the grace period. Until then they can sign in to download their data, and you can cancel the deletion."


def _dialogs() -> rx.Component:
    name = UserState.user.name
    return rx.fragment(
        _role_dialog(),
        *(
            admin.confirm(UserState, question, f"{before} {name}{after}", words, action, handler)
            for question, before, after, action, handler, words in _QUESTIONS
        ),
        admin.confirm(
            UserState,
            "readmit",
            f"Reinstate {name}?",
            "They can sign in with the same password and passkeys as before.",
            "Reinstate",
            UserState.readmit,
            danger=False,
        ),
        admin.confirm(
            UserState,
            "keep",
            f"Cancel the deletion of {name}?",
            "The account will not be deleted. The user can sign in as before.",
            "Cancel deletion",
            UserState.keep_account,
            danger=False,
        ),
        admin.AccountDeletion.create(
            is_open=UserState.dialog == "delete",
            user_id=UserState.selected_id,
            title=f"Delete the account of {name}?",
            lead=_DELETION,
            has_password=UserState.has_password,
            on_done=UserState.show_deletion,
            on_close=UserState.close,
        ),
        _link_dialog(),
        _reason_dialog(),
    )


def _role_dialog() -> rx.Component:
    user = UserState.user
    roles = rx.el.select(admin.options(UserState.roles), id="role", name="role", default_value=user.role)
    words = "The user is signed out everywhere, and gets the new role with the next sign-in."
    return admin.dialog(
        UserState,
        "role",
        f"Change the role of {user.name}",
        admin.form(UserState, UserState.set_role, "Change role", admin.field("role", "Role", roles, words)),
    )


def _link_dialog() -> rx.Component:
    return admin.dialog(
        UserState,
        "link",
        f"A new password for {UserState.user.name}",
        admin.problem(UserState),
        rx.cond(
            UserState.link == "",
            rx.el.div(
                admin.button("Cancel", UserState.close),
                admin.main_button("Create link", UserState.make_link),
                class_name="dialog-actions",
            ),
            rx.el.div(
                LinkToHandOver.create(link=UserState.link, label="Password link"),
                rx.el.p("Send it only to this user. It will not be shown again.", class_name="field-help"),
                rx.el.div(admin.button("Done", UserState.close), class_name="dialog-actions"),
                class_name="form",
            ),
        ),
        lead="Anyone with this link can choose a new password for the account, once, within a day. Earlier links stop working.",
    )


def _reason_dialog() -> rx.Component:
    return admin.dialog(
        UserState,
        "reason",
        f"Read conversations of {UserState.user.name}",
        admin.form(
            UserState,
            UserState.list_conversations,
            "Show conversations",
            admin.field(
                "reason",
                "Reason",
                rx.el.textarea(id="reason", name="reason", rows="3", max_length=500, aria_describedby="reason-help"),
                "At least ten characters. The audit log permanently records your name, this reason and each conversation that you open.",
            ),
        ),
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
                    admin.button("Stop reading", UserState.stop_reading),
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
                admin.button("Read this user's conversations…", UserState.ask("reason")),
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

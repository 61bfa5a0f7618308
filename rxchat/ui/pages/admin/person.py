"""One person: what they may do, what can be done for them, and what they wrote, for a reason."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.states.access.user import ConversationLine, PersonState, Said
from rxchat.ui.components import admin
from rxchat.ui.components.admin import LinkToHandOver, Moment, PageLink, may
from rxchat.ui.pages.admin.frame import admin_page
from rxchat.ui.pages.admin.people import state_badge
from rxchat.ui.pages.not_found import not_found_panel

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportCallIssue=false, reportGeneralTypeIssues=false


def person_page() -> rx.Component:
    """The person whom the address names."""
    return admin_page(
        "People",
        PersonState,
        PageLink.create("← All people", to="/admin/people", class_name="back-link"),
        rx.cond(
            PersonState.missing,
            not_found_panel(),
            rx.fragment(
                _head(),
                admin.done(PersonState),
                rx.cond(may("users.manage"), _doors()),
                rx.cond(may("conversations.read_any"), _conversations()),
                _dialogs(),
            ),
        ),
    )


def _head() -> rx.Component:
    person = PersonState.person
    return rx.el.header(
        rx.el.div(
            rx.el.h1(person.name, tab_index=-1),
            rx.el.p(person.email),
            class_name="person-name",
        ),
        rx.el.dl(
            _fact("Role", person.role_title),
            _fact("State", state_badge(person.state)),
            rx.cond(
                person.second_factor != "",
                rx.fragment(
                    _fact("Second factor", rx.cond(person.second_factor == "yes", "Yes", "No")),
                    _fact("Last seen", Moment.create(at=person.seen)),
                ),
            ),
            _fact("Member since", Moment.create(at=person.since)),
            _fact("Groups", _groups()),
            class_name="person-facts",
        ),
        class_name="person-head",
    )


def _fact(name: str, value: Any) -> rx.Component:
    return rx.el.div(rx.el.dt(name), rx.el.dd(value))


def _groups() -> rx.Component:
    return rx.cond(
        PersonState.groups.length() > 0,
        rx.el.span(rx.foreach(PersonState.groups, lambda group: admin.badge(group.label)), class_name="badges"),
        rx.el.span("None", class_name="text-muted"),
    )


def _doors() -> rx.Component:
    """What can be done; nothing of it happens before it was asked."""
    above = rx.el.p(
        "This person may do things that you may not, so only somebody with those rights can change their account.",
        class_name="quiet",
    )
    mine = rx.el.p(
        "This is your own account: its password, sign-ins and second factor are on your account page.",
        class_name="quiet",
    )
    doors = rx.el.ul(
        _door("Role", f"{PersonState.person.role_title} now.", "Change…", "role"),
        rx.cond(PersonState.is_me, rx.el.li(mine), _doors_to_others()),
        class_name="doors",
    )
    return rx.el.section(
        rx.el.h2("Account"),
        rx.cond(PersonState.is_above, above, doors),
        class_name="admin-section",
    )


_DELETED = "Everything that is theirs goes away for good, after a grace time in which you can keep it."


def _doors_to_others() -> rx.Component:
    """What can be done to somebody else's account."""
    reset = "For when the phone is lost, and the recovery codes, too."
    out = "Signed out everywhere at once, and kept out until you let them in again."
    return rx.fragment(
        _door("Password", "A link with which they choose a new one, to hand over.", "Make a link…", "link"),
        _door("Sign-ins", "End everything they have open, on every device.", "Sign out everywhere…", "sessions"),
        rx.cond(
            PersonState.person.second_factor == "yes",
            _door("Second factor", reset, "Reset…", "factor", danger=True),
        ),
        rx.cond(
            PersonState.person.state == "suspended",
            _door("Reinstate", "They can sign in again, and have what they had.", "Reinstate…", "readmit"),
            _door("Suspend", out, "Suspend…", "suspend", danger=True),
        ),
        rx.cond(
            PersonState.person.deletion_at == 0,
            _door("Delete account", _DELETED, "Delete account…", "delete", danger=True),
            rx.cond(
                PersonState.person.is_deleted_by_others,
                _door("Delete account", _deletion(), "Keep account…", "keep"),
                rx.el.li(rx.el.div(rx.el.h3("Delete account"), rx.el.p("Asked for by its owner. ", _deletion()))),
            ),
        ),
    )


def _deletion() -> rx.Component:
    return rx.fragment("It will be deleted on ", Moment.create(at=PersonState.person.deletion_at, is_exact=True), ".")


def _door(name: str, words: Any, label: str, question: str, *, danger: bool = False) -> rx.Component:
    return rx.el.li(
        rx.el.div(rx.el.h3(name), rx.el.p(words)),
        admin.button(label, PersonState.ask(question), danger=danger),
    )


_QUESTIONS = (
    (
        "suspend", "Suspend", "?", "Suspend", PersonState.suspend,
        ("They are signed out everywhere within seconds and cannot sign in until you let them in again. Their"
        " conversations are kept."),
    ),
    (
        "sessions", "Sign", " out everywhere?", "Sign out everywhere", PersonState.end_sessions,
        "Everything they have open ends, on every device, programs included. They can sign in again at once.",
    ),
    (
        "factor", "Reset the second factor of", "?", "Reset the second factor", PersonState.reset_factor,
        ("Their authenticator app, passkeys and recovery codes stop working, and they are signed out. Make sure that it"
        " is really they who ask: whoever has the password comes in with it alone."),
    ),
)  # fmt: skip
"""What is asked before something dangerous: the words around the name, the button, and what will happen."""


_DELETION = (
    "They are signed out everywhere, and their API keys stop working. The account, its conversations and documents are"
    " deleted after the grace time; until then they can sign in to download their data, and you can keep it."
)


def _dialogs() -> rx.Component:
    name = PersonState.person.name
    return rx.fragment(
        _role_dialog(),
        *(
            admin.confirm(PersonState, question, f"{before} {name}{after}", words, action, handler)
            for question, before, after, action, handler, words in _QUESTIONS
        ),
        admin.confirm(
            PersonState,
            "readmit",
            f"Reinstate {name}?",
            "They can sign in with what they had before.",
            "Reinstate",
            PersonState.readmit,
            danger=False,
        ),
        admin.confirm(
            PersonState,
            "keep",
            f"Keep the account of {name}?",
            "It will not be deleted. They can sign in as before.",
            "Keep account",
            PersonState.keep_account,
            danger=False,
        ),
        admin.AccountDeletion.create(
            is_open=PersonState.dialog == "delete",
            person_id=PersonState.person_id,
            title=f"Delete the account of {name}?",
            lead=_DELETION,
            has_password=PersonState.has_password,
            on_done=PersonState.show_deletion,
            on_close=PersonState.close,
        ),
        _link_dialog(),
        _reason_dialog(),
    )


def _role_dialog() -> rx.Component:
    person = PersonState.person
    roles = rx.el.select(admin.options(PersonState.roles), id="role", name="role", default_value=person.role)
    words = "They are signed out everywhere and sign in again with the new role."
    return admin.dialog(
        PersonState,
        "role",
        f"Change the role of {person.name}",
        admin.form(PersonState, PersonState.set_role, "Change the role", admin.field("role", "Role", roles, words)),
    )


def _link_dialog() -> rx.Component:
    return admin.dialog(
        PersonState,
        "link",
        f"A new password for {PersonState.person.name}",
        admin.problem(PersonState),
        rx.cond(
            PersonState.link == "",
            rx.el.div(
                admin.button("Cancel", PersonState.close),
                admin.main_button("Make the link", PersonState.make_link),
                class_name="dialog-actions",
            ),
            rx.el.div(
                LinkToHandOver.create(link=PersonState.link, label="Password link"),
                rx.el.p("Hand it to nobody else. It is shown only now.", class_name="field-help"),
                rx.el.div(admin.button("Done", PersonState.close), class_name="dialog-actions"),
                class_name="admin-form",
            ),
        ),
        lead="Whoever has this link can choose a new password for the account, once, within a day. An older link stops"
        " working.",
    )


def _reason_dialog() -> rx.Component:
    return admin.dialog(
        PersonState,
        "reason",
        f"Read the conversations of {PersonState.person.name}",
        admin.form(
            PersonState,
            PersonState.list_conversations,
            "Show them",
            admin.field(
                "reason",
                "Why does this have to be read?",
                rx.el.textarea(id="reason", name="reason", rows="3", max_length=500, aria_describedby="reason-help"),
                "At least ten characters. Your name, this reason and each conversation that you open are kept in the"
                " audit, where nobody can take them out.",
            ),
        ),
    )


def _conversations() -> rx.Component:
    return rx.el.section(
        rx.el.h2("Conversations"),
        rx.cond(
            PersonState.has_listed,
            rx.fragment(
                rx.el.div(
                    rx.el.p("You are reading somebody else's words. Each one that you open is in the audit."),
                    admin.button("Stop reading", PersonState.stop_reading),
                    class_name="reading-note",
                ),
                rx.cond(
                    PersonState.conversations.length() > 0,
                    rx.el.ul(rx.foreach(PersonState.conversations, _conversation), class_name="conversation-list"),
                    rx.el.p("There are none.", class_name="quiet"),
                ),
                rx.cond(PersonState.reading != "", _thread()),
            ),
            rx.el.div(
                rx.el.p("Conversations are private. Read them only when you must.", class_name="quiet"),
                admin.button("Read this person's conversations…", PersonState.ask("reason")),
                class_name="reading-note",
            ),
        ),
        class_name="admin-section",
    )


def _conversation(item: ConversationLine) -> rx.Component:
    return rx.el.li(
        rx.el.button(
            rx.el.span(item.title, class_name="row-title"),
            Moment.create(at=item.at),
            type="button",
            on_click=PersonState.read(item.id),
        ),
        key=item.id,
    )


def _thread() -> rx.Component:
    return rx.el.section(
        rx.el.h3(PersonState.reading),
        rx.foreach(PersonState.said, _message),
        class_name="read-only",
        aria_label="Conversation",
    )


def _message(item: Said) -> rx.Component:
    return rx.el.div(
        rx.el.p(item.who, " · ", Moment.create(at=item.at, is_exact=True), class_name="row-detail"),
        rx.el.div(item.text, class_name="plain-text"),
        class_name="read-message",
    )

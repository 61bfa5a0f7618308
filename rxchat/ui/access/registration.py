"""Registration: who can make an account, and who needs a second factor."""

from __future__ import annotations

import reflex as rx

from rxchat.states.access.registration import RegistrationState
from rxchat.ui.access.frame import admin_page, lead
from rxchat.ui.kit.forms import form_problem

_RULES = (
    (
        "registration",
        "Who can create an account",
        (
            ("open", "Anyone", "Anyone who can reach this address can create an account."),
            (
                "invitation",
                "Invited users",
                "Only people with an invitation link from an administrator can create an account.",
            ),
            ("closed", "No one", "No new accounts. Open invitations do not work until this changes."),
        ),
    ),
    (
        "default_role",
        "Role of new users who register",
        (
            ("member", "Member", "They can use every model immediately."),
            ("guest", "Guest", "They can use only the models that are granted to them under Access."),
        ),
    ),
    (
        "second_factor",
        "Who needs two-factor authentication",
        (
            ("nobody", "No one", "Optional for every user."),
            ("admins", "Administrators", "Required for administration, including yours. Chatting works without it."),
            (
                "everybody",
                "Everyone",
                "Required for every user. Users without it, including you, have to set it up first.",
            ),
        ),
    ),
)


def registration_page() -> rx.Component:
    """The rules, each with what it means; a choice holds at once."""
    return admin_page(
        "Registration",
        RegistrationState,
        lead("How users get accounts and sign in. Changes apply to everyone immediately."),
        *(_rule(*rule) for rule in _RULES),
        says_problem=False,
    )


def _rule(rule: str, title: str, choices: tuple[tuple[str, str, str], ...]) -> rx.Component:
    current = {
        "registration": RegistrationState.registration,
        "default_role": RegistrationState.default_role,
        "second_factor": RegistrationState.second_factor,
    }[rule]
    return rx.el.section(
        rx.el.h2(title),
        rx.el.div(
            *(_choice(rule, current, *choice) for choice in choices),
            role="radiogroup",
            aria_label=title,
            # What was chosen is shown at once; the current value again after each answer.
            key=f"{current} {RegistrationState.answers}",
        ),
        rx.el.div(
            rx.cond(
                RegistrationState.changed == rule,
                rx.el.p(
                    "Saved. ",
                    rx.el.button("Undo", type="button", on_click=RegistrationState.undo, class_name="toast-action"),
                    class_name="flash",
                ),
            ),
            role="status",
        ),
        rx.cond(RegistrationState.at_fault == rule, form_problem(RegistrationState.problem)),
        class_name="rule",
    )


def _choice(rule: str, current: rx.Var[str], value: str, name: str, words: str) -> rx.Component:
    return rx.el.label(
        rx.el.input(
            type="radio",
            name=rule,
            value=value,
            default_checked=current == value,
            on_change=lambda _: RegistrationState.choose(rule, value),
        ),
        rx.el.span(rx.el.b(name), rx.el.span(words, class_name="row-detail")),
    )

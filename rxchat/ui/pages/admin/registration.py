"""Registration: who can make an account, and who needs a second factor."""

from __future__ import annotations

import reflex as rx

from rxchat.states.access.registration import RegistrationState
from rxchat.ui.components import admin
from rxchat.ui.components.admin import Choices
from rxchat.ui.pages.admin.frame import admin_page

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportCallIssue=false, reportGeneralTypeIssues=false

_RULES = (
    (
        "registration",
        "Who can make an account",
        (
            ("open", "Anybody", "Whoever reaches this address can make an account by themselves."),
            ("invitation", "Invited users", "Only somebody with a link from an administrator can make an account."),
            ("closed", "Nobody", "No new accounts at all; open invitations rest until this changes."),
        ),
    ),
    (
        "default_role",
        "The role of users who register by themselves",
        (
            ("member", "Member", "They may use every model at once."),
            ("guest", "Guest", "They may use only the models that are given to them under Access."),
        ),
    ),
    (
        "second_factor",
        "Who needs a second factor",
        (
            ("nobody", "Nobody", "Everybody may have one; nobody has to."),
            ("admins", "Administrators", "Administering works only with one, for you, too; chatting works without."),
            ("everybody", "Everybody", "Whoever has none sets one up before anything else, you included."),
        ),
    ),
)


def registration_page() -> rx.Component:
    """The rules, each with what it means; a choice holds at once."""
    return admin_page(
        "Registration",
        RegistrationState,
        admin.lead("How users come in. What you choose holds at once, for everybody."),
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
        Choices.create(
            name=rule,
            label=title,
            choices=[{"value": value, "title": name, "words": words} for value, name, words in choices],
            value=current,
            answers=RegistrationState.answers,
            on_choose=RegistrationState.choose,
        ),
        rx.el.div(
            rx.cond(
                RegistrationState.changed == rule,
                rx.el.p(
                    "Saved. ",
                    rx.el.button("Undo", type="button", on_click=RegistrationState.undo, class_name="toast-action"),
                    class_name="done",
                ),
            ),
            role="status",
        ),
        rx.cond(RegistrationState.at_fault == rule, admin.problem(RegistrationState)),
        class_name="rule",
    )

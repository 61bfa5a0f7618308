"""How accounts come about: the first administrator, open registration, and invitations."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.ui.accounts.cards import (
    OFFER,
    back_to_sign_in,
    card_head,
    card_link,
    card_message,
    card_skeleton,
    has_providers,
    invitation_providers,
    link_token,
    offer_request,
    or_line,
    provider_links,
    sign_in_button,
)
from rxchat.ui.accounts.links import LinkCheck
from rxchat.ui.kit.client_values import ClientValue, fresh, go_to, in_sequence, on_answer
from rxchat.ui.kit.elements import link, main_button
from rxchat.ui.kit.forms import FormStatus, email_field, form_problem, labelled, password_field

_setup, _register, _join = FormStatus("setup"), FormStatus("register"), FormStatus("join")
_setup_link, _invitation = LinkCheck("setup", "setup"), FormStatus("invitation")
_email: ClientValue[str] = ClientValue("register_email", "")
_ACTION, _BUSY = "Create account", "Creating the account…"


def _name_field(status: FormStatus) -> rx.Component:
    return status.field(
        "name",
        "Name",
        missing="Enter your name.",
        auto_complete="name",
        is_first=True,
    )


def _enter() -> Any:
    return on_answer(lambda _: [go_to.call("/")])


def set_up() -> rx.Component:
    """The first administrator's account, behind the link that RxChat prints."""
    needs_link = "This page needs the one-time link that RxChat prints when it starts without accounts."
    form = _setup.form(
        _name_field(_setup),
        email_field(_setup.fields["email"]),
        password_field(_setup.fields["password"], is_new=True),
        _setup.submit(_ACTION, _BUSY),
        action="/api/auth/setup",
        extra={"token": link_token()},
        leaves=True,
        on_done=_enter(),
    )
    page = _setup_link.around(
        _setup,
        rx.fragment(
            card_head("Welcome to RxChat", "Create the first account. It will be the administrator."),
            rx.cond(link_token() == "", form_problem(needs_link), form),
        ),
        card_message(
            "link-2-off",
            "This link is no longer valid",
            "It works for 24 hours, until the first account is created. Sign in, or restart RxChat for a new link.",
            sign_in_button(),
        ),
        needs_token=False,
    )
    return rx.fragment(fresh(_setup), page)


def register() -> rx.Component:
    """An account by oneself, if registration is open."""
    registration = OFFER.data["registration"]
    mailed = rx.fragment(
        "We sent a link to ", rx.el.b(_email.value), ". Open it within 3 days to confirm your address."
    )
    return rx.fragment(
        fresh(_register, _email),
        offer_request(),
        rx.cond(
            _register.succeeded & (_register.data["next"] != "in"),
            rx.cond(
                _register.data["next"] == "mail",
                card_message("mail-check", "Check your inbox", mailed, back_to_sign_in()),
                card_message("circle-check", "One more step", "Sign in to continue.", sign_in_button()),
            ),
            rx.cond(
                OFFER.succeeded,
                rx.match(registration, ("open", _register_form()), ("closed", _closed()), _by_invitation()),
                rx.cond(
                    OFFER.problem != "",
                    _unavailable("Create your account", OFFER, "/api/auth/offer"),
                    card_skeleton("Loading"),
                ),
            ),
        ),
    )


def _closed() -> rx.Component:
    return card_message(
        "door-closed",
        "You need an invitation",
        "New accounts cannot be created at the moment.",
        back_to_sign_in(is_main=True),
    )


def _by_invitation() -> rx.Component:
    lead = "Accounts are created by invitation. Ask an administrator for one."
    return card_message("door-closed", "You need an invitation", lead, back_to_sign_in(is_main=True))


def _unavailable(title: str, status: FormStatus, path: str, **body: Any) -> rx.Component:
    """What is shown while the server does not answer."""
    again = in_sequence(status.request(path, **body))
    return rx.fragment(
        card_head(title),
        form_problem(status.problem),
        rx.el.div(
            main_button("Try again", on_click=again, class_name="button-main wide"), class_name="auth-card-actions"
        ),
    )


def _register_form() -> rx.Component:
    done = on_answer(lambda answer: [rx.cond(answer["next"] == "in", go_to.call("/"), None)])
    return rx.fragment(
        card_head("Create your account", "For your team's private AI chat."),
        _register.form(
            _name_field(_register),
            email_field(_register.fields["email"], on_change=_email.set),
            password_field(_register.fields["password"], is_new=True),
            _register.submit(_ACTION, _BUSY),
            action="/api/auth/register",
            leaves=True,
            on_done=done,
        ),
        rx.cond(has_providers(), rx.el.div(or_line(), provider_links("/"), class_name="other-ways")),
        card_link("Already have an account? ", link("Sign in", to="/sign-in"), is_last=True),
    )


def join() -> rx.Component:
    """An account by invitation."""
    body = {"token": link_token()}
    is_old = (link_token() == "") | (_invitation.code == "not_allowed") | (_join.code == "not_allowed")
    lead = (
        "An invitation works once, within seven days. If you already have an account, sign in. "
        "Otherwise ask the person who invited you for a new link."
    )
    return rx.fragment(
        fresh(_join),
        rx.cond(link_token() != "", _invitation.requested("/api/auth/invitation", body=body)),
        rx.cond(
            is_old,
            card_message("link-2-off", "This invitation is no longer valid", lead, sign_in_button()),
            rx.cond(
                _invitation.succeeded,
                _join_form(),
                rx.cond(
                    _invitation.problem != "",
                    _unavailable("You are invited", _invitation, "/api/auth/invitation", body=body),
                    card_skeleton("Checking the invitation"),
                ),
            ),
        ),
    )


def _join_form() -> rx.Component:
    email = rx.el.input(
        id="email",
        name="email",
        type="email",
        auto_complete="username",
        default_value=_invitation.data["email"].to(str),
        read_only=True,
    )
    return rx.fragment(
        offer_request(),
        card_head("You are invited", "Create your account for your team's private AI chat."),
        _join.form(
            labelled("email", "E-mail", email),
            _name_field(_join),
            password_field(_join.fields["password"], is_new=True),
            _join.submit(_ACTION, _BUSY),
            action="/api/auth/join",
            extra={"token": link_token()},
            leaves=True,
            on_done=_enter(),
        ),
        rx.cond(has_providers(), rx.el.div(or_line(), invitation_providers(), class_name="other-ways")),
    )

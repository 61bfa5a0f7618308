"""A forgotten password, and the links that are mailed: each with a page for a link that is not valid any more."""

from __future__ import annotations

import reflex as rx

from rxchat.ui.accounts.cards import (
    back_to_sign_in,
    card_head,
    card_link,
    card_message,
    card_skeleton,
    link_token,
    sign_in_button,
)
from rxchat.ui.kit.client_values import ClientValue, fresh
from rxchat.ui.kit.elements import icon, link
from rxchat.ui.kit.forms import FormStatus, email_field, password_field


class LinkCheck:
    """Asks whether a link works before its form is filled in; when the server does not answer, the form finds out."""

    def __init__(self, name: str, kind: str) -> None:
        self._status, self._kind = FormStatus(f"{name}_link"), kind

    def around(
        self, status: FormStatus, form: rx.Component, old: rx.Component, *, needs_token: bool = True
    ) -> rx.Component:
        """The form, or what is shown for a link that does not work, as this check or the sent form has found.

        Args:
            status: The status of the form.
            form: The form.
            old: What is shown for a link that does not work.
            needs_token: Whether an address without a token is such a link.
        """
        is_checked = (link_token() == "") | self._status.succeeded | (self._status.problem != "")
        body = {"kind": self._kind, "token": link_token()}
        is_old = (status.code == "not_allowed") | (self._status.code == "not_allowed")
        if needs_token:
            is_old |= link_token() == ""
        return rx.fragment(
            rx.cond(link_token() != "", self._status.requested("/api/auth/link", body=body)),
            rx.cond(
                is_old,
                old,
                rx.cond(is_checked, form, card_skeleton("Checking the link")),
            ),
        )


_forgot, _reset, _confirm = FormStatus("forgot"), FormStatus("reset"), FormStatus("confirm")
_reset_link, _confirmation_link = LinkCheck("reset", "reset"), LinkCheck("confirm", "confirmation")
_email: ClientValue[str] = ClientValue("forgot_email", "")


def forgot() -> rx.Component:
    """Request a link to choose a new password."""
    mailed = rx.fragment(
        "If ",
        rx.el.b(_email.value),
        " belongs to an account, we have sent a link to it. It works for one hour. Check your spam folder, too.",
    )
    without_mail = "This RxChat cannot send e-mail. Ask your administrator for a link to choose a new password."
    asked = rx.cond(
        _forgot.succeeded,
        rx.cond(
            _forgot.data["next"] == "mail",
            card_message("mail-check", "Check your inbox", mailed, back_to_sign_in()),
            card_message("user-round-cog", "Ask your administrator", without_mail, back_to_sign_in()),
        ),
        rx.fragment(
            card_head(
                "Forgot your password?",
                "Enter your e-mail address and we’ll send you a link to choose a new password.",
            ),
            _forgot.form(
                email_field(_forgot.fields["email"], is_first=True, on_change=_email.set),
                _forgot.submit("Send me a link", "Sending…"),
                action="/api/auth/forgot",
            ),
            card_link(back_to_sign_in(), is_last=True),
        ),
    )
    return rx.fragment(fresh(_forgot, _email), asked)


def reset() -> rx.Component:
    """Choose a new password with a link."""
    form = rx.fragment(
        card_head("Choose a new password", "This signs out all sessions and revokes your API keys."),
        _reset.form(
            password_field(_reset.fields["password"], label="New password", is_new=True, is_first=True),
            _reset.submit("Change password", "Changing…"),
            action="/api/auth/reset",
            extra={"token": link_token()},
        ),
        card_link(back_to_sign_in(), is_last=True),
    )
    old = card_message(
        "link-2-off",
        "This link is no longer valid",
        "A password link works once, and expires. Request a new one; your current password still works.",
        link("Request a new link", to="/forgot", class_name="button-main wide"),
        back_to_sign_in(),
    )
    page = rx.cond(
        _reset.succeeded,
        card_message(
            "circle-check",
            "Password changed",
            "All sessions were signed out, and your API keys stopped working.",
            sign_in_button(),
            is_good=True,
        ),
        _reset_link.around(_reset, form, old),
    )
    return rx.fragment(fresh(_reset), page)


def confirm() -> rx.Component:
    """Confirm an address with a link. Mail programs open links to look at them: only a press counts."""
    form = rx.el.div(
        rx.el.span(icon("mail-open", 22, 1.75), class_name="auth-card-icon"),
        card_head("Confirm your address", "Confirm your address to finish creating your account."),
        _confirm.form(
            _confirm.submit("Confirm my address", "Confirming…"),
            action="/api/auth/confirm",
            extra={"token": link_token()},
        ),
        class_name="auth-card-message",
    )
    old = card_message(
        "link-2-off",
        "This link is no longer valid",
        "It was already used, or replaced by a newer one. Sign in with your password: "
        "if your address is not confirmed yet, we will send you a new link.",
        sign_in_button(),
    )
    page = rx.cond(
        _confirm.succeeded,
        card_message(
            "circle-check", "Your address is confirmed", "You can sign in now.", sign_in_button(), is_good=True
        ),
        _confirmation_link.around(_confirm, form, old),
    )
    return rx.fragment(fresh(_confirm), page)

"""Two-factor authentication: an authenticator app, and recovery codes for the day when it is lost.

The secret of the app and the recovery codes come over HTTP and stay in the open dialog; no state knows them.
"""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.states.app.account import AccountState
from rxchat.ui.kit.client_values import encoded, in_sequence, on_answer
from rxchat.ui.kit.dialogs import Dialogs, dialog_actions
from rxchat.ui.kit.elements import CopyButton, anchor, icon, main_button, quiet_button
from rxchat.ui.kit.forms import FormStatus, form_problem
from rxchat.ui.kit.panels import item_line, item_list, line_icon, panel

_dialogs = Dialogs("second_factor_dialog", None)
_begin, _confirm = FormStatus("totp_begin"), FormStatus("totp_confirm")
_remove, _renew = FormStatus("totp_remove"), FormStatus("recovery_codes")
_BEGIN = "/api/me/totp/begin"


def second_factor_panel() -> rx.Component:
    """The authenticator app and the recovery codes, with their dialogs."""
    has_codes = AccountState.has_app | (AccountState.passkeys.length() > 0)
    return panel(
        "Two-factor authentication",
        item_list("Two-factor authentication", _app_line(), rx.cond(has_codes, _codes_line())),
        form_problem(rx.cond(_dialogs.is_open("begin"), "", _begin.problem)),
        *_proofs(),
        _scan(),
        _codes(),
        lead="Protects your account if your password is stolen. A passkey counts as a second factor.",
    )


def _app_line() -> rx.Component:
    scan = on_answer(lambda answer: [_dialogs.opening("scan", answer), _begin.resetting()])
    # The server does not ask for the password again shortly after the sign-in with it.
    is_confirmed = rx.Var("Date.now()", _var_type=int).guess_type() < AccountState.confirmed_until
    set_up = rx.cond(is_confirmed, _begin.request(_BEGIN, {}, scan), _dialogs.opening("begin"))
    has_app = AccountState.has_app
    # One button for both, so that the focus stays on it.
    change = quiet_button(
        rx.cond(has_app, "Remove", "Set up"),
        aria_label=rx.cond(has_app, "Remove the authenticator app", "Set up an authenticator app"),
        on_click=in_sequence(rx.cond(has_app, _dialogs.opening("remove"), set_up)),
    )
    return item_line(
        line_icon("smartphone"),
        "Authenticator app",
        change,
        chip=rx.cond(has_app, "On", ""),
        detail=rx.cond(
            has_app,
            "Sign-in asks for a code from the app.",
            "An app on your phone that shows a code for each sign-in.",
        ),
    )


def _codes_line() -> rx.Component:
    left = AccountState.codes_left
    few = rx.cond(left <= 3, "Create new ones soon.", "Each can replace a code from the app once.")
    none = "None left. Create new ones, so that you can sign in if you lose your phone."
    return item_line(
        line_icon("file-key"),
        "Recovery codes",
        quiet_button("New codes", aria_label="Create new recovery codes", on_click=_dialogs.open("renew")),
        detail=rx.cond(left > 0, f"{left} of 10 left. {few}", none),
    )


def _show_codes(status: FormStatus) -> Any:
    return lambda answer: [_dialogs.open("codes", answer), status.reset(), AccountState.open]


def _proofs() -> tuple[rx.Component, ...]:
    """The dialogs that ask for the password before something changes."""
    has_password = AccountState.profile.has_password
    return (
        _dialogs.proof(
            "begin",
            "Set up two-factor authentication",
            status=_begin,
            has_password=has_password,
            path=_BEGIN,
            words="Continue",
            on_done=on_answer(lambda answer: [_dialogs.opening("scan", answer), _begin.resetting()]),
            lead="Confirm that it is you:",
        ),
        _dialogs.proof(
            "remove",
            "Remove the authenticator app?",
            status=_remove,
            has_password=has_password,
            path="/api/me/totp/remove",
            words="Remove app",
            on_done=lambda _: [_dialogs.close, AccountState.open],
            danger=True,
            lead="Signing in will no longer ask for its codes.",
        ),
        _dialogs.proof(
            "renew",
            "Create new recovery codes?",
            status=_renew,
            has_password=has_password,
            path="/api/me/recovery-codes",
            words="Create new codes",
            on_done=_show_codes(_renew),
            lead="You get ten new codes. Your current ones stop working.",
        ),
    )


def _scan() -> rx.Component:
    offer = _dialogs.subject
    secret = offer["secret"].to(str)
    picture = f"data:image/svg+xml,{encoded.call(offer['picture']).to(str)}"
    form = _confirm.form(
        _confirm.field(
            "code",
            "Code",
            missing="Enter your code.",
            help_text="The six-digit code from the app.",
            is_first=True,
            auto_complete="one-time-code",
            input_mode="numeric",
            class_name="code-input",
            spell_check=False,
            data={"data-secret": ""},
        ),
        dialog_actions(_dialogs.close, _confirm.submit("Turn on", "Checking…")),
        action="/api/me/totp/confirm",
        on_done=_show_codes(_confirm),
    )
    return _dialogs.window(
        "scan",
        "Set up your authenticator app",
        rx.el.div(
            rx.el.img(
                src=picture, alt="QR code for your authenticator app", width="176", height="176", class_name="qr"
            ),
            rx.el.div(
                rx.el.span("Key"),
                rx.el.code(offer["grouped"].to(str)),
                CopyButton.create(text=secret, label="Copy key", with_word=True, class_name="button-quiet"),
                class_name="scan-key",
            ),
            class_name="scan",
        ),
        form,
        lead="Scan this code with the app, or enter the key by hand. Then enter the code that the app shows.",
    )


def _codes() -> rx.Component:
    codes = _dialogs.subject["codes"].to(list[str])
    site = rx.Var("location.host", _var_type=str).guess_type()
    head = f"Recovery codes for RxChat\n{AccountState.profile.email} at {site}"
    use = "Each code works once, in place of your authenticator app."
    file = encoded.call(f"{head}\n\n{use}\n\n{codes.join(chr(10))}\n").to(str)
    return _dialogs.window(
        "codes",
        "Your recovery codes",
        rx.el.ol(
            rx.foreach(codes, lambda code: rx.el.li(rx.el.code(code), key=code)),
            class_name="codes",
            aria_label="Recovery codes",
        ),
        rx.el.div(
            CopyButton.create(text=codes.join("\n"), label="Copy the codes", with_word=True, class_name="button-quiet"),
            anchor(
                icon("download", 14),
                " Download",
                href=f"data:text/plain;charset=utf-8,{file}",
                download="rxchat-recovery-codes.txt",
                class_name="button-quiet",
            ),
            class_name="dialog-tools",
        ),
        rx.el.div(
            main_button("I’ve saved them", on_click=_dialogs.close, custom_attrs={"data-autofocus": ""}),
            class_name="dialog-actions",
        ),
        lead="Use one to sign in when you do not have your authenticator. Each works once. "
        "They will not be shown again: store them like passwords.",
    )

"""The ways to sign in to the account: second factor, passkeys, password, external accounts."""

from __future__ import annotations

import reflex as rx

from rxchat.states.app.account import AccountState
from rxchat.states.app.account_views import PasskeyView, ProviderView
from rxchat.ui.accounts.cards import connection_problem, connection_request, provider_mark
from rxchat.ui.accounts.second_factor import second_factor_panel
from rxchat.ui.kit.client_values import ClientValue, fresh, in_sequence, js_function
from rxchat.ui.kit.dialogs import Dialogs
from rxchat.ui.kit.elements import Moment, focus_soon, icon, quiet_button
from rxchat.ui.kit.forms import FormStatus, password_field
from rxchat.ui.kit.panels import item_line, item_list, line_icon, panel

_dialogs = Dialogs("security_dialog", None)
_password, _passkey, _removal, _identity = (
    FormStatus("change_password"),
    FormStatus("add_passkey"),
    FormStatus("remove_passkey"),
    FormStatus("remove_identity"),
)
_form: ClientValue[str] = ClientValue("password_form", "closed")
"""The form for the password: closed, open or done."""
_has_passkeys = js_function("hasPasskeys", "webauthn.js")
_add_passkey = js_function("addPasskey", "webauthn.js")


def security_section() -> rx.Component:
    """All of them, each in its panel."""
    return rx.fragment(
        second_factor_panel(),
        _passkeys_panel(),
        _password_panel(),
        rx.cond(AccountState.providers.length() > 0, _providers_panel()),
    )


def _passkeys_panel() -> rx.Component:
    is_possible = _has_passkeys.call().to(bool)
    note = "Passkeys need https and a host name; they do not work with an IP address."
    has_password = AccountState.profile.has_password
    return panel(
        "Passkeys",
        rx.cond(is_possible, rx.fragment(), rx.el.p(note, class_name="panel-note")),
        rx.cond(
            AccountState.passkeys.length() > 0,
            item_list("Passkeys", rx.foreach(AccountState.passkeys, _passkey_line)),
        ),
        _dialogs.proof(
            "add passkey",
            "Add a passkey",
            _passkey.field(
                "name",
                "Name",
                identifier="passkey-name",
                missing="Enter a name for it.",
                help_text="A name that tells you later which device it is.",
                default_value=AccountState.this_device,
                is_first=True,
                longest=60,
            ),
            status=_passkey,
            has_password=has_password,
            path="",
            perform=_add_passkey,
            words="Continue",
            busy="Waiting for your browser…",
            on_done=lambda _: [_dialogs.close, AccountState.open],
            lead="Your browser will ask where to store it.",
        ),
        _dialogs.proof(
            "remove passkey",
            f"Remove “{_dialogs.subject['name'].to(str)}”?",
            status=_removal,
            has_password=has_password,
            path=f"/api/me/passkeys/{_dialogs.subject['id'].to(str)}/remove",
            words="Remove passkey",
            on_done=lambda _: [_dialogs.close, AccountState.open],
            danger=True,
            lead="You will no longer be able to sign in with this passkey. Your device may still list it; "
            "you can delete it there.",
        ),
        lead="Sign in with your fingerprint, your face or your device's PIN, without a password.",
        action=rx.cond(
            is_possible,
            quiet_button(icon("plus", 15), " Add a passkey", on_click=_dialogs.open("add passkey")),
        ),
    )


def _passkey_line(item: PasskeyView) -> rx.Component:
    remove = quiet_button(
        "Remove", aria_label=f"Remove the passkey {item.name}", on_click=_dialogs.open("remove passkey", item)
    )
    return item_line(line_icon("fingerprint-pattern"), item.name, remove, key=item.id)


def _password_panel() -> rx.Component:
    has_password = AccountState.profile.has_password
    lead = rx.cond(
        has_password,
        "Changing it signs out all other devices, and your API keys stop working.",
        "You have no password: you sign in with a passkey or an external account. You can also set a password.",
    )
    is_open = _form.value == "open"
    done = rx.fragment(icon("check", 15), " Password changed. All other devices were signed out.")
    return panel(
        "Password",
        fresh(_form),
        rx.el.p(rx.cond(_form.value == "done", done), class_name="saved", role="status"),
        rx.cond(is_open, _password_form()),
        lead=lead,
        action=rx.cond(
            is_open,
            rx.fragment(),
            quiet_button(
                rx.cond(has_password, "Change password", "Set password"),
                on_click=_form.set("open"),
                id="change-password",
            ),
        ),
    )


def _password_form() -> rx.Component:
    has_password = AccountState.profile.has_password
    back = focus_soon.call("#change-password")
    # For password managers, which ask whose password it is.
    user = rx.el.input(
        type="email",
        name="email",
        auto_complete="username",
        default_value=AccountState.profile.email,
        read_only=True,
        hidden=True,
    )
    present = password_field(_password.fields["present"], name="present", label="Current password", is_first=True)
    form = _password.form(
        user,
        rx.cond(has_password, present),
        password_field(_password.fields["wanted"], name="wanted", label="New password", is_new=True),
        rx.el.div(
            _password.submit(rx.cond(has_password, "Change password", "Set password"), "One moment…"),
            quiet_button("Cancel", on_click=in_sequence(_form.assign("closed"), back)),
            class_name="form-actions",
        ),
        action="/api/me/password",
        on_done=lambda _: [in_sequence(_form.assign("done"), back), AccountState.open],
    )
    return rx.el.div(form, class_name="inline-form")


def _providers_panel() -> rx.Component:
    item = _dialogs.subject
    return panel(
        "External accounts",
        item_list("External accounts", rx.foreach(AccountState.providers, _provider_line)),
        connection_problem(),
        _dialogs.proof(
            "disconnect",
            f"Disconnect {item['label'].to(str)}?",
            status=_identity,
            has_password=AccountState.profile.has_password,
            path=f"/api/me/identities/{item['id'].to(str)}/remove",
            words="Disconnect",
            on_done=lambda _: [_dialogs.close, AccountState.open],
            danger=True,
            lead="You will no longer be able to sign in with it.",
        ),
        lead="Sign in with an account of another service.",
    )


def _provider_line(item: ProviderView) -> rx.Component:
    since = rx.fragment("since ", Moment.create(at=item.since, is_day=True))
    connect = connection_request(item.key, {"link": True, "next": "/account/security"})
    is_connected = item.id != ""
    # One button for both, so that the focus stays on it.
    change = quiet_button(
        rx.cond(is_connected, "Disconnect", "Connect"),
        aria_label=rx.cond(is_connected, f"Disconnect {item.label}", f"Connect {item.label}"),
        on_click=in_sequence(rx.cond(is_connected, _dialogs.opening("disconnect", item), connect)),
    )
    return item_line(
        provider_mark(item.key, 18),
        item.label,
        change,
        chip=rx.cond(is_connected, "Connected", ""),
        detail=rx.cond(
            is_connected,
            rx.fragment(rx.cond(item.email == "", "", f"{item.email} · "), since),
            "Not connected",
        ),
        key=rx.cond(is_connected, item.id, item.key),
    )

"""API keys: what programs may do in the user's name."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.states.app.account import AccountState
from rxchat.states.app.account_views import KeyView, ScopeChoice
from rxchat.ui.kit.dialogs import Dialogs, dialog_actions
from rxchat.ui.kit.elements import CopyButton, Moment, empty_state, icon, main_button, quiet_button
from rxchat.ui.kit.forms import FormStatus, labelled, password_field
from rxchat.ui.kit.panels import item_line, item_list, line_icon, panel

_LIFETIMES = (("30", "30 days"), ("90", "90 days"), ("365", "One year"), ("", "Never"))
_dialogs = Dialogs("key_dialog", AccountState)
_created = Dialogs("created_key", None)
_form = FormStatus("new_key")
_now = rx.Var("Date.now()", _var_type=int).guess_type()


def keys_section() -> rx.Component:
    """The keys, and the dialogs to create and to revoke one."""
    create = quiet_button(icon("plus", 15), " New key", on_click=_dialogs.open("new"))
    may_create = rx.cond(AccountState.may_create_keys, create)
    none = rx.cond(
        AccountState.may_create_keys,
        "No API keys yet. Create one for a script, an editor or another program.",
        "Your role cannot create API keys. Ask an administrator if you need one.",
    )
    has_keys = AccountState.keys.length() > 0
    return panel(
        "API keys",
        rx.cond(
            has_keys,
            item_list("API keys", rx.foreach(AccountState.keys, _line)),
            empty_state("key-round", none, may_create),
        ),
        _new_key(),
        _created_key(),
        _dialogs.confirm(
            "revoke",
            f"Revoke “{_dialogs.subject['name'].to(str)}”?",
            "Programs that use this key stop working immediately. You cannot undo this.",
            action="Revoke key",
            on_submit=AccountState.revoke_key,
        ),
        lead="Keys let programs act on your behalf, within the limits you set.",
        action=rx.cond(has_keys, may_create),
    )


def _line(item: KeyView) -> rx.Component:
    used = rx.cond(item.used_at > 0, rx.fragment("last used ", Moment.create(at=item.used_at)), "not used yet")
    expires = rx.fragment("Expires on ", Moment.create(at=item.expires_at, is_day=True))
    is_expired = (item.expires_at > 0) & (item.expires_at <= _now)
    expiry = rx.cond(item.expires_at == 0, "Never expires", rx.cond(is_expired, "Expired", expires))
    return item_line(
        line_icon("key-round"),
        item.name,
        quiet_button("Revoke", on_click=_dialogs.open("revoke", item), aria_label=f"Revoke {item.name}"),
        chip=rx.cond(is_expired, "Expired", ""),
        detail=rx.fragment(
            rx.el.code(f"{item.prefix}…"),
            " · ",
            expiry,
            " · ",
            used,
            rx.el.span(item.permissions, class_name="item-scopes"),
        ),
        key=item.id,
    )


def _new_key() -> rx.Component:
    def created(answer: Any) -> list[Any]:
        # The form's answer contains the secret, which only the dialog may keep.
        return [_created.open("key", answer), _dialogs.close, _form.reset(), AccountState.open]

    lifetimes = rx.el.select(
        *(rx.el.option(words, value=value) for value, words in _LIFETIMES),
        id="key-days",
        name="days",
        default_value="90",
    )
    form = _form.form(
        _form.field(
            "name",
            "Name",
            identifier="key-name",
            missing="Enter a name for the key.",
            help_text="A name that tells you later what the key is for.",
            is_first=True,
        ),
        _scopes(),
        labelled("key-days", "Expires after", lifetimes),
        rx.cond(
            AccountState.profile.has_password,
            password_field(_form.fields["password"], label="Your password", identifier="proof"),
        ),
        dialog_actions(_dialogs.close, _form.submit("Create key", "Creating…")),
        action="/api/me/keys",
        on_done=created,
    )
    return _dialogs.window("new", "New API key", form)


def _scopes() -> rx.Component:
    problem = _form.fields["scopes"]
    return rx.el.fieldset(
        rx.el.legend("Permissions"),
        rx.foreach(AccountState.scopes, _scope),
        rx.cond(problem != "", rx.el.p(problem, id="scopes-problem", class_name="field-problem")),
        name="scopes",
        class_name="field choices",
        aria_describedby="scopes-problem",
        custom_attrs={"data-missing": "Choose at least one."},
    )


def _scope(choice: ScopeChoice) -> rx.Component:
    is_usual = (choice.name == "read") | (choice.name == "chat")
    return rx.el.label(
        rx.el.input(type="checkbox", name="scopes", value=choice.name, default_checked=is_usual),
        rx.el.span(choice.words),
        class_name="choice",
        key=choice.name,
    )


def _created_key() -> rx.Component:
    key = _created.subject["key"].to(str)
    return _created.window(
        "key",
        f"Your key “{_created.subject['name'].to(str)}”",
        rx.el.div(
            rx.el.code(
                key,
                tab_index=0,
                aria_label="The key",
                role="textbox",
                aria_readonly="true",
                custom_attrs={"data-autofocus": ""},
            ),
            CopyButton.create(text=key, label="Copy key", with_word=True, class_name="button-quiet"),
            class_name="secret",
        ),
        rx.el.p("Programs send it as ", rx.el.code("Authorization: Bearer …"), class_name="field-help"),
        rx.el.div(main_button("I’ve copied it", on_click=_created.close), class_name="dialog-actions"),
        lead="Copy it now and store it like a password. It will not be shown again.",
    )

"""Signing in: a password, a passkey or an external account, and the second step if the account has one.

All of it goes over HTTP, since a websocket cannot set cookies; no state knows any of it.
"""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.ui.accounts.cards import (
    OFFER,
    card_head,
    card_link,
    card_message,
    has_providers,
    offer_request,
    or_line,
    provider_links,
)
from rxchat.ui.accounts.problems import problem_words
from rxchat.ui.kit.client_values import ClientValue, fresh, go_to, in_sequence, js_function, on_answer, search_param
from rxchat.ui.kit.elements import icon, link, quiet_button
from rxchat.ui.kit.forms import FormStatus, email_field, form_problem, password_field

_SECRET = {"data-secret": ""}
_CODE: dict[str, Any] = {"spell_check": False, "auto_capitalize": "none", "data": _SECRET}
_CODES: dict[str, dict[str, Any]] = {
    "app": {
        "lead": "Enter the six-digit code from your authenticator app.",
        "field": _CODE
        | {
            "label": "Code",
            "missing": "Enter your code.",
            "auto_complete": "one-time-code",
            "input_mode": "numeric",
            "class_name": "code-input",
        },
        "other": ("Use a recovery code instead", "recovery"),
    },
    "recovery": {
        "lead": "Enter one of your recovery codes. Each works once.",
        "field": _CODE
        | {
            "label": "Recovery code",
            "missing": "Enter your recovery code.",
            "identifier": "recovery-code",
            "class_name": "code-input is-long",
        },
        "other": ("Use your authenticator app instead", "app"),
    },
}
_ENDED = {
    "administrator": "You were signed out by an administrator.",
    "deletion": "You were signed out because this account is scheduled for deletion. You can sign in until then.",
    "elsewhere": "You signed out this session from another device.",
    "password": "You were signed out because the password of this account was changed.",
    "factor": "You were signed out because a second factor was added to this account.",
    "expired": "You were signed out because you were inactive.",
}
"""Why a browser is not signed in any more; the server names the reason."""

_step: ClientValue[str] = ClientValue("sign_in_step", "")
"""The step that was reached on this page; "" at its beginning."""
_first, _second, _start_over = FormStatus("sign_in"), FormStatus("second_factor"), FormStatus("start_over")
_passkey = js_function("signInWithPasskey", "webauthn.js")
_has_passkeys = js_function("hasPasskeys", "webauthn.js")
_same_site_path = js_function("sameSitePath", "words.js")


def sign_in() -> rx.Component:
    """The step of the sign-in that the user has reached."""
    is_new = (search_param("step") == "") & (search_param("problem") == "")
    # A tab that was open while the session got a new cookie was led here, and need not stay.
    leave = on_answer(lambda answer: [rx.cond(answer["is_signed_in"].to(bool) & is_new, go_to.call(_next()), None)])
    # The first step was taken before the page was loaded again.
    is_pending = OFFER.succeeded & (OFFER.data["step"] == "second-factor") & (search_param("problem") == "")
    begun = rx.cond((search_param("step") == "second-factor") | is_pending, "app", "password")
    return rx.fragment(
        fresh(_step, _first, _second, _start_over),
        offer_request(on_done=leave),
        rx.match(
            rx.cond(_step.value == "", begun, _step.value),
            ("app", _code("app")),
            ("recovery", _code("recovery")),
            rx.cond(OFFER.succeeded & ~OFFER.data["is_set_up"].to(bool), _not_set_up(), _password()),
        ),
    )


def _next() -> rx.Var[str]:
    """The page that signing in leads to, whatever the address says one of this site."""
    return _same_site_path.call(rx.cond(search_param("next") == "", "/", search_param("next"))).to(str)


def _signed_in(answer: Any) -> rx.Var:
    return rx.cond(answer["next"] == "second-factor", _step.assign("app"), go_to.call(_next()))


def _not_set_up() -> rx.Component:
    lead = "Open the link that RxChat printed when it started. It creates the first account."
    return card_message("plug-zap", "Not set up yet", lead)


def _password() -> rx.Component:
    is_new_here = OFFER.succeeded & (OFFER.data["registration"] == "open")
    return rx.fragment(
        card_head("Sign in to RxChat", "Your team's private AI chat."),
        rx.cond(
            OFFER.succeeded, rx.match(OFFER.data["ended"], *((why, _notice(why)) for why in _ENDED), rx.fragment())
        ),
        _first.form(
            email_field(_first.fields["email"], is_first=True),
            password_field(_first.fields["password"]),
            _first.submit("Sign in", "Signing in…"),
            action="/api/auth/sign-in",
            problem=problem_words(search_param("problem")),
            on_done=on_answer(lambda answer: [_signed_in(answer)]),
            key="password",
        ),
        card_link(link("Forgot your password?", to="/forgot")),
        rx.cond(
            has_providers() | _has_passkeys.call().to(bool),
            rx.el.div(
                or_line(),
                provider_links(_next()),
                _passkey_button("Sign in with a passkey", _first, is_second=False),
                class_name="other-ways",
            ),
        ),
        rx.cond(is_new_here, card_link("New here? ", link("Create an account", to="/register"), is_last=True)),
    )


def _notice(why: str) -> rx.Component:
    return rx.el.p(_ENDED[why], role="status", class_name="auth-card-notice")


def _passkey_button(words: str, status: FormStatus, *, is_second: bool) -> rx.Component:
    signed_in = on_answer(lambda answer: [_signed_in(answer)])
    press = status.request("", {"isSecondStep": is_second}, signed_in, _passkey)
    return rx.cond(
        _has_passkeys.call().to(bool),
        rx.el.button(
            icon("fingerprint-pattern", 17, 1.75),
            f" {words}",
            type="button",
            class_name="button-quiet wide",
            disabled=status.wait > 0,
            aria_disabled=status.busy,
            on_click=in_sequence(press),
        ),
    )


def _code(kind: str) -> rx.Component:
    words = _CODES[kind]
    other, to = words["other"]
    start_over = _start_over.request("/api/auth/start-over", {}, _step.set("password"))
    return rx.fragment(
        card_head("One more step", words["lead"]),
        _second.form(
            _second.field("code", is_first=True, **words["field"]),
            _second.submit("Continue", "Checking…"),
            action="/api/auth/second-factor",
            on_done=on_answer(lambda answer: [_signed_in(answer)]),
            key=kind,
        ),
        rx.el.div(
            or_line(),
            _passkey_button("Use a passkey", _second, is_second=True),
            quiet_button(other, on_click=_step.set(to), class_name="button-quiet wide"),
            class_name="other-ways",
        ),
        card_link(
            rx.el.button(
                "Use another account", type="button", class_name="link-button", on_click=in_sequence(start_over)
            ),
            is_last=True,
        ),
        form_problem(_start_over.problem),
    )

"""The forms for users who are not signed in.

They post to RxChat's own routes, since a websocket cannot set cookies.
"""

from __future__ import annotations

import reflex as rx

from rxchat.ui.client import ClientComponent, module


class SignIn(ClientComponent):
    """A password, a passkey or an account elsewhere, and the second step."""

    library = module("sign-in.jsx")
    tag = "SignIn"


class SetUp(ClientComponent):
    """The first administrator."""

    library = module("account-form.jsx")
    tag = "SetUp"


class Register(ClientComponent):
    """An account by oneself, where that is open."""

    library = module("account-form.jsx")
    tag = "Register"


class Join(ClientComponent):
    """An account by invitation."""

    library = module("account-form.jsx")
    tag = "Join"


class Forgot(ClientComponent):
    """Asking for a link for a new password."""

    library = module("link-pages.jsx")
    tag = "Forgot"


class Reset(ClientComponent):
    """Choosing a new password with such a link."""

    library = module("link-pages.jsx")
    tag = "Reset"


class Confirm(ClientComponent):
    """Confirming an address."""

    library = module("link-pages.jsx")
    tag = "Confirm"


def entry_form(form: type[ClientComponent]) -> rx.Component:
    """One of these forms."""
    return form.create()

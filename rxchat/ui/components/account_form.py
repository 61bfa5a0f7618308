"""The forms for people who are not signed in."""

from __future__ import annotations

from typing import Literal

import reflex as rx

from rxchat.ui.client import ClientComponent, module


class AccountForm(ClientComponent):
    """Posts to RxChat's own routes, since a websocket cannot set cookies."""

    library = module("account-form.jsx")
    tag = "AccountForm"

    kind: rx.Var[str]


def account_form(kind: Literal["sign-in", "setup"]) -> rx.Component:
    """The form of that name."""
    return AccountForm.create(kind=kind)

"""The pages for people who are not signed in."""

from __future__ import annotations

import reflex as rx

from rxchat.ui.components.account_form import account_form
from rxchat.ui.layout import card


def sign_in_page() -> rx.Component:
    """E-mail and password."""
    return card("Sign in to RxChat", "Your team's private AI chat.", account_form("sign-in"))


def setup_page() -> rx.Component:
    """The first administrator's account, behind the one-time link that RxChat prints."""
    return card("Welcome to RxChat", "Create the first account. It will be the administrator.", account_form("setup"))

"""The pages for users who are not signed in."""

from __future__ import annotations

import reflex as rx

from rxchat.ui.components.sign_in import Confirm, Forgot, Join, Register, Reset, SetUp, SignIn, entry_form
from rxchat.ui.layout import card


def sign_in_page() -> rx.Component:
    """Every way to sign in."""
    return card(entry_form(SignIn))


def setup_page() -> rx.Component:
    """The first administrator's account, behind the one-time link that RxChat prints."""
    return card(entry_form(SetUp))


def register_page() -> rx.Component:
    """An account by oneself, where that is open."""
    return card(entry_form(Register))


def join_page() -> rx.Component:
    """An account by invitation."""
    return card(entry_form(Join))


def forgot_page() -> rx.Component:
    """Asking for a link for a new password."""
    return card(entry_form(Forgot))


def reset_page() -> rx.Component:
    """Choosing a new password with that link."""
    return card(entry_form(Reset))


def confirm_page() -> rx.Component:
    """Confirming an address with the link that came by mail."""
    return card(entry_form(Confirm))

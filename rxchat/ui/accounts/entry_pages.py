"""The pages for users who are not signed in."""

from __future__ import annotations

import reflex as rx

from rxchat.ui.accounts import links, registration, sign_in
from rxchat.ui.kit.elements import Behaviours
from rxchat.ui.layout import card


def _page(content: rx.Component) -> rx.Component:
    return card(Behaviours.create(), content)


def sign_in_page() -> rx.Component:
    """Every way to sign in."""
    return _page(sign_in.sign_in())


def setup_page() -> rx.Component:
    """The first administrator's account, behind the one-time link that RxChat prints."""
    return _page(registration.set_up())


def register_page() -> rx.Component:
    """An account by oneself, where that is open."""
    return _page(registration.register())


def join_page() -> rx.Component:
    """An account by invitation."""
    return _page(registration.join())


def forgot_page() -> rx.Component:
    """Asking for a link for a new password."""
    return _page(links.forgot())


def reset_page() -> rx.Component:
    """Choosing a new password with that link."""
    return _page(links.reset())


def confirm_page() -> rx.Component:
    """Confirming an address with the link that came by mail."""
    return _page(links.confirm())

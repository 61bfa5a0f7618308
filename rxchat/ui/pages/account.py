"""The pages of one's own account: one address for each section."""

from __future__ import annotations

import reflex as rx

from rxchat.ui.chat.topbar import page_bar
from rxchat.ui.components.account import Section, account_section
from rxchat.ui.layout import page_shell


def _page(section: Section) -> rx.Component:
    return page_shell(page_bar("Account"), account_section(section))


def profile_page() -> rx.Component:
    """Who one is here."""
    return _page("profile")


def security_page() -> rx.Component:
    """How one signs in."""
    return _page("security")


def sessions_page() -> rx.Component:
    """Where one is signed in."""
    return _page("sessions")


def keys_page() -> rx.Component:
    """What programs may do in one's name."""
    return _page("keys")


def data_page() -> rx.Component:
    """All of one's data, and the end of the account."""
    return _page("data")

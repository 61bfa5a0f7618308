"""The pages of the user's own account: one address for each section."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.ui.accounts.api_keys import keys_section
from rxchat.ui.accounts.data import data_section
from rxchat.ui.accounts.frame import account_frame
from rxchat.ui.accounts.imports import imports_section
from rxchat.ui.accounts.preferences import preferences_section
from rxchat.ui.accounts.profile import profile_section
from rxchat.ui.accounts.quotas import quotas_section
from rxchat.ui.accounts.security import security_section
from rxchat.ui.accounts.sessions import sessions_section
from rxchat.ui.chat.topbar import page_bar
from rxchat.ui.layout import page_shell


def _page(section: str, content: rx.Component, **options: Any) -> rx.Component:
    return page_shell(page_bar("Account"), account_frame(section, content, **options))


def profile_page() -> rx.Component:
    """Name, address and role."""
    return _page("Profile", profile_section())


def preferences_page() -> rx.Component:
    """What the user prefers."""
    return _page("Preferences", preferences_section())


def security_page() -> rx.Component:
    """The ways to sign in."""
    return _page("Security", security_section(), is_security=True)


def sessions_page() -> rx.Component:
    """The sessions."""
    return _page("Sessions", sessions_section())


def keys_page() -> rx.Component:
    """The API keys."""
    return _page("API keys", keys_section())


def quotas_page() -> rx.Component:
    """How much the user may still ask of models."""
    return _page("Quotas", quotas_section())


def import_page() -> rx.Component:
    """Conversations from other systems, and the ways out."""
    return _page("Import and export", imports_section())


def data_page() -> rx.Component:
    """All of the user's data, and the end of the account."""
    return _page("My data", data_section())

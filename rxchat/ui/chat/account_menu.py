"""The account menu: account, administration, theme, sign out."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex.style import color_mode, resolved_color_mode, set_color_mode

from rxchat.states.platform.current_user import CurrentUserState
from rxchat.ui.chat.shortcuts import open_shortcuts
from rxchat.ui.kit.client_values import ClientValue, in_sequence, js_function
from rxchat.ui.kit.elements import icon, icon_button, menu, menu_item, opens

_MENU = "account-menu"
_THEMES = (("light", "Light", "sun"), ("dark", "Dark", "moon"), ("system", "System", "monitor"))
_sign_out = js_function("signOut", "sidebar.js")


def theme_button() -> rx.Component:
    """A button for the other theme."""
    return rx.cond(
        resolved_color_mode == "dark",
        _theme_button("sun", "Use the light theme", "light"),
        _theme_button("moon", "Use the dark theme", "dark"),
    )


def _theme_button(icon_name: str, label: str, theme: str) -> rx.Component:
    return icon_button(icon_name, label, side="left", look="theme-button", on_click=set_color_mode(theme))


def account_menu(drawer: ClientValue[bool]) -> rx.Component:
    """The account menu, and the button that opens it; going to a page closes the drawer."""
    name = rx.cond(CurrentUserState.name != "", CurrentUserState.name, CurrentUserState.email)
    themes = [
        menu_item(
            _MENU,
            picture,
            rx.el.span(words, class_name="grow text-left"),
            checked=color_mode == theme,
            on_click=set_color_mode(theme),
        )
        for theme, words, picture in _THEMES
    ]

    def goes_to(icon_name: str, words: str, path: Any) -> rx.Component:
        return menu_item(_MENU, icon_name, words, on_click=[drawer.set(False), rx.redirect(path)])

    return rx.el.div(
        rx.el.button(
            rx.el.span(name.upper()[0], class_name="avatar", aria_hidden="true"),
            rx.el.span(name, class_name="account-name"),
            icon("chevrons-up-down", 15, class_name="text-muted"),
            type="button",
            class_name="account",
            custom_attrs=opens(_MENU),
        ),
        menu(
            _MENU,
            "Account",
            rx.cond(CurrentUserState.email != "", rx.el.p(CurrentUserState.email, class_name="menu-note")),
            goes_to("circle-user-round", "Account", "/account"),
            goes_to("settings-2", "Preferences", "/account/preferences"),
            goes_to("bot", "Assistants", "/assistants"),
            goes_to("archive", "Archive and trash", "/archive"),
            rx.cond(
                CurrentUserState.admin_home != "",
                goes_to("shield-check", "Administration", CurrentUserState.admin_home),
            ),
            rx.el.hr(class_name="menu-line"),
            *themes,
            rx.el.hr(class_name="menu-line"),
            menu_item(_MENU, "keyboard", "Keyboard shortcuts", on_click=open_shortcuts),
            menu_item(_MENU, "log-out", "Sign out", on_click=in_sequence(_sign_out.call())),
            placement="top-start",
        ),
        class_name="menu-root",
    )

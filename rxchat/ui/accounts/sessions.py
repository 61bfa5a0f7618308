"""The user's sessions."""

from __future__ import annotations

import reflex as rx

from rxchat.states.app.account import AccountState
from rxchat.states.app.account_views import SessionView
from rxchat.ui.kit.elements import Moment, quiet_button
from rxchat.ui.kit.panels import item_line, item_list, line_icon, panel

_METHODS = (
    ("", ""),
    ("password", " with a password"),
    ("passkey", " with a passkey"),
    ("github", " with GitHub"),
    ("apple", " with Apple"),
    ("oidc", " with single sign-on"),
)


def sessions_section() -> rx.Component:
    """All sessions, and the button that ends all but this one."""
    end_others = quiet_button("Sign out all other sessions", on_click=AccountState.end_others)
    lead = rx.cond(
        AccountState.has_other_sessions,
        "If you do not recognize a session, sign it out and change your password.",
        "No other sessions.",
    )
    return panel(
        "Where you are signed in",
        item_list("Sessions", rx.foreach(AccountState.sessions, _line)),
        lead=lead,
        action=rx.cond(AccountState.has_other_sessions, end_others),
    )


def _line(session: SessionView) -> rx.Component:
    name = rx.cond(session.kind == "program", f"A program ({session.device})", session.device)
    mark = rx.cond(
        session.kind == "program",
        line_icon("square-terminal"),
        rx.cond(session.is_handheld, line_icon("smartphone"), line_icon("monitor")),
    )
    end = quiet_button(
        "Sign out", aria_label=f"Sign out {name}, {session.address}", on_click=AccountState.end_session(session.id)
    )
    return item_line(
        mark,
        name,
        rx.cond(session.is_this, rx.fragment(), end),
        chip=rx.cond(session.is_this, "This device", ""),
        detail=rx.fragment(
            rx.cond(session.address == "", "", f"{session.address} · "),
            rx.cond(session.is_this, "active now", rx.fragment("last seen ", Moment.create(at=session.seen_at))),
            " · signed in ",
            Moment.create(at=session.began_at),
            rx.match(session.method, *_METHODS, f" with {session.method}"),
        ),
        key=session.id,
    )

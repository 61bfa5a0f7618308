"""Notices: a lost connection, the server's troubles, a deletion that can be undone."""

from __future__ import annotations

import reflex as rx

from rxchat.states.chat.sidebar import SidebarState
from rxchat.states.chat.thread import ThreadState
from rxchat.states.platform.current_user import CurrentUserState
from rxchat.ui.client import ClientComponent, module


class ConnectionNotice(ClientComponent):
    """Says when the websocket is gone, in place of Reflex's own overlay."""

    library = module("notices.jsx")
    tag = "ConnectionNotice"


class Banner(ClientComponent):
    """One sentence about something that is wrong on the server's side."""

    library = module("notices.jsx")
    tag = "Banner"

    problem: rx.Var[str]
    notice: rx.Var[str]
    readings: rx.Var[str]


class Toasts(ClientComponent):
    """What happened elsewhere, with Undo where something was removed."""

    library = module("notices.jsx")
    tag = "Toasts"

    removed_title: rx.Var[str]
    on_undo: rx.EventHandler[rx.event.no_args_event_spec]
    on_dismiss: rx.EventHandler[rx.event.no_args_event_spec]


def banners() -> rx.Component:
    """The lines that float over the thread's top."""
    return rx.el.div(
        ConnectionNotice.create(),
        Banner.create(problem=ThreadState.problem, notice=ThreadState.model_notice, readings=CurrentUserState.readings),
        class_name="notices",
    )


def toasts() -> rx.Component:
    """What floats at the bottom for a while."""
    return Toasts.create(
        removed_title=SidebarState.removed_title,
        on_undo=SidebarState.undo_remove,
        on_dismiss=SidebarState.dismiss_removed,
    )

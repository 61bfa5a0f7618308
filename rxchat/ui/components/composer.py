"""The composer: where the person writes, and stops an answer."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.states.thread import ThreadState
from rxchat.states.viewer import ViewerState
from rxchat.ui.client import ClientComponent, module


def _text_and_id(text: rx.Var[str], client_id: rx.Var[str]) -> tuple[rx.Var[str], rx.Var[str]]:
    """The arguments of a send."""
    return (text, client_id)


class Composer(ClientComponent):
    """The box at the bottom; it keeps its drafts in the browser."""

    library = module("composer.jsx")
    tag = "Composer"

    run: rx.Var[dict[str, Any]]
    model: rx.Var[str]
    viewer: rx.Var[str]
    accepted: rx.Var[str]
    on_send: rx.EventHandler[_text_and_id]
    on_stop: rx.EventHandler[rx.event.no_args_event_spec]


def composer() -> rx.Component:
    """The composer of the conversation on screen."""
    return Composer.create(
        run=ThreadState.run,
        model=ThreadState.model,
        viewer=ViewerState.email,
        accepted=ThreadState.accepted,
        on_send=ThreadState.send,
        on_stop=ThreadState.stop,
    )

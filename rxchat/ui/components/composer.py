"""The composer: where the user writes, and stops an answer."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.states.chat.context_sources import ContextSourcesState
from rxchat.states.chat.thread import ThreadState
from rxchat.states.platform.current_user import CurrentUserState
from rxchat.ui.client import ClientComponent, module


def _one_text(value: rx.Var[str]) -> tuple[rx.Var[str]]:
    """The arguments of an event that names one thing."""
    return (value,)


def _id_and_text(message_id: rx.Var[str], text: rx.Var[str]) -> tuple[rx.Var[str], rx.Var[str]]:
    """The arguments of a change."""
    return (message_id, text)


def _id_and_part(message_id: rx.Var[str], part: rx.Var[str]) -> tuple[rx.Var[str], rx.Var[str]]:
    """The arguments of a reading."""
    return (message_id, part)


class Composer(ClientComponent):
    """The box at the bottom, with what is attached; it keeps its drafts in the browser."""

    library = module("composer.jsx")
    tag = "Composer"

    run: rx.Var[dict[str, Any]]
    model: rx.Var[str]
    current_user: rx.Var[str]
    context_sources: rx.Var[list[dict[str, str]]]
    context_sources_of: rx.Var[str]
    choices: rx.Var[list[dict[str, str]]]
    searched: rx.Var[str]
    on_stop: rx.EventHandler[_one_text]
    on_find: rx.EventHandler[_one_text]
    on_detach: rx.EventHandler[_one_text]


class Queue(ClientComponent):
    """What was sent while an answer is being written, and waits for its turn."""

    library = module("queue.jsx")
    tag = "Queue"

    piece: rx.Var[dict[str, Any]]
    run: rx.Var[dict[str, Any]]
    current_user: rx.Var[str]
    on_change: rx.EventHandler[_id_and_text]
    on_read: rx.EventHandler[_id_and_part]
    on_withdraw: rx.EventHandler[_one_text]
    on_next: rx.EventHandler[rx.event.no_args_event_spec]


def queue() -> rx.Component:
    """The messages that wait in the conversation on screen."""
    return Queue.create(
        piece=ThreadState.waiting_text,
        run=ThreadState.run,
        current_user=CurrentUserState.email,
        on_change=ThreadState.change_waiting,
        on_read=ThreadState.read_waiting,
        on_withdraw=ThreadState.withdraw,
        on_next=ThreadState.ask_next,
    )


def composer() -> rx.Component:
    """The composer of the conversation on screen."""
    return Composer.create(
        run=ThreadState.run,
        model=ThreadState.model,
        current_user=CurrentUserState.email,
        context_sources=ContextSourcesState.attached,
        context_sources_of=ContextSourcesState.of,
        choices=ContextSourcesState.choices,
        searched=ContextSourcesState.searched,
        on_stop=ThreadState.stop,
        on_find=ContextSourcesState.find,
        on_detach=ContextSourcesState.detach,
    )

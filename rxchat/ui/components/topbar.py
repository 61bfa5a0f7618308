"""The bar above the thread: its title, and the model that answers."""

from __future__ import annotations

import reflex as rx

from rxchat.states.chat.thread import ModelChoice, ThreadState
from rxchat.ui.client import ClientComponent, module


def _name(name: rx.Var[str]) -> tuple[rx.Var[str]]:
    """The arguments of a choice."""
    return (name,)


class TopBar(ClientComponent):
    """Title, model picker, theme."""

    library = module("topbar.jsx")
    tag = "TopBar"

    title: rx.Var[str]
    models: rx.Var[list[ModelChoice]]
    model: rx.Var[str]
    on_choose: rx.EventHandler[_name]


def topbar() -> rx.Component:
    """The bar of the conversation on screen."""
    return TopBar.create(
        title=ThreadState.title,
        models=ThreadState.models,
        model=ThreadState.model,
        on_choose=ThreadState.choose_model,
    )

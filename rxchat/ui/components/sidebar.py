"""The sidebar: the user's conversations and their account."""

from __future__ import annotations

import reflex as rx

from rxchat.states.chat.sidebar import Group, SidebarState
from rxchat.states.platform.current_user import CurrentUserState
from rxchat.ui.client import ClientComponent, module


def _id(conversation_id: rx.Var[str]) -> tuple[rx.Var[str]]:
    """The arguments of an event about one conversation."""
    return (conversation_id,)


def _id_and_title(conversation_id: rx.Var[str], title: rx.Var[str]) -> tuple[rx.Var[str], rx.Var[str]]:
    """The arguments of a rename."""
    return (conversation_id, title)


class Sidebar(ClientComponent):
    """New chat, conversations by age, the account menu."""

    library = module("sidebar.jsx")
    tag = "Sidebar"

    groups: rx.Var[list[Group]]
    running: rx.Var[list[str]]
    loaded: rx.Var[bool]
    name: rx.Var[str]
    email: rx.Var[str]
    must_enrol: rx.Var[bool]
    admin_home: rx.Var[str]
    on_rename: rx.EventHandler[_id_and_title]
    on_remove: rx.EventHandler[_id]


def sidebar() -> rx.Component:
    """The sidebar with the user's conversations."""
    return Sidebar.create(
        groups=SidebarState.groups,
        running=SidebarState.running,
        loaded=SidebarState.loaded,
        name=CurrentUserState.name,
        email=CurrentUserState.email,
        must_enrol=CurrentUserState.must_enrol,
        admin_home=CurrentUserState.admin_home,
        on_rename=SidebarState.rename,
        on_remove=SidebarState.remove,
    )

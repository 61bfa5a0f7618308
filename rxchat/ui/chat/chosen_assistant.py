"""The assistant of a conversation in the top bar, on the page of a new one, and in the menu of models."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.states.chat.chosen_assistant import AssistantChoice, ChosenAssistantState
from rxchat.states.chat.thread import ThreadState
from rxchat.ui.kit.elements import icon, menu, menu_item, opens

_MENU = "assistant-menu"


def assistant_sign(sign: Any, look: str = "") -> rx.Component:
    """The icon of an assistant, or the first letter of its name."""
    return rx.el.span(sign, class_name=f"assistant-sign {look}".strip(), aria_hidden="true")


def assistant_chip() -> rx.Component:
    """The assistant of the conversation on screen, with what can be done with it."""
    name, state = ChosenAssistantState.name, ChosenAssistantState
    is_old = (state.newest > 0) & (state.newest != state.version)
    chip = rx.el.button(
        assistant_sign(state.sign),
        rx.el.span("Assistant ", class_name="sr-only"),
        rx.el.span(name, class_name="truncate project-name"),
        rx.el.span(f"version {state.version}", class_name="sr-only"),
        rx.cond(is_old | (state.newest == 0), rx.el.span(class_name="assistant-news")),
        type="button",
        class_name="project-chip assistant-chip",
        title=f"Assistant: {name}",
        custom_attrs=opens(_MENU),
    )
    return rx.cond(state.id != "", rx.el.div(chip, _menu(is_old), class_name="menu-root assistant-root"))


def _menu(is_old: Any) -> rx.Component:
    state, conversation_id = ChosenAssistantState, ThreadState.conversation_id
    gone = "It was deleted, or is no longer shared with you. This conversation keeps what it has."
    return menu(
        _MENU,
        f"Assistant {state.name}",
        rx.el.p(f"{state.name}, version {state.version}", class_name="menu-note"),
        rx.cond(state.newest == 0, rx.el.p(gone, class_name="menu-note")),
        rx.cond(
            is_old,
            menu_item(
                _MENU,
                "refresh-cw",
                f"Use the newest version ({state.newest})",
                on_click=state.use_newest(conversation_id),
            ),
        ),
        rx.cond(
            state.newest > 0,
            menu_item(
                _MENU, "square-pen", f"New chat with {state.name}", on_click=rx.redirect(f"/?assistant={state.id}")
            ),
        ),
        menu_item(_MENU, "bot", "All assistants", on_click=rx.redirect("/assistants")),
        menu_item(_MENU, "x", "Continue without it", on_click=state.leave(conversation_id)),
        placement="bottom-start",
    )


def assistant_of_new() -> rx.Component:
    """Who answers in the conversation that the page is for."""
    words = rx.el.p(
        assistant_sign(ChosenAssistantState.sign),
        rx.el.span("New chat with "),
        rx.el.b(ChosenAssistantState.name, class_name="truncate"),
        class_name="topbar-project",
        role="status",
    )
    return rx.cond(ChosenAssistantState.id != "", words)


def assistant_items(menu_id: str, words: Any) -> rx.Component:
    """The items of the menu of models for a new chat: those whose names contain the words of its filter."""
    return rx.el.div(
        rx.el.p("Assistants", class_name="menu-note"),
        rx.foreach(ChosenAssistantState.choices, lambda item, _number: _choice(menu_id, item, words)),
        menu_item(menu_id, "bot", "All assistants…", on_click=rx.redirect("/assistants")),
        class_name="menu-foot",
        role="menu",
        aria_label="Assistants",
    )


def _choice(menu_id: str, item: rx.Var[AssistantChoice], words: Any) -> rx.Component:
    fits: Any = item.name.lower().contains(words.lower())
    return rx.fragment(
        rx.cond(
            fits,
            menu_item(
                menu_id,
                "",
                assistant_sign(item.sign),
                rx.el.span(item.name, class_name="grow truncate"),
                rx.cond(ChosenAssistantState.id == item.id, icon("check", class_name="text-link shrink-0")),
                checked=ChosenAssistantState.id == item.id,
                on_click=rx.redirect(f"/?assistant={item.id}"),
            ),
        ),
        key=item.id,
    )

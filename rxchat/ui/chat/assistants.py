"""The page of assistants: the list, and what can be done with each."""

from __future__ import annotations

import reflex as rx

from rxchat.states.chat.assistant_views import AssistantView
from rxchat.states.chat.assistants import AssistantsState
from rxchat.ui.chat.assistant_dialogs import assistant_dialogs, dialogs
from rxchat.ui.chat.chosen_assistant import assistant_sign
from rxchat.ui.chat.topbar import page_bar
from rxchat.ui.kit.client_values import ClientValue
from rxchat.ui.kit.elements import (
    Moment,
    badge,
    icon,
    link,
    main_button,
    menu_item,
    passes_focus,
    skeleton,
)
from rxchat.ui.kit.forms import form_problem
from rxchat.ui.kit.inputs import search_box
from rxchat.ui.kit.library import actions_button, actions_menu, recently_deleted
from rxchat.ui.layout import page_shell

_MENU = "assistants-menu"
_FILTERS = (("all", "All"), ("mine", "Mine"), ("shared", "Shared with me"))
_pressed: ClientValue = ClientValue("assistant_pressed", {"id": "", "name": "", "is_own": True}, AssistantView)
"""The assistant whose menu was opened last."""


def assistants_page() -> rx.Component:
    """The list."""
    return page_shell(
        page_bar("Assistants"),
        rx.el.div(
            rx.el.div(
                rx.el.h1("Assistants", class_name="sr-only", tab_index=-1),
                rx.cond(AssistantsState.problem_dialog == 0, form_problem(AssistantsState.problem)),
                rx.cond(
                    AssistantsState.loaded,
                    rx.fragment(rx.cond(AssistantsState.count > 0, _list(), _welcome()), _recently_deleted()),
                    skeleton("Loading assistants", 40, 84, 72, 90, 66),
                ),
                class_name="prompts",
            ),
            class_name="documents-scroll",
        ),
        _row_menu(),
        assistant_dialogs(),
    )


def _list() -> rx.Component:
    nothing = rx.el.p("No assistants match.", class_name="text-muted prompts-none", role="status")
    return rx.fragment(
        rx.el.div(
            search_box("Search assistants", "Search", AssistantsState.search),
            main_button(icon("plus", 16), " New assistant", on_click=dialogs.open("edit", {"id": ""})),
            class_name="prompts-head",
        ),
        rx.el.div(
            *(_filter(value, words) for value, words in _FILTERS),
            role="group",
            aria_label="Which are shown",
            class_name="assistant-filters",
        ),
        rx.cond(
            AssistantsState.assistants.length() > 0,
            rx.el.ul(rx.foreach(AssistantsState.assistants, _line), class_name="prompt-list", aria_label="Assistants"),
            nothing,
        ),
    )


def _filter(value: str, words: str) -> rx.Component:
    is_on = AssistantsState.shown == value
    return rx.el.button(
        words,
        type="button",
        class_name="assistant-filter",
        aria_pressed=rx.cond(is_on, "true", "false"),
        on_click=AssistantsState.filter_by(value),
    )


def _line(item: rx.Var[AssistantView]) -> rx.Component:
    shared = rx.cond(item.is_shared, "Shared", rx.cond(item.is_own, "", "Shared with you"))
    return rx.el.li(
        link(
            assistant_sign(item.sign, "is-large"),
            rx.el.span(
                rx.el.span(
                    rx.el.span(item.name, class_name="prompt-name"),
                    rx.cond(shared != "", badge(shared)),
                    class_name="prompt-title",
                ),
                rx.cond(item.description != "", rx.el.span(item.description, class_name="prompt-description")),
                rx.el.span(
                    rx.cond(item.model != "", f"{item.model} · ", ""),
                    f"Version {item.version} · changed ",
                    Moment.create(at=item.at),
                    class_name="prompt-facts",
                ),
                class_name="assistant-words",
            ),
            to=f"/?assistant={item.id}",
            class_name="prompt-open assistant-open",
            title=f"New chat with {item.name}",
        ),
        actions_button(_MENU, _pressed, item, item.name),
        class_name="prompt-line",
        custom_attrs={"ref": passes_focus},
        key=item.id,
    )


def _row_menu() -> rx.Component:
    """One menu for all lines: it is about the assistant whose button opened it."""
    item = _pressed.value
    return actions_menu(
        _MENU,
        AssistantsState,
        dialogs,
        item,
        item.name,
        menu_item(_MENU, "square-pen", "New chat", on_click=rx.redirect(f"/?assistant={item.id}")),
    )


def _welcome() -> rx.Component:
    return rx.el.section(
        rx.el.span(icon("bot", 26, 1.5), class_name="documents-mark"),
        rx.el.h2("Assistants for what you do often"),
        rx.el.p(
            "An assistant is a model with a task: its instructions, its parameters, the documents that it draws on, and"
            " messages to begin with. Choose it for a new chat, and share it with your group."
        ),
        main_button("Create your first assistant", on_click=dialogs.open("edit", {"id": ""})),
        class_name="documents-welcome prompts-welcome",
    )


def _recently_deleted() -> rx.Component:
    words = "Deleted assistants can be restored for 30 days, with their versions."
    return recently_deleted(AssistantsState.deleted, words, dialogs, AssistantsState.restore, lambda item: item.name)

"""The page of assistants: the list, and what can be done with each."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.states.chat.assistant_views import AssistantView, DeletedAssistantView
from rxchat.states.chat.assistants import AssistantsState
from rxchat.ui.chat.assistant_dialogs import assistant_dialogs, dialogs
from rxchat.ui.chat.chosen_assistant import assistant_sign
from rxchat.ui.chat.topbar import page_bar
from rxchat.ui.kit.client_values import ClientValue
from rxchat.ui.kit.elements import (
    Moment,
    badge,
    icon,
    icon_button,
    link,
    main_button,
    menu,
    menu_item,
    opens,
    passes_focus,
    quiet_button,
    skeleton,
)
from rxchat.ui.kit.forms import form_problem
from rxchat.ui.kit.inputs import search_box
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
        rx.el.button(
            icon("ellipsis", 18, 1.75),
            type="button",
            class_name="icon-button",
            aria_label=f"Actions for {item.name}",
            on_click=_pressed.set(item),
            custom_attrs=opens(_MENU),
        ),
        class_name="prompt-line",
        custom_attrs={"ref": passes_focus},
        key=item.id,
    )


def _row_menu() -> rx.Component:
    """One menu for all lines: it is about the assistant whose button opened it."""
    item = _pressed.value
    own = rx.fragment(
        rx.cond(AssistantsState.may_share, menu_item(_MENU, "share-2", "Share", on_click=dialogs.open("share", item))),
        rx.el.hr(class_name="menu-line"),
        menu_item(_MENU, "trash-2", "Delete", danger=True, on_click=AssistantsState.remove(item.id)),
    )
    return menu(
        _MENU,
        f"Actions for {item.name}",
        menu_item(_MENU, "square-pen", "New chat", on_click=rx.redirect(f"/?assistant={item.id}")),
        rx.cond(
            item.may_write,
            rx.fragment(
                menu_item(_MENU, "pencil", "Edit", on_click=dialogs.open("edit", item)),
                menu_item(_MENU, "history", "Versions", on_click=dialogs.open("versions", item)),
            ),
            menu_item(_MENU, "eye", "View", on_click=dialogs.open("view", item)),
        ),
        menu_item(_MENU, "copy", "Duplicate", on_click=AssistantsState.duplicate(item.id)),
        rx.cond(item.is_own, own),
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
    count = AssistantsState.deleted.length()
    return rx.cond(
        count > 0,
        rx.el.details(
            rx.el.summary(f"Recently deleted ({count})"),
            rx.el.p("Deleted assistants can be restored for 30 days, with their versions."),
            rx.el.ul(rx.foreach(AssistantsState.deleted, _deleted)),
            class_name="documents-deleted",
        ),
    )


def _deleted(item: rx.Var[DeletedAssistantView]) -> rx.Component:
    restore: Any = AssistantsState.restore(item.id)
    return rx.el.li(
        rx.el.span(item.name, class_name="documents-deleted-name"),
        Moment.create(at=item.at),
        quiet_button(icon("rotate-ccw", 15), " Restore", aria_label=f"Restore {item.name}", on_click=restore),
        icon_button(
            "trash-2",
            f"Delete {item.name} permanently",
            size=15,
            side="left",
            tip="Delete permanently",
            on_click=dialogs.open("delete-for-good", item),
        ),
        custom_attrs={"ref": passes_focus},
        key=item.id,
    )

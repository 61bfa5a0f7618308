"""The page of prompts: the library, and what can be done with each prompt."""

from __future__ import annotations

import reflex as rx

from rxchat.domain.prompt_examples import EXAMPLES
from rxchat.states.chat.prompt_views import PromptView
from rxchat.states.chat.prompts import PromptsState
from rxchat.ui.chat.prompt_dialogs import dialogs, prompt_dialogs
from rxchat.ui.chat.topbar import page_bar
from rxchat.ui.kit.client_values import ClientValue
from rxchat.ui.kit.elements import (
    Moment,
    badge,
    icon,
    main_button,
    passes_focus,
    skeleton,
)
from rxchat.ui.kit.forms import form_problem
from rxchat.ui.kit.inputs import search_box
from rxchat.ui.kit.library import actions_button, actions_menu, recently_deleted
from rxchat.ui.layout import page_shell

_MENU = "prompt-menu"
_pressed: ClientValue = ClientValue("prompt_pressed", {"id": "", "title": "", "is_own": True}, PromptView)
"""The prompt whose menu was opened last."""


def prompts_page() -> rx.Component:
    """The library."""
    has_some = PromptsState.count > 0
    return page_shell(
        page_bar("Prompts"),
        rx.el.div(
            rx.el.div(
                rx.el.h1("Prompts", class_name="sr-only", tab_index=-1),
                rx.cond(PromptsState.problem_dialog == 0, form_problem(PromptsState.problem)),
                rx.cond(
                    PromptsState.loaded,
                    rx.fragment(rx.cond(has_some, _library(), _welcome()), _recently_deleted()),
                    skeleton("Loading prompts", 40, 84, 72, 90, 66),
                ),
                class_name="prompts",
            ),
            class_name="documents-scroll",
        ),
        _row_menu(),
        prompt_dialogs(),
    )


def _library() -> rx.Component:
    nothing = rx.el.p("No prompts match.", class_name="text-muted prompts-none", role="status")
    return rx.fragment(
        rx.el.div(
            search_box("Search prompts", "Search", PromptsState.search),
            main_button(icon("plus", 16), " New prompt", on_click=dialogs.open("edit", {"id": ""})),
            class_name="prompts-head",
        ),
        rx.el.p(
            "Type ", rx.el.kbd("/"), " at the beginning of a line of a message to use one.", class_name="prompts-lead"
        ),
        rx.cond(
            PromptsState.prompts.length() > 0,
            rx.el.ul(rx.foreach(PromptsState.prompts, _line), class_name="prompt-list", aria_label="Prompts"),
            nothing,
        ),
    )


def _line(item: PromptView) -> rx.Component:
    shared = rx.cond(item.is_shared, "Shared", rx.cond(item.is_own, "", "Shared with you"))
    return rx.el.li(
        rx.el.button(
            rx.el.span(
                rx.el.span(item.title, class_name="prompt-name"),
                rx.el.code(f"/{item.command}", class_name="prompt-command"),
                rx.cond(shared != "", badge(shared)),
                class_name="prompt-title",
            ),
            rx.cond(item.description != "", rx.el.span(item.description, class_name="prompt-description")),
            rx.el.span("Version ", item.version, " · changed ", Moment.create(at=item.at), class_name="prompt-facts"),
            type="button",
            class_name="prompt-open",
            on_click=dialogs.open(rx.cond(item.may_write, "edit", "view"), item),
        ),
        actions_button(_MENU, _pressed, item, item.title),
        class_name="prompt-line",
        custom_attrs={"ref": passes_focus},
        key=item.id,
    )


def _row_menu() -> rx.Component:
    """One menu for all lines: it is about the prompt whose button opened it."""
    item = _pressed.value
    return actions_menu(_MENU, PromptsState, dialogs, item, item.title)


def _welcome() -> rx.Component:
    return rx.el.section(
        rx.el.span(icon("square-slash", 26, 1.5), class_name="documents-mark"),
        rx.el.h2("Prompts that you write once"),
        rx.el.p(
            "Keep what you ask again and again, with variables for what changes. Type ",
            rx.el.kbd("/"),
            " in a chat to use one, and share the best with your group.",
        ),
        main_button("Create your first prompt", on_click=dialogs.open("edit", {"id": ""})),
        rx.el.h3("Or begin with one of these"),
        rx.el.ul(
            *(
                rx.el.li(
                    rx.el.button(
                        rx.el.span(
                            rx.el.span(rx.el.span("Add ", class_name="sr-only"), item.title),
                            icon("plus", 15),
                            class_name="example-title",
                        ),
                        rx.el.span(item.description, class_name="example-text"),
                        type="button",
                        on_click=PromptsState.add_example(str(number)),
                    )
                )
                for number, item in enumerate(EXAMPLES)
            ),
            class_name="prompt-examples",
            aria_label="Examples",
        ),
        class_name="documents-welcome prompts-welcome",
    )


def _recently_deleted() -> rx.Component:
    words = "Deleted prompts can be restored for 30 days, with their versions."
    return recently_deleted(PromptsState.deleted, words, dialogs, PromptsState.restore, lambda item: item.title)

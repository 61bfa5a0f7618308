"""The page of prompts: the library, and what can be done with each prompt."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.domain.prompt_examples import EXAMPLES
from rxchat.states.chat.prompt_views import DeletedPromptView, PromptView
from rxchat.states.chat.prompts import PromptsState
from rxchat.ui.chat.prompt_dialogs import dialogs, prompt_dialogs
from rxchat.ui.chat.topbar import page_bar
from rxchat.ui.kit.client_values import ClientValue
from rxchat.ui.kit.elements import (
    Moment,
    badge,
    icon,
    icon_button,
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
        rx.el.button(
            icon("ellipsis", 18, 1.75),
            type="button",
            class_name="icon-button",
            aria_label=f"Actions for {item.title}",
            on_click=_pressed.set(item),
            custom_attrs=opens(_MENU),
        ),
        class_name="prompt-line",
        custom_attrs={"ref": passes_focus},
        key=item.id,
    )


def _row_menu() -> rx.Component:
    """One menu for all lines: it is about the prompt whose button opened it."""
    item = _pressed.value
    own = rx.fragment(
        rx.cond(PromptsState.may_share, menu_item(_MENU, "share-2", "Share", on_click=dialogs.open("share", item))),
        rx.el.hr(class_name="menu-line"),
        menu_item(_MENU, "trash-2", "Delete", danger=True, on_click=PromptsState.remove(item.id)),
    )
    return menu(
        _MENU,
        f"Actions for {item.title}",
        rx.cond(
            item.may_write,
            rx.fragment(
                menu_item(_MENU, "pencil", "Edit", on_click=dialogs.open("edit", item)),
                menu_item(_MENU, "history", "Versions", on_click=dialogs.open("versions", item)),
            ),
            menu_item(_MENU, "eye", "View", on_click=dialogs.open("view", item)),
        ),
        menu_item(_MENU, "copy", "Duplicate", on_click=PromptsState.duplicate(item.id)),
        rx.cond(item.is_own, own),
    )


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
    count = PromptsState.deleted.length()
    return rx.cond(
        count > 0,
        rx.el.details(
            rx.el.summary(f"Recently deleted ({count})"),
            rx.el.p("Deleted prompts can be restored for 30 days, with their versions."),
            rx.el.ul(rx.foreach(PromptsState.deleted, _deleted)),
            class_name="documents-deleted",
        ),
    )


def _deleted(item: DeletedPromptView) -> rx.Component:
    restore: Any = PromptsState.restore(item.id)
    return rx.el.li(
        rx.el.span(item.title, class_name="documents-deleted-name"),
        Moment.create(at=item.at),
        quiet_button(icon("rotate-ccw", 15), " Restore", aria_label=f"Restore {item.title}", on_click=restore),
        icon_button(
            "trash-2",
            f"Delete {item.title} permanently",
            size=15,
            side="left",
            tip="Delete permanently",
            on_click=dialogs.open("delete-for-good", item),
        ),
        custom_attrs={"ref": passes_focus},
        key=item.id,
    )

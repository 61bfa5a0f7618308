"""The bar above a page: the way to the sidebar, the title, the model that answers, the theme."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.states.chat.model_picker import ModelChoice, ModelPickerState
from rxchat.states.chat.sidebar import SidebarState
from rxchat.states.chat.thread import ThreadState
from rxchat.ui.chat.account_menu import theme_button
from rxchat.ui.chat.chosen_assistant import assistant_chip, assistant_items, assistant_of_new
from rxchat.ui.chat.configuration import parameters_button, parameters_item
from rxchat.ui.chat.export import open_export
from rxchat.ui.chat.projects import opened_project, project_of_new
from rxchat.ui.chat.sidebar import folded_sidebar_buttons
from rxchat.ui.chat.tags import opened_tags
from rxchat.ui.kit.client_values import ClientValue
from rxchat.ui.kit.elements import UNDEFINED, PageTitle, icon, icon_button, link, menu_item, opens, popover

_MENU = "model-menu"
_FILTERED_FROM = 9
"""The number of models from which the menu has a filter."""
_filter: ClientValue[str] = ClientValue("model_filter", "")


def topbar() -> rx.Component:
    """The bar of the conversation on screen."""
    return _bar(
        PageTitle.create(title=ThreadState.title, run=ThreadState.run["id"].to(str)),
        # Without a title the page has a heading of its own; an empty one would be read out as such.
        rx.el.div(
            rx.cond(
                ThreadState.conversation_id == "", rx.fragment(project_of_new(), assistant_of_new()), assistant_chip()
            ),
            rx.cond(
                ThreadState.title != "",
                rx.el.h1(ThreadState.title, title=ThreadState.title, class_name="topbar-title"),
            ),
            rx.cond(
                (SidebarState.opened == ThreadState.conversation_id) & (ThreadState.title != ""),
                rx.fragment(opened_project(), rx.cond(SidebarState.opened_tags.length() > 0, opened_tags())),
            ),
            class_name="topbar-heading",
        ),
        _model(
            rx.cond(ThreadState.conversation_id == "", assistant_items(_MENU, _filter.value)),
            rx.cond(ThreadState.is_shared, rx.fragment(), _parameters()),
        ),
        rx.cond(ThreadState.conversation_id == "", rx.cond(ThreadState.missing, rx.fragment(), _temporary())),
        rx.cond(ThreadState.missing | ThreadState.is_shared, rx.fragment(), parameters_button()),
        rx.cond((ThreadState.conversation_id != "") & ~ThreadState.missing, rx.fragment(_history(), _export())),
    )


def _parameters() -> rx.Component:
    """The way to the parameters on phones, where the bar has no room for their button."""
    return rx.el.div(parameters_item(_MENU), class_name="menu-foot", role="menu", aria_label="Answers")


def _history() -> rx.Component:
    """The way to the history of the user's own conversation."""
    way = link(
        icon("history", 18, 1.75),
        to=f"/history/{ThreadState.conversation_id}",
        class_name="icon-button history-button",
        aria_label="History and map",
        custom_attrs={"data-tip": "History and map", "data-tip-side": "bottom"},
    )
    return rx.cond(ThreadState.is_shared, rx.fragment(), way)


def _export() -> rx.Component:
    """The button that saves or prints the conversation on screen, which readers of a shared one have, too."""
    return icon_button(
        "download",
        "Export or print",
        side="bottom",
        look="export-button",
        on_click=open_export(ThreadState.conversation_id, ThreadState.title),
        # On phones it is in the conversation's menu in the sidebar, where another user's conversation is not.
        custom_attrs={"data-shared": rx.cond(ThreadState.is_shared, "", UNDEFINED)},
    )


def temporary_bar() -> rx.Component:
    """The bar of a temporary chat, with the model that answers."""
    return _bar(
        PageTitle.create(title="Temporary chat"),
        rx.el.h1(icon("message-circle-dashed", 17, 1.75), " Temporary chat", class_name="topbar-title temporary-title"),
        _model(),
    )


def _temporary() -> rx.Component:
    """The way to a temporary chat, from the page of a new one."""
    return link(
        icon("message-circle-dashed", 18, 1.75),
        to="/temporary",
        class_name="icon-button",
        aria_label="Temporary chat",
        custom_attrs={"data-tip": "Temporary chat", "data-tip-side": "bottom"},
    )


def page_bar(title: str, *, is_heading: bool = False) -> rx.Component:
    """The bar of any other page; `is_heading` if the page itself has no h1."""
    if is_heading:
        return _bar(PageTitle.create(title=title), rx.el.h1(title, class_name="topbar-title"))
    return _bar(rx.el.p(title, class_name="topbar-title", aria_hidden="true"))


def _bar(*content: rx.Component) -> rx.Component:
    return rx.el.header(
        folded_sidebar_buttons(), rx.el.div(*content, class_name="topbar-middle"), theme_button(), class_name="topbar"
    )


def _model(*foot: rx.Component) -> rx.Component:
    """The model that answers, and the menu of all, with what else it has."""
    name, title = ModelPickerState.model, ModelPickerState.title
    button = rx.el.button(
        rx.el.span(rx.cond(name != "", title, "Choose a model"), class_name="truncate"),
        icon("chevron-down", 15, class_name="shrink-0 text-muted"),
        type="button",
        class_name="model-button",
        title=name,
        aria_label=f"Model: {rx.cond(name != '', title, 'none')}",
        on_click=_filter.set(""),
        custom_attrs=opens(_MENU),
    )
    alone = rx.cond(name != "", rx.el.span(title, title=name, class_name="model-button text-muted truncate"))
    return rx.cond(ModelPickerState.models.length() > 0, rx.el.div(button, _menu(*foot), class_name="menu-root"), alone)


def _menu(*foot: rx.Component) -> rx.Component:
    field = rx.el.input(
        type="search",
        class_name="menu-filter",
        aria_label="Filter the models",
        placeholder="Name, or what it can do: vision",
        value=_filter.value,
        on_change=_filter.set,
    )
    return popover(
        _MENU,
        rx.cond(ModelPickerState.models.length() >= _FILTERED_FROM, field),
        rx.el.div(rx.foreach(ModelPickerState.models, _choice), role="menu", aria_label="Model"),
        rx.el.p("No model matches.", class_name="menu-note menu-nothing"),
        rx.cond(
            (ModelPickerState.model != "") & (ModelPickerState.default != ModelPickerState.model),
            rx.el.div(
                menu_item(
                    _MENU,
                    "pin",
                    f"Use {ModelPickerState.title} in new chats",
                    on_click=ModelPickerState.keep_as_default,
                ),
                class_name="menu-foot",
                role="menu",
                aria_label="Default model",
            ),
        ),
        *foot,
    )


def _choice(choice: ModelChoice) -> rx.Component:
    is_chosen = choice.name == ModelPickerState.model
    fits: Any = choice.words.contains(_filter.value.lower())
    item = menu_item(
        _MENU,
        "",
        rx.el.span(
            rx.el.span(
                choice.title,
                rx.cond(choice.is_remote, icon("globe", 13, class_name="model-remote")),
                class_name="block model-name",
            ),
            rx.cond(choice.description != "", rx.el.span(choice.description, class_name="menu-detail")),
            rx.cond(choice.detail != "", rx.el.span(choice.detail, class_name="menu-detail")),
            class_name="grow text-left min-w-0",
        ),
        rx.cond(is_chosen, icon("check", class_name="text-link shrink-0")),
        checked=is_chosen,
        disabled=choice.is_off,
        title=choice.name,
        on_click=ModelPickerState.choose(choice.name),
    )
    line = rx.el.div(
        item, rx.cond(choice.is_off, rx.fragment(), _favorite(choice)), class_name="model-line", role="none"
    )
    return rx.fragment(rx.cond(fits, line), key=choice.name)


def _favorite(choice: ModelChoice) -> rx.Component:
    """The star beside a model, which Right reaches from it."""
    is_on = choice.is_favorite
    return rx.el.button(
        icon("star", 16, 1.75),
        type="button",
        role="menuitemcheckbox",
        tab_index=-1,
        class_name="model-star",
        aria_label=f"{choice.title} is a favorite",
        on_click=ModelPickerState.set_favorite(choice.name, rx.cond(is_on, "", "yes")),
        custom_attrs={"aria-checked": rx.cond(is_on, "true", "false"), "data-beside": ""},
    )

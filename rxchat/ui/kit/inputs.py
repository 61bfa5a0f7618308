"""Inputs that search: a search box, and a combobox; and links to pass on."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.ui.kit.client_values import ClientValue, in_sequence, js_function
from rxchat.ui.kit.elements import UNDEFINED, CopyButton, at_most, icon

_clear_input = js_function("clearInput", "behaviours.js")
_DEBOUNCE_MS = 250
_LONGEST_QUERY = 100
files_over_page: ClientValue[bool] = ClientValue("files_over_page", initial=False)
"""Whether files are being dragged over a page that takes them (client/page-files.js)."""


def search_box(label: str, placeholder: str, on_search: Any) -> rx.Component:
    """A search field; `on_search` is the handler for its text, called a moment after the last key."""
    return rx.el.div(
        icon("search", 16, 1.75),
        rx.el.input(
            type="search",
            aria_label=label,
            placeholder=placeholder,
            on_change=on_search.debounce(_DEBOUNCE_MS),
            custom_attrs=at_most(_LONGEST_QUERY),
        ),
        class_name="search-box",
        role="search",
    )


def adds_files(**props: Any) -> rx.Component:
    """The hidden input behind a button that opens the browser's file dialog; client/page-files.js takes the files."""
    return rx.el.input(type="file", multiple=True, hidden=True, custom_attrs={"data-adds-files": ""}, **props)


def combobox(
    identifier: str, label: str, verb: str, found: Any, searched: Any, *, on_search: Any, on_pick: Any
) -> rx.Component:
    """A field that finds users while the user types; arrow keys and Enter choose (client/behaviours.js).

    Args:
        identifier: Its id.
        label: Its label.
        verb: What choosing does, such as "Add".
        found: The options: id, name and email.
        searched: The words that `found` belongs to; "" before a search.
        on_search: The handler for the words.
        on_pick: The handler for the id of the chosen option.
    """
    options = f"{identifier}-options"
    is_vain = (searched != "") & (found.length() == 0)

    def option(item: Any) -> rx.Component:
        return rx.el.li(
            rx.el.span(rx.el.b(item.name), rx.el.span(item.email), class_name="picker-who"),
            rx.el.span(icon("user-plus", 15), f" {verb}", class_name="picker-verb"),
            role="option",
            tab_index=-1,
            aria_selected=False,
            on_click=[on_pick(item.id), in_sequence(_clear_input.call(f"#{identifier}"))],
            key=item.id,
        )

    return rx.el.div(
        rx.el.label(label, html_for=identifier),
        rx.el.input(
            id=identifier,
            role="combobox",
            auto_complete="off",
            spell_check=False,
            placeholder="Name or address",
            on_change=on_search.debounce(_DEBOUNCE_MS),
            aria_expanded=found.length() > 0,
            custom_attrs=at_most(_LONGEST_QUERY) | {"aria-controls": options, "aria-autocomplete": "list"},
        ),
        rx.el.ul(
            rx.foreach(found, option),
            id=options,
            role="listbox",
            aria_label="Users found",
            hidden=rx.cond(found.length() > 0, UNDEFINED, True),
        ),
        rx.el.p(rx.cond(is_vain, "No users match.", ""), class_name="field-help", role="status"),
        class_name="picker",
    )


def link_box(link: Any, label: str) -> rx.Component:
    """A link to pass on, with its Copy button."""
    return rx.el.div(
        rx.el.input(read_only=True, aria_label=label, value=link, custom_attrs={"data-selects-all": ""}),
        CopyButton.create(text=link, label=f"Copy the {label.lower()}", with_word=True, class_name="button-main"),
        class_name="link-box",
    )

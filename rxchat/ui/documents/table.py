"""The documents of a collection as a table: their state, and the actions on them."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.states.documents.document_views import DocumentView, StepView
from rxchat.states.documents.documents import DocumentsState
from rxchat.ui.documents.dialogs import chosen, dialogs
from rxchat.ui.documents.uploads import is_uploaded_here
from rxchat.ui.kit.client_values import ClientValue, fresh, js_function
from rxchat.ui.kit.elements import UNDEFINED, Moment, at_most, counted, icon, link, menu, menu_item, opens, quiet_button

_MENU = "document-menu"
_pressed: ClientValue = ClientValue("document_pressed", {"id": "", "name": ""}, DocumentView)
"""The document whose menu was opened."""
_toggled = js_function("toggled", "client-values.js")
_is_own = DocumentsState.collection.is_own
_LOOKS = (("", "All"), ("ready", "Ready"), ("under-way", "Not ready yet"), ("failed", "Failed"))
_HEADINGS = (("Name", ""), ("State", ""), ("Size", "is-number"), ("Pages", "is-number"), ("Cited", ""), ("Added", ""))


def document_table() -> rx.Component:
    """The filter, the table, and the actions on the selected documents."""
    table = rx.el.table(
        rx.el.thead(_headings(), role="rowgroup"),
        rx.el.tbody(rx.foreach(DocumentsState.documents, _line), role="rowgroup"),
        role="table",
        aria_label="Documents",
        class_name="documents-table",
    )
    left = DocumentsState.matching_count - DocumentsState.documents.length()
    more = rx.el.div(
        quiet_button(f"Show more ({left} left)", on_click=DocumentsState.show_more), class_name="document-more"
    )
    nothing = rx.el.p(
        "No documents match. ",
        rx.el.button("Show all", type="button", class_name="link-button", on_click=DocumentsState.clear_filters),
        class_name="documents-none",
    )
    return rx.el.div(
        fresh(chosen),
        rx.cond(DocumentsState.document_count > 1, _filters()),
        rx.cond(chosen.value.length() > 0, _selected()),
        rx.cond(DocumentsState.matching_count > 0, table, nothing),
        rx.cond(left > 0, more),
        _row_menu(),
        class_name="document-list",
        key=DocumentsState.selected_id,
    )


def _filters() -> rx.Component:
    return rx.el.div(
        rx.el.div(
            icon("search", 16, 1.75),
            rx.el.input(
                type="search",
                aria_label="Filter by name",
                placeholder="Filter",
                default_value=DocumentsState.name_filter,
                on_change=[chosen.set([]), DocumentsState.filter_names.debounce(120)],
                custom_attrs=at_most(100),
            ),
            class_name="search-box",
            role="search",
        ),
        rx.el.select(
            *(rx.el.option(words, value=value) for value, words in _LOOKS),
            aria_label="Filter by state",
            default_value=DocumentsState.look_filter,
            on_change=[chosen.set([]), DocumentsState.filter_looks],
        ),
        class_name="document-filters",
        # React keeps what was typed into a field until its key is another one.
        key=f"filters-{DocumentsState.filters_cleared}",
    )


def _selected() -> rx.Component:
    count = chosen.value.length()
    return rx.el.div(
        rx.el.p(f"{count} chosen"),
        quiet_button("Clear selection", on_click=chosen.set([])),
        quiet_button(
            icon("trash-2", 15),
            " Delete",
            danger=True,
            on_click=dialogs.open("delete-documents", {"ids": chosen.value}),
        ),
        class_name="document-picked",
        role="status",
    )


def _headings() -> rx.Component:
    everything = DocumentsState.documents.pluck("id")
    is_all = chosen.value.length() >= DocumentsState.documents.length()
    box = rx.el.input(
        type="checkbox", aria_label="Select all", checked=is_all, on_change=chosen.set(rx.cond(is_all, [], everything))
    )
    cells = [
        rx.el.th(words, scope="col", role="columnheader", class_name=look, custom_attrs={"data-label": words})
        for words, look in _HEADINGS
    ]
    return rx.el.tr(
        rx.cond(_is_own, rx.el.th(rx.el.label(box), scope="col", role="columnheader", class_name="document-box")),
        *cells,
        rx.cond(_is_own, rx.el.th(rx.el.span("Actions", class_name="sr-only"), scope="col", role="columnheader")),
        role="row",
    )


def _line(item: DocumentView) -> rx.Component:
    row = document_row(
        item=item,
        step=DocumentsState.steps[item.id],
        is_own=_is_own,
        is_chosen=chosen.value.contains(item.id),
        on_choose=chosen.set(_toggled.call(chosen.value, item.id)),
        key=item.id,
    )
    # The page shows its own uploads in a list above.
    return rx.cond((item.state == "uploading") & is_uploaded_here(item.id), rx.fragment(key=item.id), row)


@rx.memo
def document_row(
    item: rx.Var[DocumentView],
    step: rx.Var[StepView],
    is_own: rx.Var[bool],
    is_chosen: rx.Var[bool],
    on_choose: rx.EventHandler[rx.event.no_args_event_spec],
    rest: rx.RestProp,
) -> rx.Component:
    """A row; redrawn only when its own document changes."""
    box = rx.el.input(type="checkbox", aria_label=f"Choose {item.name}", checked=is_chosen, on_change=on_choose)
    actions = rx.el.button(
        icon("ellipsis", 17, 1.75),
        type="button",
        class_name="icon-button small",
        aria_label=f"Actions for {item.name}",
        on_click=_pressed.set(item),
        custom_attrs=opens(_MENU),
    )
    return rx.el.tr(
        rest,
        rx.cond(is_own, rx.el.td(rx.el.label(box), role="cell", class_name="document-box")),
        rx.el.th(
            rx.el.span(item.kind, class_name="document-kind", aria_hidden="true"),
            _title(item),
            role="rowheader",
            scope="row",
            class_name="document-name",
        ),
        rx.el.td(_state(item, step, is_own), role="cell", class_name="document-progress"),
        _cell("Size", item.size, look="is-number"),
        _cell("Pages", item.pages, none="–", look="is-number"),
        _cell("Cited", rx.cond(item.cited > 0, f"in {counted.call(item.cited, 'answer')}", ""), none="not yet"),
        _cell("Added", Moment.create(at=item.at)),
        rx.cond(is_own, rx.el.td(rx.el.div(actions), role="cell", class_name="document-menu")),
        role="row",
        custom_attrs={"data-chosen": rx.cond(is_chosen, "true", UNDEFINED)},
    )


def _title(item: Any) -> rx.Component:
    opened = link(item.name, to=f"/documents/view/{item.id}", class_name="document-link")
    return rx.el.span(
        rx.cond(item.state == "uploading", rx.el.span(item.name), opened),
        rx.cond(item.version > 1, rx.el.span(f"Version {item.version}", class_name="document-version")),
        rx.cond(item.parent != "", rx.el.span(f"Attached to {item.parent}", class_name="document-version")),
        class_name="document-title",
    )


def _state(item: Any, step: Any, is_own: Any) -> rx.Component:
    progress = rx.el.progress(value=step.percent, max=100, aria_label=f"{item.name}: progress")
    under_way = rx.fragment(
        rx.el.p(icon("loader-circle", 14, class_name="spin"), rx.el.span(step.words)),
        rx.cond(step.percent > 0, progress),
    )
    again = rx.el.button(
        icon("rotate-cw", 13),
        " Try again",
        type="button",
        class_name="link-button",
        on_click=DocumentsState.read_again(item.id),
    )
    is_failed = item.look == "failed"
    ended = rx.el.p(rx.cond(is_failed, icon("triangle-alert", 14)), rx.el.span(item.words))
    return rx.el.div(
        rx.cond((item.look == "under-way") & step, under_way, ended),
        rx.foreach(item.notes, lambda note: rx.el.p(note, class_name="document-note", key=note)),
        rx.cond(is_failed & is_own, again),
        class_name="document-state",
        custom_attrs={"data-look": item.look},
    )


def _cell(label: str, content: Any, *, none: str = "", look: str = "") -> rx.Component:
    shown = rx.cond(content != "", content, rx.el.span(none, class_name="text-muted")) if none else content
    empty = {"data-none": rx.cond(content == "", "true", UNDEFINED)} if none else {}
    return rx.el.td(shown, role="cell", class_name=look, custom_attrs={"data-label": label} | empty)


def _row_menu() -> rx.Component:
    """One menu for all rows: it is about the document whose button opened it."""
    item = _pressed.value
    return menu(
        _MENU,
        item.name,
        link(
            icon("eye", 16, 1.75, class_name="shrink-0 opacity-80"),
            "Open",
            to=f"/documents/view/{item.id}",
            role="menuitem",
            tab_index=-1,
            class_name="menu-item",
        ),
        rx.cond(~item.is_pending, menu_item(_MENU, "pencil", "Rename", on_click=dialogs.open("rename-document", item))),
        menu_item(_MENU, "rotate-cw", "Parse again", on_click=DocumentsState.read_again(item.id)),
        rx.el.hr(class_name="menu-line"),
        menu_item(_MENU, "trash-2", "Delete", danger=True, on_click=dialogs.open("delete-document", item)),
    )

"""Tags: as dots and words, the items that filter the sidebar by one, and the dialogs that give, change and delete them."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.domain.tags import NAME_CHARACTERS, TagColor
from rxchat.states.chat.sidebar import SidebarState, TagView
from rxchat.states.chat.tags import TagsState
from rxchat.ui.kit.client_values import ClientValue, StateRequest, in_sequence
from rxchat.ui.kit.dialogs import Dialogs
from rxchat.ui.kit.elements import at_most, counted, icon, icon_button, main_button, menu_item
from rxchat.ui.kit.forms import form_problem

FILTER_MENU = "tag-filter"
_dialogs = Dialogs("tags_dialog", TagsState, dict[str, Any])
_typed: ClientValue[str] = ClientValue("tag_typed", "")


def open_tags(ids: Any, title: Any) -> Any:
    """A trigger that opens the dialog about the tags of these conversations."""
    return in_sequence(_typed.assign(""), _dialogs.opening("tags", {"ids": ids, "title": title}))


def tag_dot(color: Any) -> rx.Component:
    """A tag as a dot in its color."""
    return rx.el.span(class_name="tag-dot", aria_hidden="true", custom_attrs={"data-color": color})


def row_tags(tags: rx.Var[list[TagView]]) -> rx.Component:
    """The tags of a row of the sidebar: dots, and their names for the pointer and for screen readers."""
    names = tags.pluck("name").join(", ")
    dots = rx.el.span(
        rx.foreach(tags, lambda tag: rx.el.span(tag_dot(tag.color), class_name="contents", key=tag.id)),
        rx.el.span(f"Tags: {names}", class_name="sr-only"),
        class_name="row-tags",
        title=names,
    )
    return rx.cond(tags.length() > 0, dots)


def opened_tags() -> rx.Component:
    """The tags of the conversation on screen, each of which filters the sidebar."""
    return rx.el.ul(
        rx.foreach(SidebarState.opened_tags, _opened_tag), class_name="topbar-tags", aria_label="Tags", role="list"
    )


def _opened_tag(tag: rx.Var[TagView]) -> rx.Component:
    chip = rx.el.button(
        tag.name,
        type="button",
        class_name="tag-chip tag-name",
        title=f"Show the chats tagged “{tag.name}”",
        on_click=SidebarState.filter_by(tag.id),
        custom_attrs={"data-color": tag.color},
    )
    return rx.el.li(chip, key=tag.id)


def tag_filters() -> rx.Component:
    """The items of the filter's menu for tags."""
    return rx.fragment(
        rx.foreach(SidebarState.tags, _filter_item),
        menu_item(FILTER_MENU, "tags", "Manage tags…", on_click=_dialogs.open("manage")),
    )


def _filter_item(tag: rx.Var[TagView]) -> rx.Component:
    item = menu_item(
        FILTER_MENU,
        "",
        tag_dot(tag.color),
        rx.el.span(tag.name, class_name="grow truncate tag-name"),
        rx.el.span(tag.count, class_name="menu-count", title=counted.call(tag.count, "conversation").to(str)),
        checked=SidebarState.tag == tag.id,
        on_click=SidebarState.filter_by(tag.id),
    )
    return rx.fragment(item, key=tag.id)


def tag_dialogs() -> rx.Component:
    """The dialogs; once on each page with the sidebar."""
    return rx.fragment(_given(), _managed(), _edited(), _deleted())


def _given() -> rx.Component:
    """Which tags conversations have: a field that finds and makes them, and the list."""
    number, typed = _dialogs.number.to_string(), _typed.value.strip()
    ids = _dialogs.subject["ids"]
    create = rx.el.button(
        icon("plus", 16),
        rx.el.span(f"Create “{typed}”", class_name="grow truncate tag-name"),
        type="submit",
        class_name="tag-choice",
    )
    is_new = (typed != "") & ~SidebarState.tags.pluck("name").contains(typed)
    add = rx.cond(typed != "", TagsState.add({"ids": ids, "name": typed, "dialog": number}), rx.noop())
    return _dialogs.window(
        "tags",
        "Tags",
        StateRequest.create(
            wanted=number,
            loaded=TagsState.opened.to_string(),
            on_request=TagsState.show({"ids": ids, "dialog": number}),
        ),
        rx.el.form(
            form_problem(_dialogs.problem),
            rx.el.input(
                type="text",
                aria_label="Find or create a tag",
                placeholder="Find or create a tag",
                value=_typed.value,
                on_change=_typed.set,
                auto_complete="off",
                class_name="tag-field",
                custom_attrs=at_most(NAME_CHARACTERS) | {"data-autofocus": ""},
            ),
            rx.el.div(
                rx.foreach(SidebarState.tags, _choice),
                rx.cond(is_new, create),
                rx.cond(
                    (SidebarState.tags.length() == 0) & (typed == ""),
                    rx.el.p("You have no tags yet. Type a word, and press Enter.", class_name="text-muted"),
                ),
                class_name="tag-choices",
                role="group",
                aria_label="Tags",
            ),
            on_submit=[add, _typed.set("")],
            class_name="tag-form",
        ),
        rx.el.div(main_button("Done", on_click=_dialogs.close), class_name="dialog-actions"),
        lead=_dialogs.subject["title"].to(str),
    )


def _choice(tag: rx.Var[TagView]) -> rx.Component:
    ids, number = _dialogs.subject["ids"], _dialogs.number
    is_loaded = TagsState.opened == number
    is_on, is_some = TagsState.on_all.contains(tag.id) & is_loaded, TagsState.on_some.contains(tag.id) & is_loaded
    box = rx.el.span(rx.cond(is_on, icon("check", 12, 3), rx.cond(is_some, icon("minus", 12, 3))), class_name="tag-box")
    item = rx.el.button(
        box,
        tag_dot(tag.color),
        rx.el.span(tag.name, class_name="grow truncate tag-name"),
        type="button",
        role="checkbox",
        class_name="tag-choice",
        on_click=TagsState.switch({"ids": ids, "tag": tag.id, "dialog": number.to_string()}),
        custom_attrs={"aria-checked": rx.cond(is_on, "true", rx.cond(is_some, "mixed", "false"))},
    )
    return rx.fragment(rx.cond(tag.name.lower().contains(_typed.value.strip().lower()), item), key=tag.id)


def _managed() -> rx.Component:
    nothing = rx.el.p("You have no tags. “Tags…” in a conversation’s menu gives it one.", class_name="text-muted")
    rows = rx.el.ul(rx.foreach(SidebarState.tags, _managed_row), class_name="tag-rows", aria_label="Tags")
    return _dialogs.window(
        "manage",
        "Manage tags",
        rx.cond(SidebarState.tags.length() > 0, rows, nothing),
        lead="Only you see your tags.",
    )


def _managed_row(tag: rx.Var[TagView]) -> rx.Component:
    return rx.el.li(
        tag_dot(tag.color),
        rx.el.span(tag.name, class_name="grow truncate tag-name"),
        rx.el.span(counted.call(tag.count, "conversation").to(str), class_name="text-muted tag-count"),
        icon_button(
            "pencil", f"Change {tag.name}", size=15, side="left", tip="Change", on_click=_dialogs.open("edit", tag)
        ),
        icon_button(
            "trash-2", f"Delete {tag.name}", size=15, side="left", tip="Delete", on_click=_dialogs.open("delete", tag)
        ),
        key=tag.id,
    )


def _edited() -> rx.Component:
    tag = _dialogs.subject
    colors = [
        rx.el.label(
            rx.el.input(
                type="radio",
                name="color",
                value=color.value,
                default_checked=tag["color"].to(str) == color.value,
                aria_label=color.value.capitalize(),
            ),
            tag_dot(color.value),
            class_name="tag-color",
        )
        for color in TagColor
    ]
    return _dialogs.form(
        "edit",
        "Change the tag",
        rx.el.input(type="hidden", name="id", value=tag["id"].to(str)),
        _dialogs.field(
            "name",
            "Name",
            default_value=tag["name"].to(str),
            longest=NAME_CHARACTERS,
            missing="Enter the name of the tag.",
            is_first=True,
        ),
        rx.el.fieldset(rx.el.legend("Color"), *colors, class_name="tag-colors"),
        action="Save",
        on_submit=TagsState.save,
    )


def _deleted() -> rx.Component:
    tag = _dialogs.subject
    return _dialogs.confirm(
        "delete",
        f"Delete the tag “{tag['name'].to(str)}”?",
        f"It is removed from {counted.call(tag['count'].to(int), 'conversation').to(str)}. The conversations stay.",
        action="Delete tag",
        on_submit=TagsState.delete,
    )

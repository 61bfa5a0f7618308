"""The bar above the sidebar's list: it starts picking, and has the actions on what is picked."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.domain.bulk_actions import BulkAction
from rxchat.states.chat.archive import ArchiveState
from rxchat.states.chat.sidebar import SidebarState, TagView
from rxchat.ui.chat.conversation_rows import has_rows, is_picking, menu_of, picking
from rxchat.ui.chat.projects import leave_project, open_move, project_filters
from rxchat.ui.chat.tags import FILTER_MENU, open_tags, tag_filters
from rxchat.ui.kit.client_values import in_sequence, route_param
from rxchat.ui.kit.elements import UNDEFINED, click_on, counted, focus_soon, icon, icon_button, menu, menu_item, opens
from rxchat.ui.kit.picking import all_in

_START = ".starts-picking"
_stop = (picking.clear, is_picking.assign(False), focus_soon.call(_START))
_FIRST = ".groups [data-picks]"


def start_picking_with(identifier: Any) -> Any:
    """A trigger that shows the checkboxes, with this one checked."""
    return in_sequence(
        picking.picked.assign([identifier]),
        is_picking.assign(True),
        focus_soon.call(f"#conversation-{identifier} input"),
    )


def conversation_bar() -> rx.Component:
    """The bar: what the list is, or how many are picked and what can be done with them."""
    return rx.cond(is_picking.value, _actions(), rx.cond(has_rows() | is_filtered(), _heading()))


def _heading() -> rx.Component:
    start = in_sequence(picking.clear, is_picking.assign(True), focus_soon.call(_FIRST))
    chosen = rx.fragment(
        rx.cond(SidebarState.project != "", _chosen_project()),
        rx.cond(SidebarState.tag != "", rx.foreach(SidebarState.tags, _chosen_tag)),
    )
    return rx.el.div(
        rx.el.div(rx.cond(is_filtered(), chosen, "Chats"), class_name="list-bar-title"),
        icon_button(
            "list-filter",
            "Projects and tags",
            size=16,
            side="left",
            look="small",
            custom_attrs=opens(FILTER_MENU) | {"data-on": rx.cond(is_filtered(), "", UNDEFINED)},
        ),
        _filter_menu(),
        icon_button(
            "list-checks", "Select conversations", size=16, side="left", look="small starts-picking", on_click=start
        ),
        class_name="list-bar",
    )


def _filter_menu() -> rx.Component:
    everything = menu_item(
        FILTER_MENU,
        "messages-square",
        rx.el.span("All chats", class_name="grow"),
        checked=~is_filtered(),
        on_click=[SidebarState.filter_by(""), rx.cond(SidebarState.project != "", leave_project(), rx.noop())],
    )
    return menu(
        FILTER_MENU,
        "Projects and tags",
        everything,
        rx.el.hr(class_name="menu-line"),
        project_filters(),
        rx.cond(SidebarState.tags.length() > 0, rx.fragment(rx.el.hr(class_name="menu-line"), tag_filters())),
    )


def _chosen_project() -> rx.Component:
    """The project that the list shows: its chip leaves it."""
    name = SidebarState.project_name
    return rx.el.button(
        icon("folder-open", 13),
        rx.el.span(name, class_name="truncate project-name"),
        icon("x", 13),
        type="button",
        class_name="project-chip",
        title="Leave the project",
        aria_label=f"In the project {name}. Leave the project",
        on_click=leave_project(),
    )


def _chosen_tag(tag: rx.Var[TagView]) -> rx.Component:
    """The tag that the list is filtered by: its chip ends the filter."""
    chip = rx.el.button(
        rx.el.span(tag.name, class_name="truncate tag-name"),
        icon("x", 13),
        type="button",
        class_name="tag-chip",
        title="Remove the filter",
        aria_label=f"Filtered by {tag.name}. Remove the filter",
        on_click=SidebarState.filter_by(""),
        custom_attrs={"data-color": tag.color},
    )
    return rx.fragment(rx.cond(SidebarState.tag == tag.id, chip), key=tag.id)


def is_filtered() -> rx.Var[bool]:
    """Whether the list shows only a part of the conversations."""
    return ((SidebarState.tag != "") | (SidebarState.project != "")).to(bool)


def _actions() -> rx.Component:
    is_pinned = all_in.call(picking.picked.value, SidebarState.pinned.pluck("id")).to(bool)
    pin = rx.cond(
        is_pinned,
        _action("pin-off", "Unpin", BulkAction.UNPIN),
        _action("pin", "Pin", BulkAction.PIN),
    )
    count = counted.call(picking.count, "conversation").to(str)
    return rx.el.div(
        rx.el.div(
            rx.el.span(f"{picking.count} selected", class_name="list-bar-title", aria_hidden="true"),
            rx.el.span(f"{count} selected", role="status", class_name="sr-only"),
            rx.el.button("All", type="button", class_name="link-button", aria_label="Select all", on_click=picking.all),
            icon_button(
                "x",
                "Stop selecting",
                size=16,
                side="left",
                look="small",
                on_click=in_sequence(*_stop),
                custom_attrs={"data-closes-with-escape": ""},
            ),
            class_name="list-bar",
        ),
        rx.el.div(
            pin,
            icon_button(
                "tag",
                "Tags",
                size=17,
                disabled=picking.count == 0,
                on_click=open_tags(picking.picked.value, f"{count} selected"),
            ),
            icon_button(
                "folder-input",
                "Move to project",
                size=17,
                disabled=picking.count == 0,
                on_click=open_move(picking.picked.value, f"{count} selected"),
            ),
            _action("archive", "Archive", BulkAction.ARCHIVE),
            _action("trash-2", "Delete", BulkAction.REMOVE, look="is-danger"),
            role="group",
            aria_label="Actions for the selected conversations",
            class_name="list-bar-actions",
        ),
        class_name="list-bar-picking",
    )


def _action(icon_name: str, label: str, action: BulkAction, look: str = "") -> rx.Component:
    """A button that does it with all that are picked. If the open one goes, the page for a new one follows."""
    picked = picking.picked.value
    is_left = (
        picked.contains(route_param("conversation_id")) if action in {BulkAction.ARCHIVE, BulkAction.REMOVE} else False
    )
    leave = rx.cond(is_left, click_on.call(".wordmark"), UNDEFINED)
    form = {"ids": picked, "action": action.value}
    return icon_button(
        icon_name,
        label,
        size=17,
        look=look,
        disabled=picking.count == 0,
        on_click=[SidebarState.change_all(form), ArchiveState.refresh, in_sequence(*_stop, leave)],
    )


def start_picking_in_menu() -> Any:
    """The trigger of the item of a row's menu."""
    return start_picking_with(menu_of.value["id"])

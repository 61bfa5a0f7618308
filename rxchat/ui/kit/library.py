"""What the pages of libraries have in common: the actions of a line, and the list of what was deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import reflex as rx

from rxchat.ui.kit.client_values import ClientValue
from rxchat.ui.kit.dialogs import Dialogs
from rxchat.ui.kit.elements import Moment, icon, icon_button, menu, menu_item, opens, passes_focus, quiet_button


def actions_button(menu_id: str, pressed: ClientValue, item: Any, name: Any) -> rx.Component:
    """The button of a line that opens the menu of all lines, which is about the item in `pressed`."""
    return rx.el.button(
        icon("ellipsis", 18, 1.75),
        type="button",
        class_name="icon-button",
        aria_label=f"Actions for {name}",
        on_click=pressed.set(item),
        custom_attrs=opens(menu_id),
    )


def actions_menu(
    menu_id: str, state: Any, dialogs: Dialogs, item: Any, name: Any, *first: rx.Component
) -> rx.Component:
    """One menu for all lines of what can be shared and has versions, with the handlers of a LibraryPage."""
    own = rx.fragment(
        rx.cond(state.may_share, menu_item(menu_id, "share-2", "Share", on_click=dialogs.open("share", item))),
        rx.el.hr(class_name="menu-line"),
        menu_item(menu_id, "trash-2", "Delete", danger=True, on_click=state.remove(item.id)),
    )
    return menu(
        menu_id,
        f"Actions for {name}",
        *first,
        rx.cond(
            item.may_write,
            rx.fragment(
                menu_item(menu_id, "pencil", "Edit", on_click=dialogs.open("edit", item)),
                menu_item(menu_id, "history", "Versions", on_click=dialogs.open("versions", item)),
            ),
            menu_item(menu_id, "eye", "View", on_click=dialogs.open("view", item)),
        ),
        menu_item(menu_id, "copy", "Duplicate", on_click=state.duplicate(item.id)),
        rx.cond(item.is_own, own),
    )


def recently_deleted(
    deleted: Any, words: str, dialogs: Dialogs, restore: Callable[[Any], Any], name_of: Callable[[Any], Any]
) -> rx.Component:
    """What was deleted (with `id` and `at`) and can be restored: folded, and nothing if there is none."""

    def line(item: Any, _number: Any) -> rx.Component:
        name = name_of(item)
        return rx.el.li(
            rx.el.span(name, class_name="documents-deleted-name"),
            Moment.create(at=item.at),
            quiet_button(icon("rotate-ccw", 15), " Restore", aria_label=f"Restore {name}", on_click=restore(item.id)),
            icon_button(
                "trash-2",
                f"Delete {name} permanently",
                size=15,
                side="left",
                tip="Delete permanently",
                on_click=dialogs.open("delete-for-good", item),
            ),
            custom_attrs={"ref": passes_focus},
            key=item.id,
        )

    count = deleted.length()
    return rx.cond(
        count > 0,
        rx.el.details(
            rx.el.summary(f"Recently deleted ({count})"),
            rx.el.p(words),
            rx.el.ul(rx.foreach(deleted, line)),
            class_name="documents-deleted",
        ),
    )

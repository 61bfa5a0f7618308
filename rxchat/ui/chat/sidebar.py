"""The sidebar: new chat, the conversations by age, the account. A drawer on phones."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.states.chat.archive import ArchiveState
from rxchat.states.chat.sidebar import SidebarState
from rxchat.ui.chat.account_menu import account_menu
from rxchat.ui.chat.conversation_bar import conversation_bar, start_picking_in_menu
from rxchat.ui.chat.conversation_rows import MENU, conversation_rows, drawer, menu_of, renaming
from rxchat.ui.chat.export import export_dialog, open_export
from rxchat.ui.chat.palette import palette, palette_button, palette_icon
from rxchat.ui.chat.projects import open_move, project_dialogs
from rxchat.ui.chat.public_links import open_public_links, public_links
from rxchat.ui.chat.tags import open_tags, tag_dialogs
from rxchat.ui.kit.client_values import current_path, in_sequence, js_function, route_param
from rxchat.ui.kit.elements import (
    UNDEFINED,
    Behaviours,
    click_on,
    focus_beside,
    focus_if_lost,
    focus_soon,
    icon,
    icon_button,
    keys,
    link,
    menu,
    menu_item,
)
from rxchat.ui.platform.notices import toasts

_NEW_CHAT_KEYS = {"aria-keyshortcuts": "Control+Shift+O Meta+Shift+O"}

_toggle = js_function("toggleSidebar", "sidebar.js")


def toggle_button(label: str, tip: str, **props: Any) -> rx.Component:
    """A button that folds or opens the sidebar; Ctrl+B clicks on the visible one."""
    attributes = {"aria-keyshortcuts": "Control+B Meta+B"} | props.pop("custom_attrs", {})
    words = f"{tip} · {keys('B')}"
    return icon_button(
        "panel-left", label, tip=words, on_click=in_sequence(_toggle.call()), custom_attrs=attributes, **props
    )


def folded_sidebar_buttons() -> rx.Component:
    """The buttons of the top bar in place of a sidebar that is folded or a drawer: open it, and a new chat."""
    new_chat = link(
        icon("square-pen", 18, 1.75),
        to="/",
        on_click=in_sequence(focus_soon.call("#composer")),
        class_name="icon-button opens-sidebar",
        aria_label="New chat",
        custom_attrs={"data-tip": f"New chat · {keys('Shift+O')}", "data-tip-side": "right"} | _NEW_CHAT_KEYS,
    )
    opener = {"data-opens-sidebar": "", "data-unread": rx.cond(SidebarState.unread.length() > 0, "", UNDEFINED)}
    return rx.fragment(
        toggle_button("Show the sidebar", "Sidebar", side="right", look="opens-sidebar", custom_attrs=opener),
        new_chat,
        palette_icon(drawer),
    )


def sidebar() -> rx.Component:
    """The sidebar with the user's conversations."""
    is_open = rx.cond(drawer.value, "", UNDEFINED)
    return rx.fragment(
        Behaviours.create(),
        _skip_link(),
        rx.el.div(
            class_name="drawer-shade",
            on_click=drawer.set(False),
            custom_attrs={"data-open": is_open, "data-closes-with-escape": is_open},
        ),
        rx.el.nav(
            rx.el.div(
                link(
                    rx.el.img(src="/mark.svg", alt="", custom_attrs={"width": 22, "height": 22}),
                    "RxChat",
                    to="/",
                    class_name="wordmark",
                    on_click=drawer.set(False),
                ),
                toggle_button("Hide the sidebar", "Hide"),
                class_name="sidebar-head",
            ),
            _new_chat(),
            palette_button(drawer),
            _page_link("library", "Documents", "/documents"),
            _page_link("square-slash", "Prompts", "/prompts"),
            conversation_bar(),
            conversation_rows(),
            _conversation_menu(),
            rx.cond(drawer.value, toasts()),
            account_menu(drawer),
            class_name="sidebar",
            aria_label="Conversations",
            custom_attrs={"data-open": is_open},
        ),
        rx.el.p(SidebarState.announcement, role="status", class_name="sr-only"),
        palette(),
        public_links(),
        export_dialog(),
        tag_dialogs(),
        project_dialogs(),
    )


def _conversation_menu() -> rx.Component:
    """One menu for all rows: it is about the conversation whose button opened it."""
    title = menu_of.value["title"]
    begin = {"id": menu_of.value["id"], "number": rx.Var("Date.now()")}
    return menu(
        MENU,
        f"Actions for {title}",
        menu_item(MENU, "pencil", "Rename", on_click=renaming.set(begin)),
        rx.cond(
            menu_of.value["pinned"] == "",
            menu_item(MENU, "pin", "Pin", on_click=_pin(SidebarState.pin)),
            menu_item(MENU, "pin-off", "Unpin", on_click=_pin(SidebarState.unpin)),
        ),
        menu_item(MENU, "tag", "Tags…", on_click=open_tags([menu_of.value["id"]], title)),
        menu_item(MENU, "folder-input", "Move to project…", on_click=open_move([menu_of.value["id"]], title)),
        menu_item(MENU, "list-checks", "Select…", on_click=start_picking_in_menu()),
        menu_item(MENU, "link", "Share link…", on_click=open_public_links(menu_of.value["id"], title)),
        menu_item(MENU, "download", "Export or print…", on_click=open_export(menu_of.value["id"], title)),
        menu_item(MENU, "history", "History and map", on_click=rx.redirect(f"/history/{menu_of.value['id']}")),
        menu_item(MENU, "archive", "Archive", on_click=_move(SidebarState.archive)),
        menu_item(MENU, "trash-2", "Delete", danger=True, on_click=_move(SidebarState.remove)),
    )


def _skip_link() -> rx.Component:
    """The first stop of the keyboard: past the conversations, to the composer or to the content of the page."""
    path = current_path()
    is_chat = (path == "/") | path.startswith("/c/")
    return rx.el.button(
        rx.cond(is_chat, "Skip to the message box", "Skip to the page"),
        type="button",
        class_name="skip",
        on_click=in_sequence(focus_soon.call(rx.cond(is_chat, "#composer", "main"))),
    )


def _new_chat() -> rx.Component:
    return link(
        icon("square-pen", 17, 1.75),
        " New chat",
        to="/",
        class_name="new-chat",
        on_click=in_sequence(drawer.assign(False), focus_soon.call("#composer")),
        custom_attrs={"data-tip": keys("Shift+O"), "data-tip-side": "bottom"} | _NEW_CHAT_KEYS,
    )


def _page_link(icon_name: str, words: str, address: str) -> rx.Component:
    path = current_path()
    is_here = (path == address) | path.startswith(f"{address}/")
    return link(
        icon(icon_name, 17, 1.75),
        f" {words}",
        to=address,
        class_name="sidebar-link",
        on_click=drawer.set(False),
        custom_attrs={"aria-current": rx.cond(is_here, "page", UNDEFINED)},
    )


def _pin(handler: Any) -> list[Any]:
    """Its row moves to another group, and keeps the focus."""
    identifier = menu_of.value["id"]
    follow = focus_if_lost.call(f"#conversation-{identifier} a")
    return [handler(identifier), in_sequence(follow)]


def _move(handler: Any) -> list[Any]:
    """Take a conversation out of the list. If it is open, the page for a new one follows; Undo shows it in the list again."""
    identifier = menu_of.value["id"]
    is_open = identifier == route_param("conversation_id")
    leave = rx.cond(is_open, click_on.call(".wordmark"), focus_beside.call(f"#conversation-{identifier}", ".row"))
    return [in_sequence(leave), handler(identifier), ArchiveState.refresh]

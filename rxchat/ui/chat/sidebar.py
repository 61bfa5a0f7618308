"""The sidebar: new chat, the conversations by age, the account. A drawer on phones."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.states.chat.archive import ArchiveState
from rxchat.states.chat.sidebar import ConversationView, Group, SidebarState
from rxchat.states.platform.current_user import CurrentUserState
from rxchat.ui.chat.account_menu import account_menu
from rxchat.ui.chat.export import export_dialog, open_export
from rxchat.ui.chat.palette import palette, palette_button, palette_icon
from rxchat.ui.chat.public_links import open_public_links, public_links
from rxchat.ui.kit.client_values import ClientValue, current_path, in_sequence, js_function, route_param
from rxchat.ui.kit.elements import (
    UNDEFINED,
    Behaviours,
    at_most,
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
    opens,
    skeleton,
)
from rxchat.ui.platform.notices import toasts

_MENU = "conversation-menu"
_NEW_CHAT_KEYS = {"aria-keyshortcuts": "Control+Shift+O Meta+Shift+O"}

drawer: ClientValue[bool] = ClientValue("drawer", False)
"""Whether the phone's drawer is open."""
_menu_of: ClientValue[dict[str, str]] = ClientValue(
    "conversation_menu", {"id": "", "title": "", "pinned": ""}, dict[str, str]
)
"""The conversation whose menu was opened last."""
_NONE = {"id": "", "number": 0}
_renaming: ClientValue = ClientValue("conversation_renaming", _NONE, dict[str, Any])
"""The conversation that is renamed, and the number by which the server's answer is recognized."""
_typed: ClientValue = ClientValue("conversation_typed", {"id": "", "title": "", "number": 0}, dict[str, Any])
"""The title that was typed last: it is shown until the server has answered."""
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
    opener = {"data-opens-sidebar": ""}
    return rx.fragment(
        toggle_button("Show the sidebar", "Sidebar", side="right", look="opens-sidebar", custom_attrs=opener),
        new_chat,
        palette_icon(drawer),
    )


def sidebar() -> rx.Component:
    """The sidebar with the user's conversations."""
    is_open = rx.cond(drawer.value, "", UNDEFINED)
    title = _menu_of.value["title"]
    renaming = {"id": _menu_of.value["id"], "number": rx.Var("Date.now()")}
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
            rx.el.div(_groups(), class_name="groups"),
            menu(
                _MENU,
                f"Actions for {title}",
                menu_item(_MENU, "pencil", "Rename", on_click=_renaming.set(renaming)),
                rx.cond(
                    _menu_of.value["pinned"] == "",
                    menu_item(_MENU, "pin", "Pin", on_click=_pin(SidebarState.pin)),
                    menu_item(_MENU, "pin-off", "Unpin", on_click=_pin(SidebarState.unpin)),
                ),
                menu_item(_MENU, "link", "Share link…", on_click=open_public_links(_menu_of.value["id"], title)),
                menu_item(_MENU, "download", "Export or print…", on_click=open_export(_menu_of.value["id"], title)),
                menu_item(
                    _MENU, "history", "History and map", on_click=rx.redirect(f"/history/{_menu_of.value['id']}")
                ),
                menu_item(_MENU, "archive", "Archive", on_click=_move(SidebarState.archive)),
                menu_item(_MENU, "trash-2", "Delete", danger=True, on_click=_move(SidebarState.remove)),
            ),
            rx.cond(drawer.value, toasts()),
            account_menu(drawer),
            class_name="sidebar",
            aria_label="Conversations",
            custom_attrs={"data-open": is_open},
        ),
        palette(),
        public_links(),
        export_dialog(),
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


def _groups() -> rx.Component:
    more = rx.el.button(
        "Show more conversations",
        type="button",
        class_name="more-rows",
        on_click=SidebarState.more(SidebarState.next_after),
        custom_attrs={"data-loads-more": SidebarState.next_after},
    )
    rows = rx.fragment(
        rx.cond(SidebarState.pinned.length() > 0, _pinned()),
        rx.foreach(SidebarState.groups, _group),
        rx.foreach(SidebarState.older, _group),
        rx.cond(SidebarState.next_after != "", more),
    )
    empty = rx.el.p("Conversations appear here.", class_name="no-rows")
    return rx.cond(
        CurrentUserState.must_enrol,
        rx.el.p("Your conversations appear here once two-factor authentication is set up.", class_name="no-rows"),
        rx.cond(
            SidebarState.loaded,
            rx.cond((SidebarState.groups.length() > 0) | (SidebarState.pinned.length() > 0), rows, empty),
            skeleton("Loading conversations", 72, 54, 80, 62, 46, look="rows-skeleton"),
        ),
    )


def _group(group: Group) -> rx.Component:
    return rx.el.section(
        rx.cond(group.is_continued, rx.fragment(), rx.el.h2(group.label)),
        rx.el.ul(rx.foreach(group.rows, _row)),
        aria_label=group.label,
        key=group.label,
    )


def _pinned() -> rx.Component:
    return rx.el.section(
        rx.el.h2("Pinned"),
        rx.el.ul(rx.foreach(SidebarState.pinned, _pinned_row)),
        aria_label="Pinned",
    )


def _pinned_row(row: ConversationView) -> rx.Component:
    return _any_row(row, pinned="yes")


def _row(row: ConversationView) -> rx.Component:
    return _any_row(row, pinned="")


def _any_row(row: ConversationView, *, pinned: str) -> rx.Component:
    typed, renaming = _typed.value, _renaming.value
    is_typed = (typed["id"] == row.id) & (typed["number"] != SidebarState.answered_rename)
    return conversation_row(
        identifier=row.id,
        title=rx.cond(is_typed, typed["title"].to(str), row.title),
        is_current=row.id == route_param("conversation_id"),
        is_running=SidebarState.running.contains(row.id),
        pinned=pinned,
        rename_number=rx.cond(renaming["id"] == row.id, renaming["number"].to(int), 0),
        key=row.id,
    )


@rx.memo
def conversation_row(
    identifier: rx.Var[str],
    title: rx.Var[str],
    is_current: rx.Var[bool],
    is_running: rx.Var[bool],
    pinned: rx.Var[str],
    rename_number: rx.Var[int],
    rest: rx.RestProp,
) -> rx.Component:
    """One conversation: a link, and its menu; a field while it is renamed (`rename_number` is not 0)."""
    pulse = rx.el.span(class_name="pulse", role="img", aria_label="An answer is being written")
    shown = rx.el.li(
        rest,
        link(
            rx.el.span(title, class_name="row-title"),
            rx.cond(is_running, pulse),
            to=f"/c/{identifier}",
            title=title,
            on_click=drawer.set(False),
            custom_attrs={"aria-current": rx.cond(is_current, "page", UNDEFINED)},
        ),
        rx.el.div(
            rx.el.button(
                icon("ellipsis"),
                type="button",
                class_name="icon-button small",
                aria_label=f"Actions for {title}",
                on_click=_menu_of.set({"id": identifier, "title": title, "pinned": pinned}),
                custom_attrs=opens(_MENU),
            ),
            class_name="menu-root row-menu",
        ),
        class_name="row",
        id=f"conversation-{identifier}",
        custom_attrs={"data-current": rx.cond(is_current, "", UNDEFINED), "data-long-press": ""},
    )
    return rx.cond(rename_number > 0, _rename_field(identifier, title, rename_number), shown)


def _rename_field(identifier: Any, title: Any, number: Any) -> rx.Component:
    """Enter and leaving the field save what was typed, Escape does not (data-edits-in-place)."""

    def finish(typed: rx.Var[str]) -> list[Any]:
        words = typed.strip()
        is_changed = (words != "") & (words != title)
        show = _typed.assign({"id": identifier, "title": words, "number": number})
        end = in_sequence(
            rx.cond(is_changed, show, UNDEFINED),
            _renaming.assign(_NONE),
            focus_if_lost.call(f"#conversation-{identifier} a"),
        )
        form = {"id": identifier, "title": words, "dialog": number.to_string()}
        return [end, rx.cond(is_changed, SidebarState.rename(form), rx.noop())]

    return rx.el.li(
        rx.el.input(
            class_name="rename",
            aria_label="Conversation title",
            default_value=title,
            on_blur=finish,
            custom_attrs=at_most(200) | {"data-edits-in-place": ""},
            auto_focus=True,
        )
    )


def _pin(handler: Any) -> list[Any]:
    """Its row moves to another group, and keeps the focus."""
    identifier = _menu_of.value["id"]
    follow = focus_if_lost.call(f"#conversation-{identifier} a")
    return [handler(identifier), in_sequence(follow)]


def _move(handler: Any) -> list[Any]:
    """Take a conversation out of the list. If it is open, the page for a new one follows; Undo shows it in the list again."""
    identifier = _menu_of.value["id"]
    is_open = identifier == route_param("conversation_id")
    leave = rx.cond(is_open, click_on.call(".wordmark"), focus_beside.call(f"#conversation-{identifier}", ".row"))
    return [in_sequence(leave), handler(identifier), ArchiveState.refresh]

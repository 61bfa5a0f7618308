"""The sidebar's list: conversations by age, each a link with a menu, a field while it is renamed, a checkbox while some are picked."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.states.chat.sidebar import ConversationView, Group, SidebarState, TagView
from rxchat.states.platform.current_user import CurrentUserState
from rxchat.ui.chat.tags import row_tags
from rxchat.ui.kit.client_values import ClientValue, in_sequence, route_param
from rxchat.ui.kit.elements import UNDEFINED, at_most, focus_if_lost, icon, link, opens, skeleton
from rxchat.ui.kit.picking import Picking

MENU = "conversation-menu"

drawer: ClientValue[bool] = ClientValue("drawer", False)
"""Whether the phone's drawer is open."""
menu_of: ClientValue[dict[str, str]] = ClientValue(
    "conversation_menu", {"id": "", "title": "", "pinned": ""}, dict[str, str]
)
"""The conversation whose menu was opened last."""
is_picking: ClientValue[bool] = ClientValue("conversations_picking", False)
"""Whether rows have checkboxes instead of links."""
picking = Picking("picked_conversations")
_NONE = {"id": "", "number": 0}
renaming: ClientValue = ClientValue("conversation_renaming", _NONE, dict[str, Any])
"""The conversation that is renamed, and the number by which the server's answer is recognized."""
_typed: ClientValue = ClientValue("conversation_typed", {"id": "", "title": "", "number": 0}, dict[str, Any])
"""The title that was typed last: it is shown until the server has answered."""


def has_rows() -> rx.Var[bool]:
    """Whether the list has something."""
    return (SidebarState.groups.length() > 0) | (SidebarState.pinned.length() > 0)


def conversation_rows() -> rx.Component:
    """The list, or what stands in its place."""
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
    words = rx.cond(
        SidebarState.tag != "",
        "No chat in this list has the tag.",
        rx.cond(SidebarState.project != "", "New chats begin in this project.", "Conversations appear here."),
    )
    empty = rx.el.p(words, class_name="no-rows")
    return rx.el.div(
        rx.cond(
            CurrentUserState.must_enrol,
            rx.el.p("Your conversations appear here once two-factor authentication is set up.", class_name="no-rows"),
            rx.cond(
                SidebarState.loaded,
                rx.cond(has_rows(), rows, empty),
                skeleton("Loading conversations", 72, 54, 80, 62, 46, look="rows-skeleton"),
            ),
        ),
        class_name="groups",
        custom_attrs=picking.list_attributes(),
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
    typed = _typed.value
    is_typed = (typed["id"] == row.id) & (typed["number"] != SidebarState.answered_rename)
    return conversation_row(
        identifier=row.id,
        title=rx.cond(is_typed, typed["title"].to(str), row.title),
        is_current=row.id == route_param("conversation_id"),
        is_running=SidebarState.running.contains(row.id),
        is_unread=SidebarState.unread.contains(row.id),
        tags=row.tags,
        pinned=pinned,
        rename_number=rx.cond(renaming.value["id"] == row.id, renaming.value["number"].to(int), 0),
        is_picking=is_picking.value,
        is_picked=picking.picked.value.contains(row.id),
        key=row.id,
    )


@rx.memo
def conversation_row(
    identifier: rx.Var[str],
    title: rx.Var[str],
    is_current: rx.Var[bool],
    is_running: rx.Var[bool],
    is_unread: rx.Var[bool],
    tags: rx.Var[list[TagView]],
    pinned: rx.Var[str],
    rename_number: rx.Var[int],
    is_picking: rx.Var[bool],
    is_picked: rx.Var[bool],
    rest: rx.RestProp,
) -> rx.Component:
    """One conversation: a link, and its menu; a field while it is renamed (`rename_number` is not 0), a checkbox while some are picked."""
    pulse = rx.el.span(class_name="pulse", role="img", aria_label="An answer is being written")
    mark = rx.el.span(class_name="unread-mark", role="img", aria_label="New answer")
    content = (
        rx.el.span(title, class_name="row-title"),
        row_tags(tags),
        rx.cond(is_running, pulse, rx.cond(is_unread & ~is_current, mark)),
    )
    actions = rx.el.button(
        icon("ellipsis"),
        type="button",
        class_name="icon-button small",
        aria_label=f"Actions for {title}",
        on_click=menu_of.set({"id": identifier, "title": title, "pinned": pinned}),
        custom_attrs=opens(MENU),
    )
    attributes = {"data-current": rx.cond(is_current, "", UNDEFINED), "data-unread": rx.cond(is_unread, "", UNDEFINED)}
    as_link = rx.el.li(
        rest,
        link(
            *content,
            to=f"/c/{identifier}",
            title=title,
            on_click=drawer.set(False),
            custom_attrs={"aria-current": rx.cond(is_current, "page", UNDEFINED)},
        ),
        rx.el.div(actions, class_name="menu-root row-menu"),
        class_name="row",
        id=f"conversation-{identifier}",
        custom_attrs=attributes | {"data-long-press": ""},
    )
    as_choice = rx.el.li(
        rest,
        rx.el.label(picking.box(identifier, "", is_picked=is_picked), *content, title=title),
        class_name="row",
        id=f"conversation-{identifier}",
        custom_attrs=attributes | {"data-picked": rx.cond(is_picked, "", UNDEFINED)},
    )
    shown = rx.cond(is_picking, as_choice, as_link)
    return rx.cond(rename_number > 0, _rename_field(identifier, title, rename_number), shown)


def _rename_field(identifier: Any, title: Any, number: Any) -> rx.Component:
    """Enter and leaving the field save what was typed, Escape does not (data-edits-in-place)."""

    def finish(typed: rx.Var[str]) -> list[Any]:
        words = typed.strip()
        is_changed = (words != "") & (words != title)
        show = _typed.assign({"id": identifier, "title": words, "number": number})
        end = in_sequence(
            rx.cond(is_changed, show, UNDEFINED),
            renaming.assign(_NONE),
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

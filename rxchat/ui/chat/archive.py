"""The page of archived and deleted conversations."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.domain.bulk_actions import BulkAction
from rxchat.states.chat.archive import ArchivedView, ArchiveState
from rxchat.ui.chat.topbar import page_bar
from rxchat.ui.kit.client_values import fresh, in_sequence
from rxchat.ui.kit.dialogs import Dialogs
from rxchat.ui.kit.elements import Moment, counted, empty_state, focus_if_lost, link, quiet_button, skeleton
from rxchat.ui.kit.forms import form_problem
from rxchat.ui.kit.panels import item_line, item_list, panel
from rxchat.ui.kit.picking import Picking
from rxchat.ui.layout import page_shell

_dialogs = Dialogs("archive_dialog", ArchiveState, ArchivedView)
_title = "Archive and trash"
_archived = Picking("picked_archived")
_deleted = Picking("picked_deleted")


def archive_page() -> rx.Component:
    """Both lists, and what can be done with their conversations."""
    conversation = _dialogs.subject
    return page_shell(
        page_bar(_title),
        rx.el.div(
            rx.el.div(
                rx.el.h1(_title, class_name="sr-only", tab_index=-1),
                rx.cond(ArchiveState.problem_dialog == 0, form_problem(ArchiveState.problem)),
                rx.cond(
                    ArchiveState.loaded,
                    rx.fragment(_archive(), _trash()),
                    skeleton("Loading conversations", 60, 84, 72, 66),
                ),
                class_name="archive",
            ),
            class_name="documents-scroll",
        ),
        _dialogs.confirm(
            "delete",
            "Delete this conversation permanently?",
            f"“{conversation.title}” cannot be restored afterwards.",
            action="Delete permanently",
            on_submit=ArchiveState.delete_for_good,
        ),
        _dialogs.form(
            "delete-all",
            f"Delete {counted.call(_deleted.count, 'conversation').to(str)} permanently?",
            rx.el.input(type="hidden", name="ids", value=_deleted.picked.value.join(",")),
            lead="They cannot be restored afterwards.",
            action="Delete permanently",
            danger=True,
            on_submit=[ArchiveState.delete_all_for_good, in_sequence(_deleted.clear)],
        ),
        _dialogs.form(
            "empty",
            "Empty the trash?",
            lead="All deleted conversations are deleted permanently, also those that are not shown. They cannot be restored.",
            action="Delete all permanently",
            danger=True,
            on_submit=ArchiveState.empty_trash,
        ),
    )


def _archive() -> rx.Component:
    rows = item_list("Archive", rx.foreach(ArchiveState.archived, _archived_line))
    nothing = empty_state("archive", "Nothing is archived. A conversation’s menu in the sidebar moves it here.")
    bar = _bar(
        _archived,
        quiet_button("Unarchive", on_click=_change(_archived, BulkAction.UNARCHIVE)),
        quiet_button("Delete", danger=True, on_click=_change(_archived, BulkAction.REMOVE)),
    )
    return panel(
        "Archive",
        bar,
        rx.el.div(rx.cond(ArchiveState.archived.length() > 0, rows, nothing), custom_attrs=_archived.list_attributes()),
        rx.cond(ArchiveState.has_more_archived, _more(ArchiveState.more_archived)),
        lead="Archived conversations are not in the sidebar. Search finds them, and you can continue them.",
    )


def _trash() -> rx.Component:
    rows = item_list("Trash", rx.foreach(ArchiveState.deleted, _deleted_line))
    empty = quiet_button("Empty trash", on_click=_dialogs.open("empty"), danger=True)
    nothing = empty_state("trash-2", "The trash is empty.")
    bar = _bar(
        _deleted,
        quiet_button("Restore", on_click=_change(_deleted, BulkAction.RESTORE)),
        quiet_button(
            "Delete permanently",
            danger=True,
            on_click=_dialogs.open("delete-all", {"id": "", "title": "", "at": 0, "left": ""}),
        ),
    )
    return panel(
        "Trash",
        bar,
        rx.el.div(rx.cond(ArchiveState.deleted.length() > 0, rows, nothing), custom_attrs=_deleted.list_attributes()),
        rx.cond(ArchiveState.has_more_deleted, _more(ArchiveState.more_deleted)),
        lead="Deleted conversations can be restored for 30 days. Then they are deleted permanently.",
        action=rx.cond(ArchiveState.deleted.length() > 0, empty),
    )


def _bar(picking: Picking, *buttons: rx.Component) -> rx.Component:
    """What can be done with the conversations that are picked."""
    bar = rx.el.div(
        rx.el.p(f"{picking.count} selected", role="status"),
        quiet_button("Select all", on_click=picking.all),
        *buttons,
        role="group",
        aria_label="Selected conversations",
        class_name="picked-bar",
    )
    return rx.fragment(fresh(picking.picked), rx.cond(picking.count > 0, bar))


def _change(picking: Picking, action: BulkAction) -> list[Any]:
    """Do it with all that are picked."""
    form = {"ids": picking.picked.value, "action": action.value}
    return [ArchiveState.change_all(form), in_sequence(picking.clear, focus_if_lost.call("h1"))]


def _box(picking: Picking, item: ArchivedView) -> rx.Component:
    return rx.el.label(picking.box(item.id, f"Select {item.title}"), class_name="item-pick")


def _archived_line(item: ArchivedView) -> rx.Component:
    return item_line(
        _box(_archived, item),
        link(item.title, to=f"/c/{item.id}"),
        quiet_button("Unarchive", aria_label=f"Unarchive {item.title}", on_click=ArchiveState.unarchive(item.id)),
        quiet_button("Delete", aria_label=f"Delete {item.title}", on_click=ArchiveState.remove(item.id), danger=True),
        detail=rx.fragment("archived ", Moment.create(at=item.at)),
        key=item.id,
    )


def _deleted_line(item: ArchivedView) -> rx.Component:
    return item_line(
        _box(_deleted, item),
        item.title,
        quiet_button("Restore", aria_label=f"Restore {item.title}", on_click=ArchiveState.restore(item.id)),
        quiet_button(
            "Delete",
            aria_label=f"Delete {item.title} permanently",
            on_click=_dialogs.open("delete", item),
            danger=True,
        ),
        detail=rx.fragment("deleted ", Moment.create(at=item.at), " · ", item.left),
        key=item.id,
    )


def _more(on_click: Any) -> rx.Component:
    return quiet_button("Show more", on_click=on_click, class_name="button-quiet archive-more")

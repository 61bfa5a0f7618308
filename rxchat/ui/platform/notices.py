"""Notices at the top of a page (a lost connection, problems of the server), and its toasts."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.states.chat.archive import ArchiveState
from rxchat.states.chat.assistants import AssistantsState
from rxchat.states.chat.conversation_history import HistoryState
from rxchat.states.chat.message_actions import MessageActionsState
from rxchat.states.chat.model_picker import ModelPickerState
from rxchat.states.chat.projects import ProjectsState
from rxchat.states.chat.prompts import PromptsState
from rxchat.states.chat.sidebar import SidebarState
from rxchat.states.chat.thread import ThreadState
from rxchat.states.documents.documents import DocumentsState
from rxchat.states.platform.current_user import CurrentUserState
from rxchat.ui.client import ClientComponent, module
from rxchat.ui.kit.client_values import ClientValue, in_sequence, js_function
from rxchat.ui.kit.elements import icon
from rxchat.ui.kit.toasts import toast, toast_action

_is_offline: ClientValue[bool] = ClientValue("is_offline", False)
problem_toast: ClientValue[str] = ClientValue("problem_toast", "")
"""The error of something that the browser did by itself."""
_pasted: ClientValue[dict[str, str]] = ClientValue("pasted_text", {"name": "", "key": ""}, dict[str, str])
"""The attachment that a pasted text became (client/page-attachments.js)."""
_keep_pasted = js_function("keepPasted", "page-attachments.js")
_paste_as_text = js_function("pasteAsText", "page-attachments.js")


class ConnectionWatch(ClientComponent):
    """Finds out when the websocket is gone; shows nothing."""

    library = module("connection.jsx")
    tag = "ConnectionWatch"


def banners(*, only_problems: bool = False) -> rx.Component:
    """The notices, which float over the top of the page."""
    readings = CurrentUserState.readings
    more = (
        rx.cond(
            readings != "",
            _notice("eye", readings, " ", rx.el.a("Show details", href="/account/data")),
        ),
        rx.cond(ModelPickerState.notice != "", _notice("cloud-off", ModelPickerState.notice)),
    )
    return rx.el.div(
        ConnectionWatch.create(),
        _announced(
            rx.cond(
                _is_offline.value,
                _notice(
                    "refresh-cw",
                    "Reconnecting… Your text is kept, and answers continue on the server.",
                    icon_look="spin",
                ),
            )
        ),
        _announced(
            rx.cond(
                ThreadState.problem != "", _notice("triangle-alert", ThreadState.problem, look="notice is-warning")
            ),
            *(() if only_problems else more),
        ),
        class_name="notices",
    )


def _announced(*notices: Any) -> rx.Component:
    return rx.el.div(*notices, role="status", class_name="contents")


def _notice(icon_name: str, *words: Any, look: str = "notice", icon_look: str = "") -> rx.Component:
    return rx.el.p(icon(icon_name, 15, class_name=icon_look), rx.el.span(*words), class_name=look)


def toasts() -> rx.Component:
    """The toasts. They have a place of their own, so that they cover neither text nor the composer."""
    moved = SidebarState.flash
    documents, restorable = DocumentsState.flash, DocumentsState.removed
    restore = toast_action("Undo", DocumentsState.restore_documents(restorable))
    return rx.el.div(
        toast(
            moved != "",
            moved,
            SidebarState.dismiss,
            toast_action("Undo", [SidebarState.undo, ArchiveState.refresh]),
            key=moved,
        ),
        toast(
            ArchiveState.flash != "",
            ArchiveState.flash,
            ArchiveState.dismiss,
            key=ArchiveState.flash + ArchiveState.flashes.to_string(),
        ),
        toast(
            HistoryState.flash != "",
            HistoryState.flash,
            HistoryState.dismiss,
            rx.cond(HistoryState.can_undo, toast_action("Undo", HistoryState.undo)),
            key=HistoryState.flash + HistoryState.flashes.to_string(),
        ),
        toast(
            documents != "",
            documents,
            DocumentsState.dismiss,
            rx.cond(restorable != "", restore),
            key=documents + restorable,
        ),
        *_toasts_with_undo(PromptsState, AssistantsState),
        toast(
            MessageActionsState.deleted != "",
            MessageActionsState.deleted,
            MessageActionsState.dismiss_deleted,
            toast_action("Undo", MessageActionsState.undo_delete),
            key=MessageActionsState.deleted_id,
        ),
        toast(
            ProjectsState.flash != "",
            ProjectsState.flash,
            ProjectsState.dismiss,
            key=ProjectsState.flash + ProjectsState.flashes.to_string(),
        ),
        _pasted_toast(),
        toast(problem_toast.value != "", problem_toast.value, problem_toast.set(""), key=problem_toast.value),
        class_name="toasts",
        role="status",
    )


def _toasts_with_undo(*states: Any) -> list[rx.Component]:
    """What was done on the pages of prompts and assistants; what was deleted comes back by Undo."""
    return [
        toast(
            state.flash != "",
            state.flash,
            state.dismiss,
            rx.cond(state.removed != "", toast_action("Undo", state.restore(state.removed))),
            key=state.flash + state.flashes.to_string(),
        )
        for state in states
    ]


def _pasted_toast() -> rx.Component:
    name = _pasted.value["name"]
    return toast(
        name != "",
        rx.fragment("Attached as “", name, "”."),
        in_sequence(_keep_pasted.call()),
        toast_action("Paste as text instead", in_sequence(_paste_as_text.call())),
        key=name + _pasted.value["key"],
    )

"""The dialog “What the model saw” of an answer, and the item of a message's menu that opens it."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.states.chat.prompt_record import PromptRecordState, SeenMessageView
from rxchat.ui.kit.client_values import StateRequest, in_sequence, js_function
from rxchat.ui.kit.dialogs import Dialogs
from rxchat.ui.kit.elements import icon, menu_item, quiet_button, skeleton
from rxchat.ui.kit.forms import form_problem

_download = js_function("download", "save.js")
_dialogs = Dialogs("prompt_record_dialog", PromptRecordState, dict[str, Any])


def prompt_record_item(menu_id: str, message_id: Any) -> rx.Component:
    """The item of an answer's menu."""
    return menu_item(menu_id, "scan-eye", "What the model saw", on_click=_dialogs.open("record", {"id": message_id}))


def prompt_record_dialog() -> rx.Component:
    """The dialog; once on the page of a conversation."""
    number, state = _dialogs.number.to_string(), PromptRecordState
    failed = (state.problem_dialog == _dialogs.number) & (state.problem != "")
    waiting = rx.cond(failed, form_problem(state.problem), skeleton("Loading", 50, 90, 90, 70, look="skeleton"))
    return _dialogs.window(
        "record",
        "What the model saw",
        StateRequest.create(
            wanted=number,
            loaded=rx.cond(failed, number, state.opened.to_string()),
            on_request=state.show({"dialog": number, "id": _dialogs.subject["id"]}),
        ),
        rx.cond(state.opened == _dialogs.number, _record(), waiting),
        lead="For the last time that this answer was written. Only you see it.",
        is_wide=True,
    )


def _record() -> rx.Component:
    record = PromptRecordState.record
    return rx.fragment(
        rx.el.dl(
            rx.foreach(record.facts, lambda fact, _number: rx.fragment(rx.el.dt(fact[0]), rx.el.dd(fact[1]))),
            class_name="record-facts",
        ),
        rx.el.h3("Messages, as they were sent", class_name="record-title"),
        rx.el.ol(rx.foreach(record.messages, _message), class_name="record-messages"),
        rx.cond(
            record.left_out_count > 0,
            rx.el.details(
                rx.el.summary(f"Left out, because it did not fit ({record.left_out_count})"),
                rx.el.ol(rx.foreach(record.left_out, _message), class_name="record-messages"),
                class_name="record-left-out",
            ),
        ),
        rx.cond(
            record.sources.length() > 0,
            rx.fragment(
                rx.el.h3("Sources", class_name="record-title"),
                rx.el.ul(
                    rx.foreach(record.sources, lambda source, _number: rx.el.li(source)), class_name="assistant-facts"
                ),
            ),
        ),
        rx.cond(record.note != "", rx.el.p(record.note, class_name="field-help")),
        rx.el.div(
            quiet_button("Close", on_click=_dialogs.close),
            quiet_button(
                icon("download", 15),
                " Download as JSON",
                on_click=in_sequence(_download.call(f"/api/v1/runs/{record.run_id}/prompt")),
            ),
            class_name="dialog-actions",
        ),
    )


def _message(item: rx.Var[SeenMessageView], number: rx.Var[int]) -> rx.Component:
    return rx.el.li(
        rx.el.p(
            rx.el.b(item.who),
            rx.cond(item.note != "", rx.el.span(f" · {item.note}", class_name="text-muted")),
            class_name="record-who",
        ),
        rx.el.pre(item.text, dir="auto", tab_index=0, aria_label=f"Message {number + 1}"),
        key=number,
    )

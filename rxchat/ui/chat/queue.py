"""The queued messages: sent while an answer is being written, they can be edited and taken back until their turn comes."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.states.chat.thread import ThreadState
from rxchat.states.platform.current_user import CurrentUserState
from rxchat.ui.client import ClientComponent, module
from rxchat.ui.kit.client_values import ClientValue, in_sequence, js_function, route_param
from rxchat.ui.kit.elements import focus_if_lost, icon, icon_button, quiet_button

_edited: ClientValue[str] = ClientValue("queue_edited", "")
"""The message that is edited."""
_typed: ClientValue[str] = ClientValue("queue_typed", "")
_leaving: ClientValue[str] = ClientValue("queue_leaving", "")
"""The message that is being taken back."""
_type = js_function("typeQueued", "queue-feed.jsx")
_leave = js_function("leaveQueued", "queue-feed.jsx")
_take_back = js_function("takeBack", "queue-feed.jsx")
_problem_of = js_function("tooLong", "words.js")


class QueueFeed(ClientComponent):
    """Keeps what is typed into queued messages, and the texts of those that are taken back; shows nothing."""

    library = module("queue-feed.jsx")
    tag = "QueueFeed"

    current_user: rx.Var[str]
    on_withdraw: rx.EventHandler[rx.event.passthrough_event_spec(str)]


def queue() -> rx.Component:
    """The messages that wait in the conversation on screen."""
    waiting = ThreadState.waiting.to(list[dict[str, Any]])
    is_here = (ThreadState.conversation_id == route_param("conversation_id")) & ThreadState.waiting.bool()
    is_held = ThreadState.run["state"] == ""
    title = rx.cond(
        is_held,
        "Not sent yet",
        rx.cond(
            waiting.length() == 1,
            "Sent when this answer is done or stopped",
            f"{waiting.length()} messages, sent one after another when this answer is done or stopped",
        ),
    )
    shown = rx.el.section(
        rx.el.p(
            title,
            rx.cond(is_held, quiet_button("Send now", on_click=ThreadState.ask_next)),
            class_name="queue-title",
            role="status",
        ),
        rx.el.ol(rx.foreach(waiting, _row)),
        class_name="queue",
        aria_label="Queued messages",
    )
    return rx.fragment(
        QueueFeed.create(
            current_user=CurrentUserState.email,
            on_withdraw=ThreadState.withdraw,
        ),
        rx.cond(is_here, rx.cond(waiting.length() > 0, shown)),
    )


def _row(message: rx.Var[dict[str, Any]]) -> rx.Component:
    identifier = message["id"].to(str)
    return queued_message(
        identifier=identifier,
        text=message["text"].to(str),
        is_long=message["is_long"].to(bool),
        is_edited=_edited.value == identifier,
        is_leaving=_leaving.value == identifier,
        key=identifier,
    )


@rx.memo
def queued_message(
    identifier: rx.Var[str],
    text: rx.Var[str],
    is_long: rx.Var[bool],
    is_edited: rx.Var[bool],
    is_leaving: rx.Var[bool],
    rest: rx.RestProp,
) -> rx.Component:
    """One queued message; a field while it is edited. Of a long one only the beginning is here, which cannot be edited."""
    begin = in_sequence(_typed.assign(text), _edited.assign(identifier))
    edit = icon_button("pencil", "Edit this message", tip="Edit", size=14, side="top", look="small", on_click=begin)
    shown = rx.el.li(
        rest,
        icon("corner-down-right", 15),
        rx.el.span(text, class_name="queue-text", dir="auto"),
        rx.cond(is_long, rx.fragment(), edit),
        icon_button(
            "undo-2",
            "Remove this message from the queue",
            tip="Remove",
            size=15,
            side="top",
            look="small",
            disabled=is_leaving,
            on_click=in_sequence(_take_back.call(identifier, text, is_long)),
        ),
        id=f"queued-{identifier}",
    )
    return rx.cond(is_edited, rx.el.li(_edit_form(identifier, text)), shown)


def _edit_form(identifier: Any, text: Any) -> rx.Component:
    typed = _typed.value
    problem = _problem_of.call(typed).to(str)
    is_bad = (typed.strip() == "") | (problem != "")
    close = (_edited.assign(""), focus_if_lost.call(f"#queued-{identifier} button"))
    # What was typed is let go when the list shows it: its turn may come first.
    is_changed = ~is_bad & (typed.strip() != text)
    save = [
        in_sequence(rx.cond(is_bad, rx.Var("null"), rx.Var.create(list(close)))),
        rx.cond(is_changed, ThreadState.change_waiting(identifier, typed.strip()), rx.noop()),
    ]
    return rx.el.form(
        rx.el.textarea(
            rows="2",
            dir="auto",
            aria_label="Queued message",
            default_value=text,
            auto_focus=True,
            on_change=lambda value: in_sequence(_typed.assign(value), _type.call(identifier, text, value)),
            custom_attrs={"data-enter-submits": ""},
        ),
        rx.cond(problem != "", rx.el.p(problem, role="alert", class_name="queue-problem")),
        rx.el.div(
            quiet_button("Cancel", on_click=in_sequence(_leave.call(), *close), custom_attrs={"data-cancels": ""}),
            quiet_button("Save", type="submit", disabled=is_bad),
            class_name="queue-actions",
        ),
        on_submit=save,
        class_name="queue-edit",
    )

"""The menu of a message, and the dialogs for editing it. The buttons in each message are in message-actions.jsx."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.domain.feedback import COMMENT_CHARACTERS, REASONS, Rating
from rxchat.domain.text import ANSWER_CHARACTERS, MESSAGE_CHARACTERS
from rxchat.states.chat.message_actions import MessageActionsState
from rxchat.ui.chat.composer import focus_composer
from rxchat.ui.chat.prompt_record import prompt_record_dialog, prompt_record_item
from rxchat.ui.chat.voice import ReadAloudEnds, read_aloud_item
from rxchat.ui.kit.client_values import ClientValue, in_sequence, js_function
from rxchat.ui.kit.dialogs import Dialogs
from rxchat.ui.kit.elements import menu, menu_item
from rxchat.ui.kit.forms import text_area

MENU = "message-menu"
_menu_of: ClientValue[dict[str, str]] = ClientValue(
    "message_menu", {"id": "", "role": "", "text": "", "client_id": ""}, dict[str, str]
)
"""The message whose menu was opened last; `client_id` is the ID of a new version of it."""
_dialogs = Dialogs("message_dialog", MessageActionsState, dict[str, str])
_copy_plain = js_function("copyPlain", "copy.jsx")


def message_actions() -> rx.Component:
    """What a conversation's page has once for all its messages."""
    return rx.fragment(
        _menu(), _edit_question(), _edit_answer(), _explain(), prompt_record_dialog(), ReadAloudEnds.create()
    )


def _menu() -> rx.Component:
    message = _menu_of.value
    is_answer = message["role"] == "assistant"
    return menu(
        MENU,
        "Actions for this message",
        rx.cond(
            is_answer,
            rx.fragment(
                menu_item(MENU, "pencil", "Edit answer", on_click=_dialogs.open("answer", message)),
                menu_item(MENU, "type", "Copy as plain text", on_click=in_sequence(_copy_plain.call(message["id"]))),
                read_aloud_item(MENU, message["id"]),
                prompt_record_item(MENU, message["id"]),
            ),
            rx.fragment(
                menu_item(MENU, "pencil", "Edit", on_click=_dialogs.open("question", message)),
                menu_item(
                    MENU,
                    "refresh-cw",
                    "Answer again",
                    on_click=[MessageActionsState.regenerate(message["id"]), in_sequence(focus_composer.call())],
                ),
            ),
        ),
        menu_item(MENU, "git-fork", "New chat from here", on_click=MessageActionsState.fork(message["id"])),
        menu_item(
            MENU,
            "trash-2",
            "Delete",
            danger=True,
            on_click=[MessageActionsState.delete(message["id"]), in_sequence(focus_composer.call())],
        ),
    )


def _edit_question() -> rx.Component:
    return _dialogs.form(
        "question",
        "Edit message",
        *_fields("Message", MESSAGE_CHARACTERS),
        lead="It is answered again. The earlier version and its answers are kept: the arrows below the message lead to them.",
        action="Send",
        busy="Sending…",
        is_wide=True,
        on_submit=MessageActionsState.edit,
    )


def _edit_answer() -> rx.Component:
    return _dialogs.form(
        "answer",
        "Edit answer",
        *_fields("Answer", ANSWER_CHARACTERS),
        lead="Later answers follow what you write. The model’s own answer is kept: the arrows below lead to it.",
        action="Save",
        busy="Saving…",
        is_wide=True,
        on_submit=MessageActionsState.edit_answer,
    )


def _explain() -> rx.Component:
    subject = _dialogs.subject
    given = subject["reasons"].split(",")
    reasons = [
        rx.el.label(
            rx.el.input(type="checkbox", name=f"reason:{key}", default_checked=given.contains(key)),
            rx.el.span(words),
            class_name="choice",
        )
        for key, words in REASONS.items()
    ]
    return _dialogs.form(
        "explain",
        "What was wrong?",
        rx.el.input(type="hidden", name="id", value=subject["id"]),
        rx.el.input(type="hidden", name="rating", value=Rating.BAD.value),
        rx.el.div(
            rx.el.fieldset(rx.el.legend("Reasons", class_name="sr-only"), *reasons, class_name="choices"),
            class_name="field",
        ),
        text_area(
            "comment",
            "In your words",
            help_text="Optional.",
            problem=_dialogs.problem_of("comment"),
            is_announced=True,
            longest=COMMENT_CHARACTERS,
            default_value=subject["comment"],
            dir="auto",
        ),
        lead="Administrators see your rating, the reasons, your name and the model; not the conversation.",
        action="Save",
        busy="Saving…",
        on_submit=MessageActionsState.explain,
    )


def _fields(label: str, longest: int) -> tuple[Any, ...]:
    message = _dialogs.subject
    return (
        rx.el.input(type="hidden", name="id", value=message["id"]),
        rx.el.input(type="hidden", name="client_id", value=message["client_id"]),
        text_area(
            "text",
            label,
            problem=_dialogs.problem_of("text"),
            is_announced=True,
            longest=longest,
            default_value=message["text"],
            rows="10",
            dir="auto",
        ),
    )

"""The page of a temporary chat."""

from __future__ import annotations

import reflex as rx

from rxchat.domain.text import MESSAGE_CHARACTERS
from rxchat.states.chat.model_picker import ModelPickerState
from rxchat.states.chat.temporary import TemporaryChatState
from rxchat.ui.chat.public_page import PublicConversation
from rxchat.ui.chat.topbar import temporary_bar
from rxchat.ui.kit.client_values import js_function
from rxchat.ui.kit.elements import UNDEFINED, at_most, icon, quiet_button
from rxchat.ui.kit.forms import form_problem
from rxchat.ui.layout import page_shell

_sends_with_key = js_function("sendsWithKey", "temporary.js")
_asks_before_leaving = js_function("asksBeforeLeaving", "temporary.js")


def temporary_page() -> rx.Component:
    """The messages, and the field below them."""
    has_some = TemporaryChatState.messages.length() > 0
    return page_shell(
        temporary_bar(),
        rx.el.div(
            rx.cond(
                has_some,
                rx.el.div(
                    PublicConversation.create(messages=TemporaryChatState.messages),
                    PublicConversation.create(messages=TemporaryChatState.answer),
                    custom_attrs={"ref": _asks_before_leaving},
                    class_name="temporary-messages",
                ),
                _empty(),
            ),
            class_name="thread-scroll",
            tab_index=0,
            role="region",
            aria_label="Messages",
        ),
        _composer(),
    )


def _empty() -> rx.Component:
    return rx.el.section(
        icon("message-circle-dashed", 30, 1.5),
        rx.el.h2("A chat that leaves nothing behind"),
        rx.el.p(
            "It is not in your list, in searches or in exports, and RxChat stores nothing of it: reloading or closing this tab"
            " ends it. The model’s own host may keep what it is asked."
        ),
        class_name="temporary-empty",
    )


def _composer() -> rx.Component:
    field = rx.el.textarea(
        name="text",
        rows="1",
        dir="auto",
        aria_label="Message",
        placeholder=rx.cond(ModelPickerState.model != "", f"Ask {ModelPickerState.title} anything", "Ask anything"),
        key=TemporaryChatState.accepted.to_string(),
        custom_attrs=at_most(MESSAGE_CHARACTERS) | {"ref": _sends_with_key},
    )
    stop = rx.el.button(
        icon("square", 13, fill="currentColor"),
        type="button",
        class_name="send is-stop",
        aria_label="Stop the answer",
        on_click=TemporaryChatState.stop,
    )
    send = rx.el.button(icon("arrow-up", 18, 2.25), type="submit", class_name="send", aria_label="Send")
    return rx.el.form(
        form_problem(TemporaryChatState.problem),
        rx.el.div(field, rx.cond(TemporaryChatState.is_busy, stop, send), class_name="composer-box"),
        rx.el.p(
            "Nothing of this chat is stored. AI can make mistakes: check important information. ",
            rx.cond(
                TemporaryChatState.messages.length() > 0,
                quiet_button("Forget it", on_click=TemporaryChatState.clear, class_name="link-button"),
            ),
            class_name="composer-hint",
        ),
        on_submit=TemporaryChatState.send,
        class_name="composer temporary-composer",
        custom_attrs={"data-busy": rx.cond(TemporaryChatState.is_busy, "", UNDEFINED)},
    )

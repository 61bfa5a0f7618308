"""Voice: words dictated into the composer, and answers read aloud, both by the browser where it can."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.ui.client import ClientComponent, module
from rxchat.ui.kit.client_values import ClientValue, in_sequence, js_function
from rxchat.ui.kit.dialogs import Dialogs, dialog_actions
from rxchat.ui.kit.elements import icon_button, main_button, menu_item

_can_dictate: ClientValue[bool] = ClientValue("can_dictate", initial=False)
_can_read_aloud: ClientValue[bool] = ClientValue("can_read_aloud", initial=False)
_dictation: ClientValue = ClientValue("dictation", {"is_on": False, "interim": ""}, dict[str, Any])
"""Whether the browser listens, and the words that it may still understand otherwise (client/dictation.js)."""
_reading: ClientValue[str] = ClientValue("reading_aloud", "")
"""The message that is being read aloud."""
_dialogs = Dialogs("dictation_dialog")
_toggle = js_function("toggleDictation", "dictation.js")
_allow = js_function("allowDictation", "dictation.js")
_toggle_reading = js_function("toggleReading", "read-aloud.js")


class ReadAloudEnds(ClientComponent):
    """Ends the reading when its conversation is left; shows nothing."""

    library = module("read-aloud.js")
    tag = "ReadAloudEnds"


def dictate_button() -> rx.Component:
    """The microphone of the composer, where the browser recognizes speech."""
    is_on = is_dictating()
    button = icon_button(
        "mic",
        "Dictate",
        side="top",
        tip=rx.cond(is_on, "Stop dictating · Escape", "Dictate"),
        look="dictate",
        aria_pressed=is_on,
        on_click=in_sequence(_toggle.call()),
    )
    return rx.cond(_can_dictate.value, button)


def is_dictating() -> rx.Var[bool]:
    """Whether the browser listens."""
    return _dictation.value["is_on"].to(bool)


def dictation_hint() -> rx.Component:
    """What is heard: that the browser listens is announced, its guesses are only shown."""
    heard = _dictation.value["interim"].to(str)
    return rx.fragment("Listening…", rx.el.span(" ", heard, class_name="hint-heard", aria_hidden="true"))


def dictation_dialog() -> rx.Component:
    """The question before the first dictation in this browser."""
    start = main_button("Start dictating", on_click=in_sequence(_dialogs.closing(), _allow.call()))
    return _dialogs.window(
        "ask",
        "Dictate messages?",
        dialog_actions(_dialogs.close, start),
        lead="Your browser turns your speech into text, and some browsers send the recording to a server of their maker for it.",
    )


def read_aloud_item(menu_id: str, message_id: rx.Var) -> rx.Component:
    """The item of an answer's menu that reads it aloud, or stops that."""
    # One button: another one in its place after a press would not close the menu.
    words = rx.cond(_reading.value == message_id, "Stop reading", "Read aloud")
    item = menu_item(menu_id, "volume-2", words, on_click=in_sequence(_toggle_reading.call(message_id)))
    return rx.cond(_can_read_aloud.value, item)

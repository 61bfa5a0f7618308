"""The composer: the text field, what goes along with the message, and the buttons to send and stop."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.states.chat.context_sources import ContextSourcesState
from rxchat.states.chat.drafts import DraftsState
from rxchat.states.chat.model_picker import ModelPickerState
from rxchat.states.chat.own_quotas import OwnQuotasState
from rxchat.states.chat.prompt_picks import InsertedText
from rxchat.states.chat.thread import ThreadState
from rxchat.states.platform.current_user import CurrentUserState
from rxchat.ui.chat.attachments import (
    attachment_chips,
    attachments_hint,
    context_choices,
    context_source_line,
    drop_overlay,
    is_uploading,
)
from rxchat.ui.chat.prompt_picks import prompt_choices, prompt_field_options
from rxchat.ui.chat.voice import dictate_button, dictation_hint, is_dictating
from rxchat.ui.client import ClientComponent, module
from rxchat.ui.kit.browser_preferences import send_key
from rxchat.ui.kit.client_values import ClientValue, in_sequence, js_function
from rxchat.ui.kit.elements import UNDEFINED, Moment, click_on, icon, icon_button, keys
from rxchat.ui.kit.inputs import adds_files

focus_composer = js_function("focusComposer", "composer.jsx")
"""Call it to focus the text field, except on phones."""
_send = js_function("sendMessage", "composer.jsx")
_is_something: ClientValue[bool] = ClientValue("composer_is_something", False)
"""Whether there is a message to send: a text, or an attachment."""
_too_long: ClientValue[str] = ClientValue("composer_too_long", "")
_refusal: ClientValue[str] = ClientValue("refusal", "")
"""Why the last message was not sent."""
_stopping: ClientValue[str] = ClientValue("stopping", "")
"""The run that is being stopped."""


class ComposerField(ClientComponent):
    """The text field, which keeps its drafts in the browser and finds what `#` and `/` are about."""

    library = module("composer.jsx")
    tag = "ComposerField"

    model: rx.Var[str]
    current_user: rx.Var[str]
    context_sources: rx.Var[list[dict[str, str]]]
    context_sources_of: rx.Var[str]
    choices: rx.Var[list[dict[str, str]]]
    searched: rx.Var[str]
    on_find: rx.EventHandler[rx.event.passthrough_event_spec(str)]
    draft: rx.Var[dict[str, Any]]
    draft_saved: rx.Var[dict[str, Any]]
    on_load_draft: rx.EventHandler[rx.event.passthrough_event_spec(str)]
    on_save_draft: rx.EventHandler[rx.event.passthrough_event_spec(str, str, str, str)]
    prompts: rx.Var[list[dict[str, Any]]]
    prompts_searched: rx.Var[str]
    inserted: rx.Var[InsertedText]
    on_find_prompts: rx.EventHandler[rx.event.passthrough_event_spec(str)]
    on_choose_prompt: rx.EventHandler[rx.event.passthrough_event_spec(str)]
    on_ask_prompt: rx.EventHandler[rx.event.passthrough_event_spec(dict[str, Any])]
    on_create_prompt: rx.EventHandler[rx.event.no_args_event_spec]


def composer() -> rx.Component:
    """The composer of the conversation on screen."""
    field = ComposerField.create(
        model=ModelPickerState.title,
        current_user=CurrentUserState.email,
        context_sources=ContextSourcesState.attached,
        context_sources_of=ContextSourcesState.of,
        choices=ContextSourcesState.choices,
        searched=ContextSourcesState.searched,
        on_find=ContextSourcesState.find,
        draft=DraftsState.loaded,
        draft_saved=DraftsState.saved,
        on_load_draft=DraftsState.load,
        on_save_draft=DraftsState.save,
        **prompt_field_options(),
    )
    is_running = ThreadState.run["state"] != ""
    return rx.el.form(
        drop_overlay(),
        context_source_line(),
        rx.el.div(
            context_choices(),
            prompt_choices(),
            attachment_chips(),
            icon_button(
                "paperclip",
                "Attach files",
                look="attach",
                disabled=CurrentUserState.email == "",
                on_click=in_sequence(click_on.call("[data-adds-files]")),
            ),
            adds_files(),
            field,
            dictate_button(),
            rx.cond(is_running, _stop_button()),
            rx.cond(~is_running | _is_something.value, _send_button(is_running)),
            class_name="composer-box",
        ),
        _hint(),
        on_submit=in_sequence(_send.call()),
        class_name="composer",
    )


def _stop_button() -> rx.Component:
    run_id = ThreadState.run["id"].to(str)
    return rx.el.button(
        icon("square", 13, fill="currentColor"),
        type="button",
        class_name="send is-stop",
        aria_label="Stop the answer",
        disabled=_stopping.value == run_id,
        on_click=[in_sequence(_stopping.assign(run_id), focus_composer.call()), ThreadState.stop(run_id)],
        custom_attrs={"data-tip": "Stop", "data-tip-side": "top"},
    )


def _send_button(is_running: Any) -> rx.Component:
    waits = "A file is still being uploaded"
    label = rx.cond(is_uploading(), waits, rx.cond(is_running, "Send when the answer is done", "Send"))
    key = rx.cond(send_key.value == "enter", "Enter", keys("Enter"))
    tip = rx.cond(is_uploading(), waits, rx.cond(is_running, f"Send when this is done · {key}", f"Send · {key}"))
    return rx.el.button(
        icon("arrow-up", 18, 2.25),
        type="submit",
        class_name="send",
        aria_label=label,
        disabled=~_is_something.value | (_too_long.value != "") | is_uploading(),
        custom_attrs={"data-tip": tip, "data-tip-side": "top", "data-waits": rx.cond(is_uploading(), "", UNDEFINED)},
    )


def _hint() -> rx.Component:
    """The line below: what is wrong, or what should be known."""
    problem = rx.cond(_too_long.value != "", _too_long.value, _refusal.value)
    about = attachments_hint()
    is_problem, is_about = problem != "", is_dictating() | (about != "")
    said = rx.cond(is_dictating(), dictation_hint(), about)
    usual = rx.fragment(
        "AI can make mistakes. Check important information.",
        rx.el.span(
            " Type ", rx.el.kbd("#"), " for your documents, ", rx.el.kbd("/"), " for prompts.", class_name="hint-keys"
        ),
    )
    resets = rx.el.span(" It resets ", Moment.create(at=OwnQuotasState.notice_resets_at), ".")
    reminder = rx.cond(OwnQuotasState.notice != "", rx.fragment(OwnQuotasState.notice, resets), usual)
    return rx.el.p(
        rx.cond(is_problem, problem, rx.cond(is_about, said, reminder)),
        class_name="composer-hint",
        role=rx.cond(is_problem, "alert", rx.cond(is_about, "status", UNDEFINED)),
        custom_attrs={
            "data-problem": rx.cond(is_problem, "", UNDEFINED),
            "data-about": rx.cond(is_about, "", UNDEFINED),
        },
    )

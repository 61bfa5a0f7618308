"""The user's preferences: those of the account, and those that this browser keeps for itself."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex.style import color_mode, set_color_mode

from rxchat import __version__
from rxchat.domain.preferences import INSTRUCTIONS_CHARACTERS
from rxchat.states.app.preferences import INSTRUCTIONS_FORM, PreferencesState
from rxchat.ui.chat.shortcuts import open_shortcuts
from rxchat.ui.kit.browser_preferences import notifications, segments, send_key, set_notifications, text_size
from rxchat.ui.kit.client_values import ClientValue, fresh, in_sequence
from rxchat.ui.kit.elements import icon, keys, main_button, quiet_button, skeleton
from rxchat.ui.kit.forms import form_problem, select, text_area
from rxchat.ui.kit.panels import panel

_typed: ClientValue[str | None] = ClientValue("typed_instructions", None, str)
_problem: ClientValue[str] = ClientValue("notifications_problem", "")
_HERE = "Applies to this browser."
_EXAMPLE = "For example: I am a nurse in Lyon. Answer briefly, in French, with metric units."


def preferences_section() -> rx.Component:
    """All of them."""
    return rx.fragment(
        rx.cond(PreferencesState.ready, rx.fragment(_instructions(), _model()), _unloaded()),
        _appearance(),
        _writing(),
        _notifications(),
        _about(),
    )


def _unloaded() -> rx.Component:
    placeholder = skeleton("Loading your preferences", 34, 82, 61, look="panel skeleton")
    again = quiet_button(icon("refresh-cw", 15), " Try again", on_click=PreferencesState.open)
    failed = rx.el.div(form_problem(PreferencesState.problem), again, class_name="load-error")
    return rx.cond(PreferencesState.problem == "", placeholder, failed)


def _instructions() -> rx.Component:
    stored, typed = PreferencesState.instructions, _typed.value
    # The server removes the same spaces.
    is_changed = rx.Var(
        _js_expr=f"({typed!s} !== null && {typed!s}.trim() !== {stored!s})",
        _var_type=bool,
        _var_data=rx.vars.VarData.merge(typed._get_all_var_data(), stored._get_all_var_data()),
    ).guess_type()
    is_mine = PreferencesState.problem_dialog == INSTRUCTIONS_FORM
    is_saved = (PreferencesState.done_dialog == INSTRUCTIONS_FORM) & ~is_changed
    return panel(
        "Instructions for every model",
        fresh(_typed),
        rx.el.form(
            rx.el.input(type="hidden", name="dialog", value=str(INSTRUCTIONS_FORM)),
            text_area(
                "custom_instructions",
                "What should every model know about you, and how should it answer?",
                help_text=_EXAMPLE,
                problem=rx.cond(is_mine, PreferencesState.problem, ""),
                is_announced=True,
                longest=INSTRUCTIONS_CHARACTERS,
                default_value=stored,
                rows="5",
                dir="auto",
                on_change=_typed.set,
            ),
            rx.el.div(
                main_button("Save", type="submit", disabled=~is_changed),
                rx.el.p(rx.cond(is_saved, rx.fragment(icon("check", 15), " Saved")), class_name="saved", role="status"),
                class_name="form-foot",
            ),
            on_submit=PreferencesState.save_instructions,
            class_name="form",
        ),
        lead="They are given to the model with each question, from your next one on, in all of your conversations. "
        "Only you see them.",
    )


def _model() -> rx.Component:
    own_problem = PreferencesState.problem_dialog == 0
    options = rx.fragment(
        rx.el.option("The default of this RxChat", value=""),
        rx.foreach(PreferencesState.models, lambda item: rx.el.option(item.title, value=item.name, key=item.name)),
    )
    return panel(
        "Model",
        select(
            "default_model",
            "Model of new conversations",
            options,
            value=PreferencesState.default_model,
            on_change=PreferencesState.choose_default_model,
            help_text="Each conversation keeps the model that you choose in it.",
        ),
        form_problem(rx.cond(own_problem, PreferencesState.problem, "")),
    )


def _appearance() -> rx.Component:
    themes = (("light", "Light", "sun"), ("dark", "Dark", "moon"), ("system", "System", "monitor"))
    sizes = (("small", "Small"), ("normal", "Normal"), ("large", "Large"), ("largest", "Largest"))
    return panel(
        "Appearance",
        segments(
            "theme",
            "Theme",
            color_mode,
            *((value, words, set_color_mode(value)) for value, words, _ in themes),
            icons=[icon(picture, 15, 1.75) for _, _, picture in themes],
        ),
        segments(
            "text-size", "Text size", text_size.value, *((value, words, text_size.set(value)) for value, words in sizes)
        ),
        lead=_HERE,
    )


def _writing() -> rx.Component:
    is_enter: Any = send_key.value == "enter"
    other = rx.cond(is_enter, "Shift+Enter begins a new line.", "Enter begins a new line.")
    return panel(
        "Writing",
        segments(
            "send-key",
            "Send a message with",
            send_key.value,
            ("enter", "Enter", send_key.set("enter")),
            ("ctrl_enter", keys("Enter"), send_key.set("ctrl_enter")),
            help_text=other,
        ),
        quiet_button(icon("keyboard", 15), " Keyboard shortcuts…", on_click=open_shortcuts),
        lead=_HERE,
    )


def _notifications() -> rx.Component:
    return panel(
        "Notifications",
        segments(
            "notifications",
            "When an answer is there",
            notifications.value,
            ("on", "Notify me", in_sequence(set_notifications.call("on"))),
            ("off", "Only mark the tab", in_sequence(set_notifications.call("off"))),
            help_text="While RxChat is open in a tab that you do not look at.",
        ),
        form_problem(_problem.value),
        lead=_HERE,
    )


def _about() -> rx.Component:
    return panel(
        "About",
        rx.el.dl(rx.el.div(rx.el.dt("Version"), rx.el.dd(f"RxChat {__version__}")), class_name="about"),
    )

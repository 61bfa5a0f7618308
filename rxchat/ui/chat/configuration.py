"""The dialog “Parameters” of a conversation, and the ways to it."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.domain.model_parameters import (
    MOST_STOPS,
    PARAMETERS,
    STOP_CHARACTERS,
    SYSTEM_PROMPT_CHARACTERS,
    Effort,
    Parameter,
)
from rxchat.states.chat.configuration import ConfigurationState
from rxchat.ui.kit.client_values import StateRequest
from rxchat.ui.kit.dialogs import Dialogs
from rxchat.ui.kit.elements import UNDEFINED, icon_button, menu_item, quiet_button, skeleton
from rxchat.ui.kit.forms import labelled, text_area

_dialogs = Dialogs("configuration_dialog", ConfigurationState, dict[str, Any])
_EFFORTS = {Effort.NONE: "Off", Effort.LOW: "Low", Effort.MEDIUM: "Medium", Effort.HIGH: "High"}
_NOT_TAKEN = "This model does not take it."
_NUMBERS = tuple(item for item in PARAMETERS if item.name not in {"reasoning_effort", "stop"})


def open_parameters() -> Any:
    """A trigger that opens the dialog."""
    return _dialogs.open("parameters")


def parameters_button() -> rx.Component:
    """The button of the top bar; a dot says that something is set."""
    is_set = ConfigurationState.is_set
    return icon_button(
        "sliders-horizontal",
        rx.cond(is_set, "Parameters (some are set)", "Parameters"),
        size=18,
        side="bottom",
        look="parameters-button",
        tip="Parameters",
        on_click=open_parameters(),
        custom_attrs={"data-on": rx.cond(is_set, "", UNDEFINED)},
    )


def parameters_item(menu_id: str) -> rx.Component:
    """The item of a menu that opens the dialog."""
    return menu_item(menu_id, "sliders-horizontal", "Parameters…", on_click=open_parameters())


def configuration_dialog() -> rx.Component:
    """The dialog; once on a page with a composer."""
    number = _dialogs.number.to_string()
    loading = skeleton("Loading the parameters", 60, 90, 75, look="skeleton")
    return _dialogs.window(
        "parameters",
        "Parameters",
        StateRequest.create(
            wanted=number,
            loaded=ConfigurationState.opened.to_string(),
            on_request=ConfigurationState.show({"dialog": number}),
        ),
        rx.cond(ConfigurationState.opened == _dialogs.number, _form(), loading),
        lead="For the next answers of this conversation. What is empty is left to the model.",
        is_wide=True,
    )


def _form() -> rx.Component:
    form = ConfigurationState.form
    return _dialogs.content(
        system_prompt_field(_dialogs, form.system_prompt),
        *parameter_fields(_dialogs, form, ConfigurationState.takes, ConfigurationState.efforts),
        rx.el.p(
            quiet_button(
                "Reset all",
                on_click=ConfigurationState.reset_all({"dialog": _dialogs.number.to_string()}),
                disabled=~ConfigurationState.is_set,
            ),
            class_name="parameter-reset",
        ),
        action="Save",
        busy="Saving…",
        on_submit=ConfigurationState.save,
    )


def system_prompt_field(dialogs: Dialogs, value: Any) -> rx.Component:
    """The field for a system prompt."""
    return text_area(
        "system_prompt",
        "System prompt",
        help_text="Who the model is to be, and how it is to answer. Your own instructions apply beside it.",
        problem=dialogs.problem_of("system_prompt"),
        is_announced=True,
        longest=SYSTEM_PROMPT_CHARACTERS,
        default_value=value,
        rows="4",
        dir="auto",
    )


def parameter_fields(dialogs: Dialogs, form: Any, takes: Any = None, efforts: Any = None) -> tuple[rx.Component, ...]:
    """The fields for parameters; those that a model does not take (not in `takes`) cannot be filled in, and say it."""
    wanted = {item.name: True if takes is None else takes.contains(item.name) for item in PARAMETERS}
    numbers = [_number(dialogs, item, form, wanted[item.name]) for item in _NUMBERS]
    effort = _effort(dialogs, form, wanted["reasoning_effort"], efforts)
    return rx.el.div(*numbers, effort, class_name="parameter-grid"), _stops(dialogs, form)


def _number(dialogs: Dialogs, item: Parameter, form: Any, is_taken: Any) -> rx.Component:
    spread = "" if item.least is None else f" {item.least:,g} to {item.most:,.0f}."
    return dialogs.field(
        item.name,
        item.label,
        default_value=getattr(form, item.name),
        help_text=_help(is_taken, f"{item.help}{spread}"),
        longest=20,
        input_mode="text" if item.least is None else "decimal",
        spell_check=False,
        disabled=_is_off(is_taken),
    )


def _effort(dialogs: Dialogs, form: Any, is_taken: Any, efforts: Any) -> rx.Component:
    name = "reasoning_effort"
    options = [
        rx.el.option(words, value=effort.value, disabled=efforts is not None and ~efforts.contains(effort.value))
        for effort, words in _EFFORTS.items()
    ]
    choice = rx.el.select(
        rx.el.option("As usual", value=""),
        *options,
        id=name,
        name=name,
        default_value=getattr(form, name),
        disabled=_is_off(is_taken),
    )
    return labelled(
        name,
        "Reasoning",
        choice,
        help_text=_help(is_taken, "How much the model thinks first."),
        problem=dialogs.problem_of(name),
        is_announced=True,
    )


def _help(is_taken: Any, words: str) -> Any:
    return words if is_taken is True else rx.cond(is_taken, words, _NOT_TAKEN)


def _is_off(is_taken: Any) -> Any:
    return False if is_taken is True else ~is_taken


def _stops(dialogs: Dialogs, form: Any) -> rx.Component:
    return text_area(
        "stop",
        "Stop at",
        help_text=f"Texts that end the answer, one on each line, at most {MOST_STOPS}.",
        problem=dialogs.problem_of("stop"),
        is_announced=True,
        longest=MOST_STOPS * (STOP_CHARACTERS + 1),
        default_value=form.stop,
        rows="2",
        spell_check=False,
    )

"""The models that the hosts offer, for administrators."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.domain.model_settings import DESCRIPTION_CHARACTERS, LABEL_CHARACTERS, MOST_FALLBACKS
from rxchat.domain.permissions import Permission
from rxchat.states.access.models import ModelsState, ModelView
from rxchat.ui.access.frame import admin_page, flash, lead, may, nothing
from rxchat.ui.chat.configuration import parameter_fields, system_prompt_field
from rxchat.ui.kit.dialogs import Dialogs
from rxchat.ui.kit.elements import badge, icon, icon_button, link, quiet_button
from rxchat.ui.kit.forms import form_problem, text_area
from rxchat.ui.kit.tables import actions_cell, cell, row, table

_dialogs = Dialogs("models_dialog", ModelsState, ModelView)
_may_manage = may(Permission.MODELS_MANAGE.value)


def models_page() -> rx.Component:
    """The models, or how to get some."""
    return admin_page(
        "Models",
        ModelsState,
        lead(
            "What the model hosts offer, in the order in which users see it. Who may use a model is decided under ",
            link("Access", to="/admin/access"),
            ".",
            actions=(quiet_button(icon("refresh-cw", 15), " Ask again", on_click=ModelsState.load),),
        ),
        flash(ModelsState),
        form_problem(ModelsState.host_problem),
        rx.cond(
            ModelsState.models.length() > 0,
            table(
                ("Model", "Host", "Context", "Answers (30 days)", "Actions"),
                rx.foreach(ModelsState.models, lambda item, _number: _model(item)),
                "Models",
            ),
            nothing("No model", "Install one on a model host, for example with: ollama pull llama3.2"),
        ),
        _edit_dialog(),
        _reset_dialog(),
    )


def _model(item: rx.Var[ModelView]) -> rx.Component:
    return row(
        cell(
            "Model",
            item.title,
            rx.cond(item.badge != "", badge(item.badge, item.look)),
            rx.cond(item.title != item.name, rx.el.span(item.name, class_name="row-detail")),
            rx.cond(item.description != "", rx.el.span(item.description, class_name="row-detail")),
            rx.cond(item.detail != "", rx.el.span(item.detail, class_name="row-detail")),
            rx.cond(item.summary != "", rx.el.span(f"Set: {item.summary}", class_name="row-detail")),
            is_head=True,
        ),
        cell("Host", rx.cond(item.host != "", item.host, "–")),
        cell("Context", item.context),
        cell("Answers (30 days)", item.answers),
        actions_cell(rx.cond(_may_manage, _actions(item))),
        key=item.name,
    )


def _actions(item: Any) -> rx.Component:
    def mover(icon_name: str, words: str, way: str) -> rx.Component:
        return icon_button(icon_name, f"{words}: {item.title}", tip=words, on_click=ModelsState.move(item.name, way))

    return rx.fragment(
        rx.cond(
            item.is_offered,
            rx.fragment(
                mover("chevrons-up", "Move to the top", "top"),
                mover("chevron-up", "Move up", "up"),
                mover("chevron-down", "Move down", "down"),
            ),
        ),
        quiet_button("Edit", on_click=_dialogs.open("edit", item), aria_label=f"Edit {item.title}"),
        rx.cond(
            item.is_set,
            quiet_button("Reset", on_click=_dialogs.open("reset", item), aria_label=f"Reset {item.title}"),
        ),
    )


def _edit_dialog() -> rx.Component:
    item = _dialogs.subject
    form = item.form
    return _dialogs.form(
        "edit",
        f"Edit “{item.name}”",
        rx.el.input(type="hidden", name="model", value=item.name),
        rx.el.input(type="hidden", name="version", value=item.version),
        _dialogs.field(
            "label",
            "Name",
            help_text="What users see. Empty: the model’s own name.",
            default_value=item.label,
            placeholder=item.name,
            longest=LABEL_CHARACTERS,
            is_first=True,
        ),
        _dialogs.field(
            "description",
            "Description (optional)",
            help_text="What it is good for, such as “Fast, for short questions”.",
            default_value=item.description,
            longest=DESCRIPTION_CHARACTERS,
        ),
        rx.el.div(
            _box("is_default", "It answers in new chats of users who have chosen no other model", item.is_default),
            _box("is_hidden", "Hide it from lists; conversations that use it continue to", item.is_hidden),
            class_name="boxes",
        ),
        rx.cond(
            _dialogs.problem_of("is_hidden") != "", rx.el.p(_dialogs.problem_of("is_hidden"), class_name="field-error")
        ),
        text_area(
            "fallbacks",
            "Fallback models (optional)",
            help_text="The models that answer while this one does not respond, one full name on each line, the best first.",
            problem=_dialogs.problem_of("fallbacks"),
            is_announced=True,
            default_value=item.fallbacks,
            longest=MOST_FALLBACKS * 201,
            rows="2",
            spell_check=False,
        ),
        system_prompt_field(_dialogs, form.system_prompt),
        rx.el.details(
            rx.el.summary("Parameters"),
            rx.el.div(*parameter_fields(_dialogs, form), class_name="form"),
            class_name="assistant-parameters",
            open=_has_parameter_problem(form),
        ),
        lead="The system prompt and the parameters apply unless an assistant, a conversation or a message sets others.",
        action="Save",
        busy="Saving…",
        on_submit=ModelsState.save,
        is_wide=True,
    )


def _box(name: str, words: str, value: Any) -> rx.Component:
    return rx.el.label(rx.el.input(type="checkbox", name=name, default_checked=value), rx.el.span(words))


def _has_parameter_problem(form: Any) -> rx.Var[bool]:
    """The fields are shown when one of them was refused."""
    names = rx.Var.create([name for name in form._var_type.__dataclass_fields__ if name != "system_prompt"])
    return names.contains(ModelsState.problem_field)


def _reset_dialog() -> rx.Component:
    item = _dialogs.subject
    return _dialogs.form(
        "reset",
        f"Reset “{item.title}”?",
        rx.el.input(type="hidden", name="model", value=item.name),
        lead="Its name, description, place, system prompt and parameters are as its host has them again.",
        action="Reset model",
        on_submit=ModelsState.reset_model,
        danger=True,
    )

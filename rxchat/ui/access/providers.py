"""Providers of models: added, tested, changed, disabled and deleted."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.domain.model_providers import DEFAULT_TIMEOUT, KIND_WORDS, LONGEST_HEADERS, LONGEST_KEY
from rxchat.domain.provider_addresses import LONGEST_URLS
from rxchat.states.access.providers import ProvidersState, ProviderView
from rxchat.ui.access.frame import admin_page, flash, lead
from rxchat.ui.kit.dialogs import Dialogs
from rxchat.ui.kit.elements import badge, icon, main_button, quiet_button, skeleton
from rxchat.ui.kit.forms import select, text_area
from rxchat.ui.kit.tables import actions_cell, cell, row, table

_dialogs = Dialogs("providers_dialog", ProvidersState, ProviderView)


def providers_page() -> rx.Component:
    """All providers with their states."""
    item = _dialogs.subject
    return admin_page(
        "Providers",
        ProvidersState,
        lead(
            "Servers whose models users can choose, beside the Ollama hosts of the settings. Changes apply at once; answers that are"
            " being written end normally.",
            actions=(
                quiet_button(icon("refresh-cw", 15), " Ask again", on_click=ProvidersState.ask_again),
                main_button("Add a provider", on_click=_dialogs.open("add")),
            ),
        ),
        flash(ProvidersState),
        rx.cond(
            ProvidersState.providers.length() > 0,
            table(
                ("Name", "Address", "State", "Models", "Actions"),
                rx.foreach(ProvidersState.providers, _row),
                "Providers",
            ),
            _empty(),
        ),
        *_entering(item),
        _dialogs.form(
            "delete",
            f"Delete “{item.name}”?",
            rx.el.input(type="hidden", name="name", value=item.name),
            rx.cond(
                ProvidersState.looked_at == item.name,
                rx.el.p(ProvidersState.in_use),
                skeleton("Counting conversations", 90, 60),
            ),
            lead="Its models and its key are removed. To keep the key, disable the provider instead.",
            action="Delete provider",
            on_submit=ProvidersState.remove,
            danger=True,
        ),
        _test_dialog(item),
    )


def _entering(item: Any) -> tuple[rx.Component, ...]:
    """The dialogs that add and change a provider."""
    return (
        _dialogs.form(
            "add",
            "Add a provider",
            _dialogs.field(
                "name",
                "Name",
                missing="Enter a name.",
                help_text="Its models are called name/model. It cannot be changed later.",
                is_first=True,
                longest=30,
                spell_check=False,
                auto_capitalize="none",
            ),
            *_fields(),
            action="Add and test",
            busy="Asking the provider…",
            on_submit=ProvidersState.add,
            is_wide=True,
        ),
        _dialogs.form(
            "edit",
            f"Edit “{item.name}”",
            rx.el.input(type="hidden", name="name", value=item.name),
            *_fields(item),
            action="Save and test",
            busy="Asking the provider…",
            on_submit=ProvidersState.save,
            is_wide=True,
        ),
    )


def _empty() -> rx.Component:
    examples = (
        ("Ollama", "another Ollama daemon: http://gpu-1:11434"),
        (
            "OpenAI-compatible",
            "vLLM, llama.cpp, LM Studio, OpenRouter, OpenAI: http://gpu-1:8000/v1, https://openrouter.ai/api/v1",
        ),
        ("Anthropic", "Claude, with a key of the Console: https://api.anthropic.com"),
    )
    return rx.el.div(
        rx.el.h2("No providers yet"),
        rx.el.p(
            "Add a server that has models, with the key that it wants. RxChat asks it at once which models it has."
        ),
        rx.el.ul(*(rx.el.li(rx.el.b(kind), " – ", words) for kind, words in examples), class_name="provider-examples"),
        class_name="admin-empty",
    )


def _row(item: ProviderView) -> rx.Component:
    about = (
        quiet_button(
            "Test",
            on_click=[_dialogs.open("test", item), ProvidersState.test(item.name)],
            aria_label=f"Test {item.name}",
        ),
        quiet_button("Edit", on_click=_dialogs.open("edit", item), aria_label=f"Edit {item.name}"),
        quiet_button(
            rx.cond(item.is_enabled, "Disable", "Enable"),
            on_click=ProvidersState.switch(item.name),
            aria_label=rx.cond(item.is_enabled, f"Disable {item.name}", f"Enable {item.name}"),
        ),
        quiet_button(
            "Delete",
            on_click=[_dialogs.open("delete", item), ProvidersState.look_at_use(item.name)],
            danger=True,
            aria_label=f"Delete {item.name}",
        ),
    )
    return row(
        cell("Name", item.name, rx.el.span(item.kind_words, class_name="row-detail"), is_head=True),
        cell(
            "Address",
            rx.el.div(item.url, rx.el.span(item.place, class_name="row-detail"), class_name="provider-fact"),
        ),
        cell(
            "State",
            rx.el.div(
                badge(item.badge, item.look),
                rx.cond(item.problem != "", rx.el.span(item.problem, class_name="row-detail")),
                class_name="provider-fact",
            ),
        ),
        cell("Models", item.models),
        actions_cell(
            rx.cond(
                item.is_from_settings, rx.el.span("Set in OPENAI_HOSTS", class_name="text-muted"), rx.fragment(*about)
            )
        ),
        key=item.name,
    )


def _fields(item: Any = None) -> tuple[rx.Component, ...]:
    kinds = [rx.el.option(words, value=kind.value) for kind, words in KIND_WORDS.items()]
    kept = "Leave it empty to keep the one that is stored; it is never shown."
    return (
        select("kind", "API", kinds, default_value="openai" if item is None else item.kind),
        _dialogs.field(
            "url",
            "Address",
            missing="Enter the address.",
            placeholder="http://gpu-1:8000/v1",
            help_text="As the server’s documentation has it, often with /v1 at its end. Several Ollama hosts with the same models are"
            " separated by commas; srv+http://… names an SRV record.",
            default_value="" if item is None else item.url,
            longest=LONGEST_URLS,
            spell_check=False,
            auto_capitalize="none",
        ),
        _dialogs.field(
            "key",
            "API key (optional)",
            type="password",
            auto_complete="new-password",
            help_text="It is encrypted, and never shown again."
            if item is None
            else rx.el.span(rx.cond(item.has_key, kept, "It has none.")),
            longest=LONGEST_KEY,
        ),
        rx.fragment() if item is None else rx.cond(item.has_key, _forget("forget_key", "Remove the stored key")),
        text_area(
            "headers",
            "Further headers (optional)",
            help_text="One on each line: Name: value. They are encrypted, and never shown again."
            if item is None
            else rx.el.span(
                rx.cond(item.headers != "", f"Stored: {item.headers}. Leave it empty to keep them.", "It has none.")
            ),
            problem=_dialogs.problem_of("headers"),
            is_announced=True,
            longest=LONGEST_HEADERS,
            rows="2",
            spell_check=False,
        ),
        rx.fragment()
        if item is None
        else rx.cond(item.headers != "", _forget("forget_headers", "Remove the stored headers")),
        _dialogs.field(
            "timeout_seconds",
            "Seconds until an answer begins",
            type="number",
            min="5",
            max="3600",
            missing="Enter a number of seconds.",
            default_value=str(DEFAULT_TIMEOUT) if item is None else item.timeout_seconds,
        ),
    )


def _forget(name: str, words: str) -> rx.Component:
    box = rx.el.label(rx.el.input(type="checkbox", name=name), rx.el.span(words))
    return rx.el.div(box, class_name="boxes")


def _test_dialog(item: Any) -> rx.Component:
    models = rx.el.ul(
        rx.foreach(ProvidersState.tested_models, lambda name: rx.el.li(name, key=name)),
        class_name="provider-models",
        aria_label="Models",
        tab_index=0,
    )
    result = rx.fragment(
        rx.el.p(
            badge(
                rx.cond(ProvidersState.is_working, "Works", "Does not work"),
                rx.cond(ProvidersState.is_working, "works", "suspended"),
            ),
            " ",
            ProvidersState.tested,
            role="status",
        ),
        rx.cond(ProvidersState.tested_models.length() > 0, models),
    )
    return _dialogs.window(
        "test",
        f"Test of “{item.name}”",
        rx.cond(
            ProvidersState.looked_at == item.name,
            result,
            rx.cond(
                ProvidersState.problem != "",
                rx.el.p(ProvidersState.problem, role="alert"),
                skeleton("Asking the provider", 90, 60),
            ),
        ),
        rx.el.div(quiet_button("Done", on_click=_dialogs.close), class_name="dialog-actions"),
    )

"""The models that the hosts offer, for administrators."""

from __future__ import annotations

import reflex as rx

from rxchat.states.access.models import ModelsState, ModelView
from rxchat.ui.access.frame import admin_page, lead, nothing
from rxchat.ui.kit.elements import badge, icon, link, quiet_button
from rxchat.ui.kit.forms import form_problem
from rxchat.ui.kit.tables import cell, row, table


def models_page() -> rx.Component:
    """The models, or how to get some."""
    return admin_page(
        "Models",
        ModelsState,
        lead(
            "What the model hosts offer. Who may use a model is decided under ",
            link("Access", to="/admin/access"),
            ".",
            actions=(quiet_button(icon("refresh-cw", 15), " Ask again", on_click=ModelsState.load),),
        ),
        form_problem(ModelsState.host_problem),
        rx.cond(
            ModelsState.models.length() > 0,
            table(("Model", "Host", "Context", "Answers (30 days)"), rx.foreach(ModelsState.models, _model), "Models"),
            nothing("No model", "Install one on a model host, for example with: ollama pull llama3.2"),
        ),
    )


def _model(item: ModelView) -> rx.Component:
    return row(
        cell(
            "Model",
            item.name,
            rx.cond(item.badge != "", badge(item.badge, item.look)),
            rx.cond(item.detail != "", rx.el.span(item.detail, class_name="row-detail")),
            is_head=True,
        ),
        cell("Host", rx.cond(item.host != "", item.host, "–")),
        cell("Context", item.context),
        cell("Answers (30 days)", item.answers),
        key=item.name,
    )

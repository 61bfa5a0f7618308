"""How much is asked of models: a chart of days, and tables."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.domain.usage import PERIODS
from rxchat.states.access.usage import ModelUsageView, UsageLine, UsageState
from rxchat.ui.access.frame import admin_page, facts, lead, nothing
from rxchat.ui.access.usage_chart import usage_chart
from rxchat.ui.kit.client_values import backend_address
from rxchat.ui.kit.elements import anchor, icon
from rxchat.ui.kit.lazy import lazy
from rxchat.ui.kit.tables import cell, row, table

_BREAKDOWNS = (("model", "By model"), ("user", "By user"), ("group", "By group"))
_MEASURES = (("tokens", "Tokens"), ("requests", "Requests"), ("cost", "Cost"))


def usage_page() -> rx.Component:
    """The chart and the tables of one period."""
    return admin_page(
        "Usage",
        UsageState,
        lead(
            "What is asked of models in chats, in temporary chats, by programs and by RxChat itself. What users write stays with them.",
            actions=(
                anchor(
                    icon("download", 15),
                    " Export as CSV",
                    href=backend_address.call(UsageState.export_path).to(str),
                    download="rxchat-usage.csv",
                    class_name="button-quiet",
                ),
            ),
        ),
        rx.el.div(
            _choice(
                "Period", [(str(days), f"Last {days} days") for days in PERIODS], UsageState.days, UsageState.choose
            ),
            _choice("Divided by", _BREAKDOWNS, UsageState.by, UsageState.divide),
            _choice("Measure", _MEASURES, UsageState.measure, UsageState.measure_by),
            class_name="filters",
        ),
        rx.cond(
            UsageState.lines.length() > 0,
            rx.fragment(_totals(), _chart(), _lines(), _models()),
            nothing("Nothing was asked in this period", "Choose a longer one."),
        ),
    )


def _choice(label: str, choices: Any, value: Any, on_change: Any) -> rx.Component:
    named = [rx.el.option(words, value=choice) for choice, words in choices]
    return rx.el.select(*named, value=value, on_change=on_change, aria_label=label)


def _totals() -> rx.Component:
    return facts(("Requests", UsageState.requests), ("Tokens", UsageState.tokens), ("Cost", UsageState.cost))


def _chart() -> rx.Component:
    return rx.el.figure(
        rx.el.div(lazy(usage_chart), class_name="usage-chart", role="img", aria_label=UsageState.chart_words),
        rx.el.figcaption(UsageState.chart_words, " Days are in UTC."),
        class_name="usage-figure",
    )


def _lines() -> rx.Component:
    headings = ("Name", "Requests", "Tokens read", "Tokens written", "Cost")
    note = rx.cond(
        UsageState.by == "group",
        rx.el.p("A user counts in each of their groups.", class_name="text-muted"),
    )
    return rx.el.section(
        table(headings, rx.foreach(UsageState.lines, _line), "Usage"), note, class_name="admin-section"
    )


def _line(item: UsageLine) -> rx.Component:
    swatch = rx.el.span(class_name="chart-color", custom_attrs={"data-color": item.color, "aria-hidden": "true"})
    return row(
        cell("Name", swatch, item.label, is_head=True),
        cell("Requests", item.requests),
        cell("Tokens read", item.read),
        cell("Tokens written", item.written),
        cell("Cost", item.cost),
        key=item.key,
    )


def _models() -> rx.Component:
    headings = ("Model", "Answers", "Failed", "Tokens/s")
    return rx.el.section(
        rx.el.h2("Answers in conversations"),
        table(headings, rx.foreach(UsageState.models, _model), "Answers in conversations"),
        class_name="admin-section",
    )


def _model(item: ModelUsageView) -> rx.Component:
    return row(
        cell("Model", item.model, is_head=True),
        cell("Answers", item.answers),
        cell("Failed", item.failed),
        cell("Tokens/s", item.speed),
        key=item.model,
    )

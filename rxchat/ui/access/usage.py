"""How much RxChat is used: a chart of days, and tables of models and users."""

from __future__ import annotations

import reflex as rx

from rxchat.domain.usage import PERIODS
from rxchat.states.access.usage import CHART_HEIGHT, DayBar, ModelUsageView, UsageState, UserUsageView
from rxchat.ui.access.frame import admin_page, facts, lead, nothing
from rxchat.ui.kit.elements import Moment
from rxchat.ui.kit.tables import cell, row, table

_BAR_WIDTH = "7"


def usage_page() -> rx.Component:
    """The chart and the tables of one period."""
    period = rx.el.div(
        rx.el.select(
            *[rx.el.option(f"Last {days} days", value=str(days)) for days in PERIODS],
            value=UsageState.days,
            on_change=UsageState.choose,
            aria_label="Period",
        ),
        class_name="filters usage-period",
    )
    return admin_page(
        "Usage",
        UsageState,
        lead(
            "How many answers were written in conversations, for whom and by which model. Temporary chats and what programs ask"
            " without a conversation are not counted. What users write stays with them.",
            actions=(period,),
        ),
        rx.cond(
            UsageState.models.length() > 0,
            rx.fragment(_totals(), _chart(), _models(), _users()),
            nothing("No answers in this period", "Choose a longer one."),
        ),
    )


def _totals() -> rx.Component:
    return facts(("Answers", UsageState.answers), ("Tokens", UsageState.tokens), ("Users", UsageState.active))


def _chart() -> rx.Component:
    return rx.el.figure(
        rx.el.svg(
            rx.foreach(UsageState.bars, _bar),
            role="img",
            aria_label=UsageState.chart_words,
            class_name="usage-chart",
            view_box=f"0 0 {UsageState.chart_width} {CHART_HEIGHT}",
            custom_attrs={"preserveAspectRatio": "none"},
        ),
        rx.el.figcaption(UsageState.chart_words, " Days are in UTC."),
        class_name="usage-figure",
    )


def _bar(day: DayBar) -> rx.Component:
    return rx.el.rect(
        rx.el.title(day.title),
        x=day.x,
        y=day.y,
        width=_BAR_WIDTH,
        height=day.height,
        custom_attrs={"rx": "1"},
        key=day.x.to_string(),
    )


def _models() -> rx.Component:
    headings = ("Model", "Answers", "Failed", "Tokens", "Users", "Tokens/s")
    return rx.el.section(
        rx.el.h2("Models"), table(headings, rx.foreach(UsageState.models, _model), "Models"), class_name="admin-section"
    )


def _model(item: ModelUsageView) -> rx.Component:
    return row(
        cell("Model", item.model, is_head=True),
        cell("Answers", item.answers),
        cell("Failed", item.failed),
        cell("Tokens", item.tokens),
        cell("Users", item.users),
        cell("Tokens/s", item.speed),
        key=item.model,
    )


def _users() -> rx.Component:
    headings = ("User", "Answers", "Tokens", "Last answer")
    return rx.el.section(
        rx.el.h2("Users"), table(headings, rx.foreach(UsageState.users, _user), "Users"), class_name="admin-section"
    )


def _user(item: UserUsageView) -> rx.Component:
    return row(
        cell("User", item.name, is_head=True),
        cell("Answers", item.answers),
        cell("Tokens", item.tokens),
        cell("Last answer", Moment.create(at=item.last_at)),
        key=item.id,
    )

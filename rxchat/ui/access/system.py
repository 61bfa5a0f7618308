"""The state of the system: components, queues, storage and versions."""

from __future__ import annotations

import reflex as rx

from rxchat.states.access.system import ComponentView, Fact, QueueView, SystemState
from rxchat.ui.access.frame import admin_page, lead
from rxchat.ui.kit.elements import Moment, badge, icon, quiet_button
from rxchat.ui.kit.tables import cell, row, table


def system_page() -> rx.Component:
    """All of it, as of the last check."""
    check = quiet_button(icon("refresh-cw", 15), " Check again", on_click=SystemState.load)
    words = rx.cond(SystemState.is_healthy, "Everything works.", "Something does not work.")
    return admin_page(
        "System",
        SystemState,
        lead(
            rx.el.b(words),
            " Checked ",
            Moment.create(at=SystemState.checked_at, is_exact=True),
            f", in {SystemState.check_milliseconds} ms.",
            actions=(check,),
        ),
        table(("Component", "State"), rx.foreach(SystemState.components, _component), "Components"),
        rx.el.section(
            rx.el.h2("Queues"),
            table(
                ("Queue", "Waiting", "Oldest", "Running", "Failed"), rx.foreach(SystemState.queues, _queue), "Queues"
            ),
            class_name="admin-section",
        ),
        rx.el.section(
            rx.el.h2("Stored"),
            rx.el.dl(rx.foreach(SystemState.stored, _fact), class_name="facts"),
            class_name="admin-section",
        ),
        rx.el.section(
            rx.el.h2("Versions"),
            rx.el.dl(rx.foreach(SystemState.versions, _fact), class_name="facts"),
            class_name="admin-section",
        ),
    )


def _component(item: ComponentView) -> rx.Component:
    problem = rx.el.span(
        badge(rx.cond(item.is_needed, "Does not work", "Limited"), rx.cond(item.is_needed, "suspended", "leaving")),
        rx.el.span(item.problem, class_name="row-detail system-problem"),
    )
    return row(
        cell("Component", item.name, is_head=True),
        cell("State", rx.cond(item.problem == "", badge("Works", "works"), problem)),
        key=item.name,
    )


def _queue(item: QueueView) -> rx.Component:
    return row(
        cell("Queue", item.name, is_head=True),
        cell("Waiting", item.waiting),
        cell("Oldest", rx.cond(item.since > 0, Moment.create(at=item.since), "–")),
        cell("Running", item.running),
        cell("Failed", item.failed),
        key=item.name,
    )


def _fact(item: Fact) -> rx.Component:
    return rx.el.div(rx.el.dt(item.label), rx.el.dd(item.value), key=item.label)

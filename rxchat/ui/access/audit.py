"""The audit: who did what, newest first."""

from __future__ import annotations

import reflex as rx

from rxchat.states.access.audit_log import AuditEventView, AuditState
from rxchat.ui.access.frame import admin_page, lead, nothing, options
from rxchat.ui.kit.client_values import backend_address
from rxchat.ui.kit.elements import Moment, anchor, quiet_button
from rxchat.ui.kit.inputs import search_box
from rxchat.ui.kit.tables import cell, row, table


def audit_page() -> rx.Component:
    """The rows that were found, and the export that proves itself."""
    return admin_page(
        "Audit",
        AuditState,
        lead(
            "Who did what, when and from where. Entries can be added, but not changed or removed.",
            actions=(
                anchor(
                    "Export",
                    href=backend_address.call("/api/admin/audit/export").to(str),
                    download="rxchat-audit.jsonl",
                    class_name="button-quiet",
                ),
            ),
        ),
        rx.el.p(
            "Verify an export with ",
            rx.el.code("python -m rxchat audit verify FILE"),
            ": it reports entries that were changed, moved or removed.",
            class_name="text-muted verify",
        ),
        rx.el.div(
            search_box("Search the audit log", "Search by name, address or words", AuditState.search),
            rx.el.select(
                rx.el.option("Everything", value=""),
                options(AuditState.actions),
                default_value="",
                aria_label="Action",
                on_change=AuditState.filter_action,
            ),
            class_name="filters",
        ),
        rx.cond(
            AuditState.rows.length() > 0,
            rx.fragment(
                table(("What", "Who", "From", "When"), rx.foreach(AuditState.rows, _row), "Audit"),
                rx.cond(
                    AuditState.has_older,
                    rx.el.div(quiet_button("Show older", on_click=AuditState.older), class_name="paging is-centred"),
                ),
            ),
            nothing("No results", "Try fewer words, or another filter."),
        ),
    )


def _row(line: AuditEventView) -> rx.Component:
    return row(
        cell("What", line.sentence, rx.el.span(line.details, class_name="row-detail"), is_head=True),
        cell("Who", line.actor),
        cell("From", rx.cond(line.address != "", line.address, rx.el.span("here", class_name="text-muted"))),
        cell("When", Moment.create(at=line.at)),
        key=line.seq,
    )

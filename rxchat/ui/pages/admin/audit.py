"""The audit: who did what, newest first."""

from __future__ import annotations

import reflex as rx

from rxchat.states.access.audit_log import AuditEventView, AuditState
from rxchat.ui.components import admin
from rxchat.ui.components.admin import FileLink, SearchBox
from rxchat.ui.kit.elements import Moment
from rxchat.ui.pages.admin.frame import admin_page


def audit_page() -> rx.Component:
    """The rows that were found, and the export that proves itself."""
    return admin_page(
        "Audit",
        AuditState,
        admin.lead(
            "Who did what, when and from where. Entries can be added, but not changed or removed.",
            actions=(
                FileLink.create(
                    "Export",
                    href="/api/admin/audit/export",
                    filename="rxchat-audit.jsonl",
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
            SearchBox.create(
                label="Search the audit log",
                placeholder="Search by name, address or words",
                on_search=AuditState.search,
            ),
            rx.el.select(
                rx.el.option("Everything", value=""),
                admin.options(AuditState.actions),
                default_value="",
                aria_label="Action",
                on_change=AuditState.filter_action,
            ),
            class_name="filters",
        ),
        rx.cond(
            AuditState.rows.length() > 0,
            rx.fragment(
                admin.table(("What", "Who", "From", "When"), rx.foreach(AuditState.rows, _row), "Audit"),
                rx.cond(
                    AuditState.has_older,
                    rx.el.div(admin.button("Show older", AuditState.older), class_name="paging is-centred"),
                ),
            ),
            admin.empty("No results", "Try fewer words, or another filter."),
        ),
    )


def _row(line: AuditEventView) -> rx.Component:
    return admin.row(
        admin.cell("What", line.sentence, rx.el.span(line.details, class_name="row-detail"), is_head=True),
        admin.cell("Who", line.actor),
        admin.cell("From", rx.cond(line.address != "", line.address, rx.el.span("here", class_name="text-muted"))),
        admin.cell("When", Moment.create(at=line.at)),
        key=line.seq,
    )

"""Tables that become cards on a phone; their roles are explicit, since the styles of cards would remove them."""

from __future__ import annotations

from typing import Any

import reflex as rx


def table(headings: tuple[str, ...], rows: Any, label: str) -> rx.Component:
    """A table. The heading "Actions" is for screen readers only."""
    cells = [
        rx.el.th(rx.el.span(item, class_name="" if item != "Actions" else "sr-only"), scope="col", role="columnheader")
        for item in headings
    ]
    return rx.el.table(
        rx.el.thead(rx.el.tr(*cells, role="row"), role="rowgroup"),
        rx.el.tbody(rows, role="rowgroup"),
        role="table",
        aria_label=label,
        class_name="table",
    )


def row(*cells: rx.Component, key: Any) -> rx.Component:
    """A row of a table."""
    return rx.el.tr(*cells, role="row", key=key)


def cell(label: str, *content: Any, is_head: bool = False) -> rx.Component:
    """A cell, with its column's name for phones."""
    attributes = {"data-label": label}
    if is_head:
        return rx.el.th(*content, scope="row", role="rowheader", custom_attrs=attributes)
    return rx.el.td(*content, role="cell", custom_attrs=attributes)


def actions_cell(*buttons: Any) -> rx.Component:
    """The cell with the actions on a row."""
    return rx.el.td(*buttons, role="cell", class_name="row-actions")

"""Panels with a heading, and the lists in them."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.ui.kit.elements import icon, passes_focus


def panel(title: str, *content: Any, lead: Any = "", action: Any = None, danger: bool = False) -> rx.Component:
    """A section of a page: a heading, an introduction, its main action, and the content."""
    has_lead = isinstance(lead, rx.Var) or lead != ""
    words = rx.el.p(lead, class_name="panel-lead") if has_lead else rx.fragment()
    return rx.el.section(
        rx.el.header(
            rx.el.div(rx.el.h2(title), words), action if action is not None else rx.fragment(), class_name="panel-head"
        ),
        *content,
        class_name="panel is-danger" if danger else "panel",
        aria_label=title,
    )


def item_list(label: str, *items: Any) -> rx.Component:
    """A list of `item_line`s."""
    return rx.el.ul(*items, class_name="rows", aria_label=label)


def item_line(
    mark: rx.Component, title: Any, *actions: Any, chip: Any = "", detail: Any = None, key: Any = None
) -> rx.Component:
    """A line of a list.

    Args:
        mark: Its icon.
        title: What it is.
        actions: Buttons.
        chip: A word beside the title; nothing if it is "".
        detail: A second line.
        key: The key of React, in a loop.
    """
    buttons = rx.el.div(*actions, class_name="item-actions") if actions else rx.fragment()
    return rx.el.li(
        rx.el.span(mark, class_name="item-icon"),
        rx.el.div(
            rx.el.p(
                rx.el.span(title), rx.cond(chip != "", rx.el.span(chip, class_name="chip")), class_name="item-name"
            ),
            rx.el.p(detail, class_name="item-detail") if detail is not None else rx.fragment(),
            class_name="item-words",
        ),
        buttons,
        class_name="item-line",
        custom_attrs={"ref": passes_focus},
        **({"key": key} if key is not None else {}),
    )


def line_icon(name: str) -> rx.Component:
    """The icon of an `item_line`."""
    return icon(name, 18, 1.75)

"""Components of the administration pages."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.states.access.groups import Member
from rxchat.states.platform.current_user import CurrentUserState, Section
from rxchat.ui.client import ClientComponent, module


def _one_text(value: rx.Var[str]) -> tuple[rx.Var[str]]:
    """The arguments of an event that names one thing."""
    return (value,)


def _two_texts(first: rx.Var[str], second: rx.Var[str]) -> tuple[rx.Var[str], rx.Var[str]]:
    """The arguments of an event that sets one thing to another."""
    return (first, second)


class AdminNav(ClientComponent):
    """Navigation between the administration pages that the user may open."""

    library = module("admin.jsx")
    tag = "AdminNav"

    sections: rx.Var[list[Section]]


class PageLink(ClientComponent):
    """A link to another page of RxChat."""

    library = module("admin.jsx")
    tag = "PageLink"

    to: rx.Var[str]


class FileLink(ClientComponent):
    """A link to a file that the browser downloads."""

    library = module("admin.jsx")
    tag = "FileLink"

    href: rx.Var[str]
    filename: rx.Var[str]


class SearchBox(ClientComponent):
    """A search field that searches while the user types."""

    library = module("admin.jsx")
    tag = "SearchBox"

    label: rx.Var[str]
    placeholder: rx.Var[str]
    on_search: rx.EventHandler[_one_text]


class LinkToHandOver(ClientComponent):
    """A link with its Copy button."""

    library = module("admin.jsx")
    tag = "LinkToHandOver"

    link: rx.Var[str]
    label: rx.Var[str]


class UserPicker(ClientComponent):
    """A field to find and choose a user."""

    library = module("admin.jsx")
    tag = "UserPicker"

    label: rx.Var[str]
    verb: rx.Var[str]
    found: rx.Var[list[Member]]
    searched: rx.Var[str]
    on_search: rx.EventHandler[_one_text]
    on_pick: rx.EventHandler[_one_text]


class Choices(ClientComponent):
    """A choice between options, each with an explanation."""

    library = module("admin.jsx")
    tag = "Choices"

    name: rx.Var[str]
    label: rx.Var[str]
    choices: rx.Var[list[dict[str, str]]]
    value: rx.Var[str]
    answers: rx.Var[int]
    on_choose: rx.EventHandler[_two_texts]


class Dialog(ClientComponent):
    """A modal dialog; Escape closes it."""

    library = module("admin-dialog.jsx")
    tag = "AdminDialog"

    is_open: rx.Var[bool]
    title: rx.Var[str]
    lead: rx.Var[str]
    is_wide: rx.Var[bool]
    on_close: rx.EventHandler[rx.event.no_args_event_spec]


class AccountDeletion(ClientComponent):
    """The confirmation before another user's account is deleted."""

    library = module("admin-deletion.jsx")
    tag = "AccountDeletion"

    is_open: rx.Var[bool]
    user_id: rx.Var[str]
    title: rx.Var[str]
    lead: rx.Var[str]
    has_password: rx.Var[bool]
    on_done: rx.EventHandler[rx.event.no_args_event_spec]
    on_close: rx.EventHandler[rx.event.no_args_event_spec]


def may(permission: str) -> rx.Var[bool]:
    """Whether the user has a permission, to decide what the page offers; services check again."""
    return CurrentUserState.permissions.contains(permission)  # pyright: ignore[reportAttributeAccessIssue]


def skeleton() -> rx.Component:
    """A placeholder while the page loads."""
    bars = [rx.el.i(style={"width": f"{width}%"}) for width in (38, 100, 100, 100, 100, 72)]
    return rx.el.div(*bars, class_name="skeleton admin-skeleton", role="status", aria_label="Loading")


def lead(*words: Any, actions: tuple[rx.Component, ...] = ()) -> rx.Component:
    """The introduction of a page, with its main action."""
    return rx.el.header(
        rx.el.p(*words),
        rx.el.div(*actions, class_name="admin-actions") if actions else rx.fragment(),
        class_name="admin-lead",
    )


def problem(state: Any) -> rx.Component:
    """The error message of a state."""
    return rx.cond(state.problem != "", rx.el.p(state.problem, role="alert", class_name="form-problem"))


def flash(state: Any) -> rx.Component:
    """The confirmation message of a state."""
    return rx.el.div(rx.cond(state.flash != "", rx.el.p(state.flash, class_name="flash")), role="status")


def empty(title: Any, words: Any, *action: rx.Component) -> rx.Component:
    """The message of an empty list."""
    return rx.el.div(rx.el.h2(title), rx.el.p(words), *action, class_name="admin-empty")


def button(label: Any, on_click: Any, *, danger: bool = False, **rest: Any) -> rx.Component:
    """A secondary button."""
    look = "button-quiet is-danger" if danger else "button-quiet"
    return rx.el.button(label, type="button", on_click=on_click, class_name=look, **rest)


def main_button(label: Any, on_click: Any) -> rx.Component:
    """The primary button of a page."""
    return rx.el.button(label, type="button", on_click=on_click, class_name="button-main")


def table(headings: tuple[str, ...], rows: Any, label: str) -> rx.Component:
    """A table that becomes cards on a phone; roles are named, since its looks would take them away."""
    cells = [
        rx.el.th(rx.el.span(item, class_name="" if item != "Actions" else "sr-only"), scope="col", role="columnheader")
        for item in headings
    ]
    return rx.el.table(
        rx.el.thead(rx.el.tr(*cells, role="row"), role="rowgroup"),
        rx.el.tbody(rows, role="rowgroup"),
        role="table",
        aria_label=label,
        class_name="admin-table",
    )


def row(*cells: rx.Component, key: Any) -> rx.Component:
    """A row of a table."""
    return rx.el.tr(*cells, role="row", key=key)


def cell(label: str, *content: Any, is_head: bool = False) -> rx.Component:
    """A table cell with its column's name for phones."""
    attributes = {"data-label": label}
    if is_head:
        return rx.el.th(*content, scope="row", role="rowheader", custom_attrs=attributes)
    return rx.el.td(*content, role="cell", custom_attrs=attributes)


def actions_cell(*buttons: Any) -> rx.Component:
    """The table cell with the actions."""
    return rx.el.td(*buttons, role="cell", class_name="row-actions")


def badge(words: Any, look: Any = "") -> rx.Component:
    """A badge."""
    return rx.el.span(words, class_name="badge", custom_attrs={"data-look": look})


def field(name: str, label: str, control: rx.Component, help_text: Any = "") -> rx.Component:
    """A labeled control; the control's id is its name."""
    words = rx.el.p(help_text, id=f"{name}-help", class_name="field-help") if help_text else rx.fragment()
    return rx.el.div(rx.el.label(label, html_for=name), control, words, class_name="field")


def text_field(name: str, label: str, help_text: Any = "", **rest: Any) -> rx.Component:
    """A labeled text field."""
    described = {"aria_describedby": f"{name}-help"} if help_text else {}
    return field(name, label, rx.el.input(id=name, name=name, auto_complete="off", **described, **rest), help_text)


def options(choices: Any) -> rx.Component:
    """The options of a select."""
    return rx.foreach(choices, lambda choice: rx.el.option(choice.label, value=choice.value, key=choice.value))


def dialog(state: Any, name: str, title: Any, *content: Any, lead: Any = "", is_wide: bool = False) -> rx.Component:
    """A dialog that is open while the state's `dialog` has its name."""
    return Dialog.create(
        *content,
        is_open=state.dialog == name,
        title=title,
        lead=lead,
        is_wide=is_wide,
        on_close=state.close,
    )


def form(state: Any, on_submit: Any, submit: Any, *fields: Any, danger: bool = False) -> rx.Component:
    """A form in a dialog: error above, buttons below; a failed submit keeps the values."""
    look = "button-main is-danger" if danger else "button-main"
    return rx.el.form(
        problem(state),
        *fields,
        rx.el.div(
            button("Cancel", state.close),
            rx.el.button(submit, type="submit", class_name=look),
            class_name="dialog-actions",
        ),
        on_submit=on_submit,
        class_name="form",
        no_validate=True,
    )


def confirm(
    state: Any, name: str, title: Any, words: Any, action: str, on_confirm: Any, *, danger: bool = True
) -> rx.Component:
    """A confirmation dialog: the consequence, and the button for the action."""
    look = "button-main is-danger" if danger else "button-main"
    return dialog(
        state,
        name,
        title,
        problem(state),
        rx.el.div(
            button("Cancel", state.close),
            rx.el.button(action, type="button", on_click=on_confirm, class_name=look),
            class_name="dialog-actions",
        ),
        lead=words,
    )

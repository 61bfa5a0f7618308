"""Dialogs: opened by the browser at once, closed when the server has done what they are about."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex_components_core.el.elements.base import BaseHTML

from rxchat.ui.kit.client_values import ClientValue, in_sequence, js_function
from rxchat.ui.kit.elements import icon_button, main_button, quiet_button
from rxchat.ui.kit.forms import FormStatus, field, form_problem, password_field

_CLOSED = {"which": "", "number": 0, "subject": {}}
_sent: ClientValue = ClientValue("dialog_sent", {"number": 0, "refusals": 0}, dict[str, int])
"""The number of the dialog whose form was sent last, and how often the state had refused a form by then."""
_refocus = js_function("refocus", "behaviours.js")


class Modal(BaseHTML):
    """The browser's modal dialog, open while it is drawn."""

    tag = "dialog"
    on_cancel: rx.EventHandler[rx.event.no_args_event_spec]

    @classmethod
    def create(cls, *children: Any, **props: Any) -> Any:
        """Create it with the ref that opens it."""
        attributes = {"ref": js_function("modal", "behaviours.js")} | props.pop("custom_attrs", {})
        return super().create(*children, custom_attrs=attributes, **props)


class Dialogs:
    """The dialogs of a page, of which one is open at most.

    Each opening has a number, which its form sends as `dialog`. The state (`DialogState`) answers with `done_dialog`, which
    closes it, or with `problem_dialog` and `problem`; nothing that was typed is lost.
    """

    def __init__(self, name: str, state: Any = None, subject: Any = dict[str, Any]) -> None:
        """Create them.

        Args:
            name: An identifier, unique among all pages.
            state: The `DialogState` that their forms are sent to.
            subject: The type of what a dialog is about, such as a row.
        """
        self._open: ClientValue = ClientValue(name, _CLOSED, dict[str, Any])
        self._state, self._subject = state, subject
        self._fields: set[str] = set()
        self.close = self._open.set(_CLOSED)
        """A trigger that closes the open dialog."""

    def closing(self) -> rx.Var:
        """The call that closes the open dialog, for `in_sequence`."""
        return self._open.assign(_CLOSED)

    @property
    def subject(self) -> Any:
        """What the open dialog is about."""
        return self._open.value["subject"].to(self._subject)

    @property
    def number(self) -> rx.Var[int]:
        """The number of the open dialog."""
        return self._open.value["number"].to(int)

    def open(self, which: str, subject: Any = None) -> Any:
        """A trigger that opens a dialog."""
        return in_sequence(self.opening(which, subject))

    def opening(self, which: str, subject: Any = None) -> rx.Var:
        """The call that opens a dialog, for `in_sequence` and `on_answer`."""
        now = rx.Var("Date.now()")
        return self._open.assign({"which": which, "number": now, "subject": {} if subject is None else subject})

    def is_open(self, which: str) -> rx.Var[bool]:
        """Whether this dialog is open, and what it asks for is not done yet."""
        is_this = self._open.value["which"] == which
        return is_this if self._state is None else is_this & (self._state.done_dialog != self.number)

    @property
    def problem(self) -> rx.Var[str]:
        """Why the server has not done what the open dialog asks for."""
        return rx.cond(self._state.problem_dialog == self.number, self._state.problem, "")

    def problem_of(self, name: str) -> rx.Var[str]:
        """The same, if it is about the field of this name, which then shows it instead of the form."""
        self._fields.add(name)
        return rx.cond(self._state.problem_field == name, self.problem, "")

    def field(self, name: str, label: str, **options: Any) -> rx.Component:
        """A field of a form, with its error."""
        return field(name, label, problem=self.problem_of(name), is_announced=True, **options)

    def _problem_of_none(self) -> rx.Var[str]:
        """The error of the form, unless one of its fields shows it."""
        return rx.cond(rx.Var.create(sorted(self._fields)).contains(self._state.problem_field), "", self.problem)

    def window(self, which: str, title: Any, *content: Any, **options: Any) -> rx.Component:
        """A dialog with any content."""
        return rx.cond(self.is_open(which), window(title, *content, on_close=self.close, **options))

    def form(self, which: str, title: Any, *fields: Any, **options: Any) -> rx.Component:
        """A dialog with a form, which closes when the state has done what it asks for."""
        of_window = {name: options.pop(name) for name in ("lead", "is_wide") if name in options}
        return self.window(which, title, self.content(*fields, **options), **of_window)

    def content(
        self,
        *fields: Any,
        action: Any,
        on_submit: Any,
        busy: str = "One moment…",
        danger: bool = False,
        **props: Any,
    ) -> rx.Component:
        """The form of a dialog: its error above, its buttons below; it is sent once, and busy until the answer."""
        is_refused = (self._state.problem_dialog == self.number) & (self._state.refusals != _sent.value["refusals"])
        is_busy = (_sent.value["number"] == self.number) & ~is_refused
        handlers = on_submit if isinstance(on_submit, list) else [on_submit]
        submit = main_button(rx.cond(is_busy, busy, action), type="submit", danger=danger, disabled=is_busy)
        return rx.el.form(
            form_problem(self._problem_of_none()),
            rx.cond(is_refused, rx.el.span(hidden=True, custom_attrs={"ref": _refocus})),
            rx.el.input(type="hidden", name="dialog", value=self.number),
            *fields,
            dialog_actions(self.close, submit),
            on_submit=[_sent.set({"number": self.number, "refusals": self._state.refusals}), *handlers],
            class_name="form",
            **props,
        )

    def confirm(self, which: str, title: Any, words: Any, **options: Any) -> rx.Component:
        """A question before an action: what it leads to, and the button for it; `fields` say what else is to be decided."""
        key = rx.el.input(type="hidden", name="id", value=self.subject["id"].to(str))
        fields = [options.pop("fields")] if "fields" in options else []
        return self.form(which, title, key, *fields, lead=words, **({"danger": True} | options))

    def proof(
        self,
        which: str,
        title: Any,
        *fields: Any,
        status: FormStatus,
        has_password: Any,
        path: Any,
        words: Any,
        on_done: Any,
        busy: str = "One moment…",
        danger: bool = False,
        **options: Any,
    ) -> rx.Component:
        """A dialog that asks for the user's password, if there is one, and sends it over HTTP."""
        props = {name: options.pop(name) for name in ("extra", "perform") if name in options}
        password = password_field(
            status.fields["password"], label="Your password", identifier="proof", is_first=not fields
        )
        return self.window(
            which,
            title,
            status.form(
                *fields,
                rx.cond(has_password, password),
                dialog_actions(self.close, status.submit(words, busy, danger=danger)),
                action=path,
                on_done=on_done,
                **props,
            ),
            **options,
        )


def window(title: Any, *content: Any, on_close: Any, lead: Any = "", is_wide: bool = False) -> rx.Component:
    """The window of a dialog: heading, close button, introduction, content."""
    words = rx.el.p(lead, class_name="dialog-lead") if not isinstance(lead, str) or lead else rx.fragment()
    return Modal.create(
        rx.el.header(
            rx.el.h2(title, id="dialog-title"),
            icon_button("x", "Close", side="left", look="small", on_click=on_close),
            class_name="dialog-head",
        ),
        words,
        *content,
        class_name="dialog",
        aria_labelledby="dialog-title",
        on_cancel=on_close,
        custom_attrs={"data-wide": ""} if is_wide else {},
    )


def dialog_actions(on_close: Any, *buttons: Any) -> rx.Component:
    """The buttons of a dialog: Cancel, and the one for the action."""
    return rx.el.div(quiet_button("Cancel", on_click=on_close), *buttons, class_name="dialog-actions")

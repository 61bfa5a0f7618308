"""The dialog that saves one conversation as a file, or prints it."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.ui.kit.client_values import backend_address, in_sequence, js_function
from rxchat.ui.kit.dialogs import Dialogs
from rxchat.ui.kit.elements import icon

_dialogs = Dialogs("export_dialog", None, dict[str, str])
_download = js_function("download", "save.js")
_print = js_function("printPage", "save.js")
_CHOICES = (
    ("file-text", "Markdown", "The branch that is shown, as text for other programs.", "markdown", _download),
    ("code", "HTML", "The branch that is shown, as one page that needs nothing else.", "html", _download),
    ("braces", "JSON", "Every branch and event, signed. RxChat can import it again.", "json", _download),
    (
        "printer",
        "Print or save as PDF",
        "Opens the page for printing; as printer, choose PDF.",
        "html&show=true",
        _print,
    ),
)


def open_export(conversation_id: Any, title: Any) -> Any:
    """A trigger that opens the dialog for a conversation."""
    return _dialogs.open("export", {"id": conversation_id, "title": title})


def export_dialog() -> rx.Component:
    """What can be made of the conversation; each choice closes the dialog."""
    return _dialogs.window(
        "export",
        "Export conversation",
        rx.el.ul(*[_choice(*choice) for choice in _CHOICES], class_name="export-choices"),
        lead=rx.el.bdi(_dialogs.subject["title"]),
    )


def _choice(icon_name: str, label: str, detail: str, wanted: str, act: Any) -> rx.Component:
    path = f"/api/conversations/{_dialogs.subject['id']}/export?format={wanted}"
    return rx.el.li(
        rx.el.button(
            icon(icon_name, 20, 1.75),
            rx.el.span(rx.el.b(label), rx.el.span(detail), class_name="export-words"),
            type="button",
            class_name="export-choice",
            on_click=in_sequence(act.call(backend_address.call(path)), _dialogs.closing()),
        )
    )

"""The list of uploads into a collection; client/page-uploads.js does the uploading."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.states.documents.documents import DocumentsState
from rxchat.ui.client import ClientComponent, module
from rxchat.ui.kit.client_values import ClientValue, in_sequence, js_function
from rxchat.ui.kit.elements import UNDEFINED, click_on, icon, icon_button
from rxchat.ui.kit.inputs import adds_files, files_over_page

TUS = "tus-js-client@4.3.1"
resolve_taken = js_function("resolveTakenNames", "page-uploads.js")
"""Call it with "replace" or "keep" to upload files whose names are taken, or with "" to drop them."""
_NOTHING: dict[str, Any] = {"items": [], "ids": [], "done": 0, "failed": 0, "progress": 0}
_uploads: ClientValue = ClientValue("uploads", {}, dict[str, dict[str, Any]])
_size_words = js_function("sizeWords", "words.js")
_with_upload = js_function("withUpload", "page-uploads.js")
_INPUT = "files-to-add"


class UploadsModule(ClientComponent):
    """Loads the package that speaks the tus protocol; shows nothing."""

    library = module("page-uploads.js")
    tag = "UploadsModule"
    lib_dependencies: list[str] = [TUS]


def _here() -> rx.Var:
    expression = f"({_uploads.value!s}[{DocumentsState.selected_id!s}] ?? {rx.Var.create(_NOTHING)!s})"
    data = rx.vars.VarData.merge(_uploads.value._get_all_var_data(), DocumentsState.selected_id._get_all_var_data())
    return rx.Var(_js_expr=expression, _var_type=dict[str, Any], _var_data=data).guess_type()


def is_uploaded_here(document_id: Any) -> rx.Var[bool]:
    """Whether this page uploads the document."""
    return _here()["ids"].to(list[str]).contains(document_id)


def add_files(*words: Any, look: str) -> rx.Component:
    """A button that opens the browser's file dialog."""
    return rx.el.button(*words, type="button", class_name=look, on_click=in_sequence(click_on.call(f"#{_INPUT}")))


def file_input() -> rx.Component:
    """The file input behind these buttons."""
    return adds_files(id=_INPUT, aria_label="Files to add")


def drop_overlay(name: Any) -> rx.Component:
    """What covers the page while files are dragged over it."""
    words = rx.el.p(icon("file-plus-2", 22, 1.75), f" Drop to add to “{name}”")
    return rx.cond(files_over_page.value, rx.el.div(words, class_name="drop-overlay"))


def uploads_list() -> rx.Component:
    """Each file, and the progress of all."""
    here = _here()
    items, failed = here["items"].to(list[dict[str, Any]]), here["failed"].to(int)
    more = rx.cond(failed > 0, f", {failed} failed", "")
    total = rx.el.div(
        rx.el.p(f"{here['done'].to(int)} of {items.length()} uploaded{more}", role="status"),
        rx.el.progress(value=here["progress"].to(float), max=1, aria_label="All files"),
        class_name="uploads-sum",
    )
    shown = rx.el.section(
        rx.cond(items.length() > 1, total),
        rx.el.ul(rx.foreach(items, _upload)),
        class_name="uploads",
        aria_label="Uploads",
    )
    return rx.fragment(UploadsModule.create(), rx.cond(items.length() > 0, shown, rx.el.div(role="status")))


def _upload(item: rx.Var[dict[str, Any]]) -> rx.Component:
    name, state = item["name"].to(str), item["state"].to(str)
    is_ended = (state == "done") | (state == "failed")
    icons = (("done", icon("circle-check", 17, 1.75)), ("failed", icon("triangle-alert", 17, 1.75)))
    progress = rx.el.progress(value=item["progress"].to(float), max=1, aria_label=f"{name}: upload progress")
    return rx.el.li(
        rx.el.span(rx.match(state, *icons, icon("upload", 17, 1.75)), class_name="upload-mark"),
        rx.el.div(
            rx.el.p(name, class_name="upload-name"),
            rx.el.p(
                _state_words(item, state),
                class_name="upload-state",
                role=rx.cond(state == "failed", "alert", UNDEFINED),
            ),
            rx.cond(~is_ended, progress),
            class_name="upload-words",
        ),
        rx.el.div(*_actions(item, name, state, is_ended), class_name="upload-actions"),
        key=item["key"].to(str),
        class_name="upload",
        custom_attrs={"data-state": state},
    )


def _state_words(item: rx.Var[dict[str, Any]], state: Any) -> rx.Var[str]:
    version, progress = item["version"].to(int), item["progress"].to(float)
    size = _size_words.call(item["size"]).to(str)
    stored = rx.cond(version > 1, f"Uploaded as version {version}", "Uploaded")
    words: Any = rx.match(
        state,
        ("queued", "Queued"),
        ("paused", "Paused"),
        ("lost", "Connection lost: the upload will resume on its own"),
        ("uploading", rx.cond(progress < 1, f"{(progress * 100) // 1} % of {size}", "Saving")),
        ("done", rx.cond(item["isThere"].to(bool), "This file already exists: nothing was added.", stored)),
        item["error"].to(str),
    )
    return words


def _actions(item: Any, name: Any, state: Any, is_ended: Any) -> list[rx.Component]:
    def button(icon_name: str, action: str, label: str, tip: str) -> rx.Component:
        act = in_sequence(_with_upload.call(DocumentsState.selected_id, action, item["key"]))
        return icon_button(icon_name, label, tip=tip, size=16, side="left", look="small", on_click=act)

    dismiss = rx.cond(
        is_ended, button("x", "cancel", f"Dismiss {name}", "Dismiss"), button("x", "cancel", f"Cancel {name}", "Cancel")
    )
    return [
        rx.cond(state == "paused", button("play", "resume", f"Go on with {name}", "Go on")),
        rx.cond(~is_ended & (state != "paused"), button("pause", "pause", f"Pause {name}", "Pause")),
        rx.cond(state == "failed", button("rotate-cw", "retry", f"Try {name} again", "Try again")),
        rx.cond((state != "done") | item["isThere"].to(bool), dismiss),
    ]

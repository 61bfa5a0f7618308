"""What an answer made (a page, a drawing, a document), beside the chat: in a frame without an origin, which loads nothing."""

from __future__ import annotations

import reflex as rx

from rxchat.ui.client import ClientComponent, module
from rxchat.ui.kit.client_values import ClientValue, in_sequence, js_function
from rxchat.ui.kit.dialogs import Modal
from rxchat.ui.kit.elements import icon, icon_button

_MODULE = "artifact-view.jsx"
_artifact: ClientValue[dict[str, str]] = ClientValue("artifact", {"kind": "", "text": "", "title": ""}, dict[str, str])
_close = in_sequence(js_function("closeArtifact", "artifact.js").call())
_save = in_sequence(js_function("saveArtifact", _MODULE).call())
_beside_chat = js_function("besideChat", "viewer-beside.jsx")


class ArtifactView(ClientComponent):
    """The artifact itself."""

    library = module(_MODULE)
    tag = "ArtifactView"

    artifact: rx.Var[dict[str, str]]


def artifact_beside() -> rx.Component:
    """The artifact that was opened last: beside the chat, or over it on narrow screens."""
    artifact = _artifact.value
    panel = Modal.create(
        rx.el.div(
            rx.el.h2(artifact["title"], class_name="artifact-title"),
            rx.el.button(icon("download", 15), " Download", type="button", on_click=_save, class_name="button-quiet"),
            icon_button(
                "x",
                "Close the preview",
                side="left",
                on_click=_close,
                custom_attrs={"data-closes-with-escape": ""},
            ),
            class_name="beside-head",
        ),
        ArtifactView.create(artifact=artifact),
        rx.cond(
            artifact["kind"] != "document",
            rx.el.p(
                "The model wrote this page. Do not enter passwords or other secrets here. Nothing is loaded from other sites.",
                class_name="artifact-note",
            ),
        ),
        class_name="beside artifact",
        aria_label=artifact["title"],
        tab_index=-1,
        on_cancel=_close,
        custom_attrs={"ref": _beside_chat},
    )
    return rx.cond(artifact["kind"] != "", panel)

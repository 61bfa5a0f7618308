"""A document beside the chat: opened from a citation, and closed back to the same line."""

from __future__ import annotations

import reflex as rx

from rxchat.ui.client import ClientComponent, module
from rxchat.ui.documents.viewer import document_at_address, passage_in_address
from rxchat.ui.kit.client_values import in_sequence, js_function, search_param
from rxchat.ui.kit.dialogs import Modal
from rxchat.ui.kit.elements import icon, icon_button, link
from rxchat.ui.kit.lazy import lazy

_MODULE = "viewer-beside.jsx"
_close = in_sequence(js_function("closeBeside", _MODULE).call())
_viewer_address = js_function("viewerAddress", "viewer-address.js")
_beside_chat = js_function("besideChat", _MODULE)


class BesideNavigation(ClientComponent):
    """Goes to the addresses of the chat with a document and without; shows nothing."""

    library = module(_MODULE)
    tag = "BesideNavigation"


def document_beside() -> rx.Component:
    """The document that the address of a chat names: beside the chat, or over it on narrow screens.

    The viewer is loaded with the first document, so that a chat starts without it.
    """
    document_id = search_param("document")
    page = _viewer_address.call({"documentId": document_id, **passage_in_address()}).to(str)
    panel = Modal.create(
        rx.el.div(
            link(icon("maximize-2", 15), " Open the page", to=page, class_name="button-quiet"),
            icon_button(
                "x",
                "Close the document",
                side="left",
                on_click=_close,
                custom_attrs={"data-closes-with-escape": ""},
            ),
            class_name="beside-head",
        ),
        rx.el.div(
            rx.el.div(lazy(document_at_address, document_id=document_id), class_name="documents-page viewer"),
            class_name="documents-scroll",
        ),
        class_name="beside",
        aria_label="Document",
        tab_index=-1,
        on_cancel=_close,
        custom_attrs={"ref": _beside_chat},
    )
    return rx.fragment(BesideNavigation.create(), rx.cond(document_id != "", panel))

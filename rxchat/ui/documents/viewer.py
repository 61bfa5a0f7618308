"""The document viewer: a document as it is, as text, and as chunks of the index; open at a passage."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.states.documents.viewed_document import ChunkView
from rxchat.states.documents.viewer import ViewerState
from rxchat.ui.client import ICONS, ClientComponent, module
from rxchat.ui.documents.viewer_head import restore_dialog, viewer_head
from rxchat.ui.kit.client_values import ClientValue, in_sequence, js_function, route_param
from rxchat.ui.kit.elements import (
    PageTitle,
    icon_button,
    link,
    quiet_button,
    skeleton,
    tab_panel,
    tabs,
)
from rxchat.ui.kit.forms import form_problem

PDF = "pdfjs-dist@6.5.438"
_TAB: ClientValue[str] = ClientValue("viewer_tab", "Document")
_NOTE: ClientValue[str] = ClientValue("viewer_note", "")
"""Why a PDF does not show the passage; the browser finds out."""
_CLOSED_NOTE: ClientValue[str] = ClientValue("viewer_note_closed", "")
"""The note that was closed, with the key of what it was about."""
_document = ViewerState.document
_go_to_passage = js_function("goToPassage", "viewer-passage-address.jsx")


def _opening(
    key: rx.Var[str], document_id: rx.Var[str], passage: rx.Var[dict[str, Any]]
) -> tuple[rx.Var[str], rx.Var[str], rx.Var[dict[str, Any]]]:
    """The arguments of the event that opens a document."""
    return (key, document_id, passage)


class AddressPassage(ClientComponent):
    """Opens the passage that the address names; its quote is behind the hash, which browsers send to no server."""

    library = module("viewer-passage-address.jsx")
    tag = "AddressPassage"

    document_id: rx.Var[str]
    opened: rx.Var[str]
    on_open: rx.EventHandler[_opening]


class PdfView(ClientComponent):
    """A PDF with the passage marked."""

    library = module("viewer-files.jsx")
    tag = "PdfView"
    lib_dependencies: list[str] = [ICONS, PDF]

    document_id: rx.Var[str]
    page: rx.Var[int]
    near: rx.Var[int]
    wanted: rx.Var[str]


class PictureView(ClientComponent):
    """A picture."""

    library = module("viewer-files.jsx")
    tag = "PictureView"

    document_id: rx.Var[str]
    name: rx.Var[str]
    media_type: rx.Var[str]


def document_viewer() -> rx.Component:
    """The page of the document in the address."""
    return rx.el.div(
        rx.el.div(
            rx.el.h1("Document", class_name="sr-only", tab_index=-1),
            AddressPassage.create(
                document_id=route_param("document_id"), opened=ViewerState.opened, on_open=ViewerState.open
            ),
            PageTitle.create(title=rx.cond(_document.name != "", _document.name, "Document")),
            viewed(),
            class_name="documents-page viewer",
        ),
        class_name="documents-scroll",
    )


def viewed() -> rx.Component:
    """The open document, wherever it is shown."""
    loading = skeleton("Loading the document", 46, 100, 94, 100, 88, 100, 62, look=_SKELETON)
    failed = rx.el.div(form_problem(ViewerState.problem), _try_again(), class_name="load-error")
    shown = rx.fragment(
        viewer_head(),
        form_problem(rx.cond(ViewerState.problem_dialog == 0, ViewerState.problem, "")),
        rx.match(
            _document.kind,
            ("text", _tabs("Document", "Passages")),
            _tabs("Document", "Text", "Passages"),
        ),
        tab_panel(
            _TAB.value,
            rx.match(_TAB.value, ("Passages", _chunks()), ("Text", _text()), _as_it_is()),
            class_name="viewer-body",
        ),
        restore_dialog(),
    )
    return rx.cond(
        ViewerState.is_missing,
        _missing(),
        rx.cond(_document.id != "", shown, rx.cond(ViewerState.problem != "", failed, loading)),
    )


_SKELETON = "skeleton documents-skeleton viewer-skeleton"


def _try_again() -> rx.Component:
    # The page asks for what is not open.
    return quiet_button("Try again", on_click=ViewerState.forget)


def _missing() -> rx.Component:
    return rx.el.section(
        rx.el.h2("Document not found"),
        rx.el.p("This document was deleted, or is no longer shared with you."),
        link("To your collections", to="/documents", class_name="button-quiet"),
        class_name="documents-welcome is-quiet",
        role="status",
    )


def _tabs(*names: str) -> rx.Component:
    shows = {name: _TAB.set(name) for name in names} | {"Passages": [_TAB.set("Passages"), ViewerState.show_chunks]}
    return tabs("Views", _TAB.value, *((name, name, shows[name]) for name in names))


def _note(words: Any) -> rx.Component:
    """Why the passage is not marked, with what it says; it covers what it is about, so that it can be closed."""
    key = f"{ViewerState.opened} {words}"
    close = icon_button("x", "Close this note", size=16, side="left", look="small", on_click=_CLOSED_NOTE.set(key))
    says = rx.cond(ViewerState.wanted != "", ViewerState.wanted, ViewerState.quote)
    note = rx.el.div(
        close,
        rx.el.p(words),
        rx.cond(says != "", rx.el.blockquote(says, dir="auto")),
        class_name="viewer-note",
        role="status",
    )
    return rx.cond((words != "") & (_CLOSED_NOTE.value != key), note)


def _as_it_is() -> rx.Component:
    pdf = rx.el.div(
        _note(_NOTE.value),
        PdfView.create(
            document_id=_document.id, page=ViewerState.page, near=ViewerState.near_page, wanted=ViewerState.wanted
        ),
        class_name="viewer-pdf",
    )
    picture = PictureView.create(document_id=_document.id, name=_document.name, media_type=_document.media_type)
    return rx.fragment(
        _note(ViewerState.note), rx.match(_document.kind, ("pdf", pdf), ("picture", picture), _text_content())
    )


def _text() -> rx.Component:
    return rx.fragment(_note(ViewerState.note), _text_content())


def _text_content() -> rx.Component:
    """The text as it was parsed, never interpreted as a page."""
    nothing = rx.el.p(
        rx.cond(
            _document.is_ready,
            "There is no text in this document.",
            "No text yet: the document is still being processed.",
        ),
        class_name="documents-none",
    )
    mark = rx.el.mark(
        ViewerState.text_marked,
        class_name="passage",
        key=ViewerState.opened,
        custom_attrs={"ref": js_function("scrollToMark", "viewer-passage-address.jsx")},
    )
    words = rx.el.div(
        ViewerState.text_before,
        rx.cond(ViewerState.text_marked != "", mark),
        ViewerState.text_after,
        class_name="viewer-words",
    )
    text = rx.el.div(
        rx.cond(ViewerState.has_earlier, _more("Show earlier text", ViewerState.show_earlier)),
        words,
        rx.cond(ViewerState.has_more, _more("Show more", ViewerState.show_more)),
        class_name=rx.cond(_document.is_fixed_width, "viewer-text is-fixed", "viewer-text"),
    )
    is_empty = ViewerState.text_before + ViewerState.text_marked + ViewerState.text_after == ""
    return rx.cond(is_empty, nothing, text)


def _more(words: str, on_click: Any, **props: Any) -> rx.Component:
    return rx.el.div(quiet_button(words, on_click=on_click, **props), class_name="viewer-more")


def _chunks() -> rx.Component:
    first, count = ViewerState.first_chunk, ViewerState.chunks.length()
    paging = rx.el.div(
        rx.el.span(f"Passages {first + 1} to {first + count}", role="status"),
        rx.el.div(
            quiet_button("Previous", on_click=ViewerState.previous_chunks, disabled=first == 0),
            quiet_button("Next", on_click=ViewerState.next_chunks, disabled=~ViewerState.has_more_chunks),
            class_name="admin-actions",
        ),
        class_name="paging",
    )
    return rx.cond(
        count > 0,
        rx.fragment(
            rx.el.ol(rx.foreach(ViewerState.chunks, _chunk), class_name="chunks"),
            rx.cond((first > 0) | ViewerState.has_more_chunks, paging),
        ),
        rx.el.p("No passages yet: the document is not ready.", class_name="documents-none"),
    )


def _chunk(item: ChunkView) -> rx.Component:
    passage = {"start": item.start, "end": item.end, "page": item.page, "quote": item.text}
    show = in_sequence(_TAB.assign("Document"), _go_to_passage.call(passage))
    return rx.el.li(
        rx.el.p(
            rx.el.b(f"#{item.number}"),
            rx.el.span(item.facts),
            rx.el.button("Show in the document", type="button", class_name="link-button", on_click=show),
            class_name="chunk-facts",
        ),
        rx.cond(item.heading != "", rx.el.p(item.heading, class_name="found-heading")),
        rx.el.p(item.text, class_name="chunk-text"),
        class_name="chunk",
        key=item.number,
    )

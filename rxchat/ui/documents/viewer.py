"""The document viewer: a document as it is, as text, and as chunks of the index; open at a passage."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex_base.components.component import NoSSRComponent

from rxchat.states.documents.viewed_document import ChunkView
from rxchat.states.documents.viewer import ViewerState
from rxchat.ui.client import module
from rxchat.ui.documents.viewer_head import reading_open, restore_dialog, versions_open, viewer_head
from rxchat.ui.kit.client_values import (
    ClientValue,
    StateRequest,
    address,
    backend_address,
    fragment_param,
    fresh,
    js_function,
    route_param,
    search_param,
)
from rxchat.ui.kit.elements import (
    PageTitle,
    icon_button,
    in_middle,
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
_BROKEN_PICTURE: ClientValue[str] = ClientValue("viewer_broken_picture", "")
"""The document that is no picture that the browser can show."""
_document = ViewerState.document
_beside_address = js_function("besideAddress", "viewer-address.js")


class PdfView(NoSSRComponent):
    """A PDF with the passage marked; PDF.js is large, and loaded when there is one."""

    library = module("viewer-pdf.jsx")
    tag = "PdfView"
    lib_dependencies: list[str] = [PDF]

    document_id: rx.Var[str]
    page: rx.Var[int]
    near: rx.Var[int]
    wanted: rx.Var[str]


def document_viewer() -> rx.Component:
    """The page of the document in the address."""
    return rx.el.div(
        rx.el.div(
            rx.el.h1("Document", class_name="sr-only", tab_index=-1),
            PageTitle.create(title=rx.cond(_document.name != "", _document.name, "Document")),
            document_at_address(document_id=route_param("document_id")),
            class_name="documents-page viewer",
        ),
        class_name="documents-scroll",
    )


@rx.memo
def document_at_address(document_id: rx.Var[str]) -> rx.Component:
    """The document that the address names, at its passage: on a page of its own, or beside a chat."""
    here = address()
    key = f"{here['pathname']}{here['search']}{here['hash']}"
    return rx.fragment(
        fresh(_TAB, versions_open, reading_open, key=document_id),
        StateRequest.create(
            wanted=key,
            loaded=ViewerState.opened,
            on_request=ViewerState.open(key, document_id, passage_in_address()),
        ),
        _viewed(),
    )


def passage_in_address() -> dict[str, rx.Var[str]]:
    """Return the passage that the address names: `start`, `end`, `page`, and its `quote`, which is known to the browser alone."""
    return {name: search_param(name) for name in ("start", "end", "page")} | {"quote": fragment_param("quote")}


def _viewed() -> rx.Component:
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
    return tabs("Views", _TAB.value, *((name, name, _TAB.set(name)) for name in names))


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
        skeleton("Loading the PDF", 100, look="skeleton pdf-skeleton"),
        PdfView.create(
            document_id=_document.id, page=ViewerState.page, near=ViewerState.near_page, wanted=ViewerState.wanted
        ),
        class_name="viewer-pdf",
    )
    picture = rx.cond(
        _BROKEN_PICTURE.value == _document.id,
        form_problem("This picture cannot be shown. You can download it."),
        rx.el.img(
            src=backend_address.call(f"/api/files/{_document.id}").to(str),
            alt=_document.name,
            class_name="viewer-picture",
            # In development the page has another origin.
            cross_origin="use-credentials",
            custom_attrs={"onError": _BROKEN_PICTURE.set(_document.id)},
            key=_document.id,
        ),
    )
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
        custom_attrs={"ref": in_middle},
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
    shown = rx.cond(
        count > 0,
        rx.fragment(
            rx.el.ol(rx.foreach(ViewerState.chunks, _chunk), class_name="chunks"),
            rx.cond((first > 0) | ViewerState.has_more_chunks, paging),
        ),
        rx.el.p("No passages yet: the document is not ready.", class_name="documents-none"),
    )
    wanted = f"{_document.id} {_document.is_ready}"
    return rx.fragment(
        StateRequest.create(wanted=wanted, loaded=ViewerState.chunks_of, on_request=ViewerState.show_chunks(wanted)),
        rx.cond(ViewerState.chunks_of != "", shown, skeleton("Loading the passages", 100, 94, 100, 62)),
    )


def _chunk(item: ChunkView) -> rx.Component:
    here = address()
    # Beside a chat it is no step of the history: Back closes the document.
    is_beside = search_param("document") != ""
    show = link(
        "Show in the document",
        to=rx.cond(is_beside, _beside_address.call(here["pathname"], item.address).to(str), item.address),
        replace=is_beside,
        class_name="link-button",
        on_click=_TAB.set("Document"),
        custom_attrs={"state": here["state"]},
    )
    return rx.el.li(
        rx.el.p(
            rx.el.b(f"#{item.number}"),
            rx.el.span(item.facts),
            show,
            class_name="chunk-facts",
        ),
        rx.cond(item.heading != "", rx.el.p(item.heading, class_name="found-heading")),
        rx.el.p(item.text, class_name="chunk-text"),
        class_name="chunk",
        key=item.number,
    )

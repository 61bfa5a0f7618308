"""The page of documents: the collections beside the open one."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.states.documents.document_views import CollectionView
from rxchat.states.documents.documents import DocumentsState
from rxchat.ui.documents.dialogs import dialogs, document_dialogs
from rxchat.ui.documents.search_preview import search_preview, show_documents, show_search, shown_tab
from rxchat.ui.documents.table import document_table
from rxchat.ui.documents.uploads import add_files, drop_overlay, file_input, uploads_list
from rxchat.ui.kit.client_values import route_param
from rxchat.ui.kit.elements import (
    UNDEFINED,
    PageTitle,
    counted,
    icon,
    link,
    main_button,
    menu,
    menu_item,
    opens,
    quiet_button,
    skeleton,
    tab_panel,
    tabs,
)
from rxchat.ui.kit.forms import form_problem
from rxchat.ui.kit.library import recently_deleted

_open = DocumentsState.collection
_named = route_param("collection_id")
_is_here = DocumentsState.loaded & (DocumentsState.selected_id == _named)
_MENU = "collection-menu"
_FORMATS = (
    "PDF, Word, PowerPoint, Excel, OpenDocument, RTF, EPUB, web pages, Markdown, e-mails and mailboxes, tables, JSON,"
    " source code, plain text and pictures."
)


def documents() -> rx.Component:
    """The page's content."""
    has_some = DocumentsState.collections.length() > 0
    shown = rx.cond(
        _is_here,
        rx.cond(
            _open.id != "",
            _collection(),
            rx.cond(_named != "", _missing(), rx.cond(has_some, _unselected(), _welcome())),
        ),
        _loading(),
    )
    return rx.el.div(
        PageTitle.create(title=rx.cond(_open.id != "", _open.name, "Documents")),
        rx.el.h1("Documents", class_name="sr-only", tab_index=-1),
        rx.cond(DocumentsState.loaded, _collections(), rx.el.div(class_name="collections")),
        rx.el.div(
            rx.el.div(
                rx.cond(
                    DocumentsState.loaded & (DocumentsState.problem_dialog == 0), form_problem(DocumentsState.problem)
                ),
                shown,
                rx.cond(
                    _is_here & (DocumentsState.embedder != ""),
                    rx.el.p(DocumentsState.embedder, class_name="documents-embedder"),
                ),
                class_name="documents-page",
            ),
            class_name="documents-scroll",
        ),
        document_dialogs(),
        class_name="documents",
        custom_attrs={
            "data-shows": rx.cond(_named != "", "collection", "list"),
            "data-empty": rx.cond(_is_here & ~has_some, "true", UNDEFINED),
        },
    )


def _loading() -> rx.Component:
    bars = skeleton("Loading your collections", 32, 54, 100, 100, 100, 70, look="skeleton documents-skeleton")
    failed = rx.el.div(
        form_problem(DocumentsState.problem),
        quiet_button(icon("refresh-cw", 15), " Try again", on_click=DocumentsState.load),
        class_name="load-error",
    )
    return rx.cond((DocumentsState.problem != "") & ~DocumentsState.loaded, failed, bars)


def _collections() -> rx.Component:
    new = quiet_button(
        icon("plus", 16),
        " New",
        rx.el.span(" collection", class_name="collections-what"),
        aria_label="New collection",
        on_click=dialogs.open("new"),
    )
    return rx.el.nav(
        rx.el.header(rx.el.h2("Collections"), new, class_name="collections-head"),
        rx.el.ul(rx.foreach(DocumentsState.collections, _collection_link)),
        class_name="collections",
        aria_label="Collections",
    )


def _collection_link(item: CollectionView) -> rx.Component:
    return rx.el.li(
        link(
            rx.el.span(item.name, class_name="collection-name"),
            rx.el.span(counted.call(item.documents, "document"), _shared(item), class_name="collection-facts"),
            to=f"/documents/{item.id}",
            class_name="collection-link",
            custom_attrs={"aria-current": rx.cond(item.id == _named, "page", UNDEFINED)},
        ),
        key=item.id,
    )


def _shared(item: Any) -> rx.Component:
    return rx.cond(~item.is_own, rx.el.span(icon("users", 13), " shared with you", class_name="collection-shared"))


def _collection() -> rx.Component:
    table = rx.cond(DocumentsState.stored_count > 0, document_table(), _no_documents())
    return rx.fragment(
        _head(),
        uploads_list(),
        tabs(
            "This collection",
            shown_tab,
            ("documents", "Documents", show_documents),
            ("query", "Test search", show_search),
        ),
        tab_panel(
            shown_tab,
            rx.cond(shown_tab == "query", search_preview(), rx.fragment(table, _recently_deleted())),
        ),
        rx.cond(_open.is_own, drop_overlay(_open.name)),
    )


def _head() -> rx.Component:
    buttons = rx.el.div(
        add_files(icon("file-plus-2"), " Add files", look="button-main"),
        quiet_button(icon("share-2", 15), " Share", on_click=dialogs.open("share", _open)),
        rx.el.button(
            icon("ellipsis", 18, 1.75),
            type="button",
            class_name="icon-button",
            aria_label="More actions",
            custom_attrs=opens(_MENU),
        ),
        menu(
            _MENU,
            "This collection",
            menu_item(_MENU, "pencil", "Rename", on_click=dialogs.open("rename", _open)),
            menu_item(_MENU, "trash-2", "Delete", danger=True, on_click=dialogs.open("delete", _open)),
        ),
        file_input(),
        class_name="collection-actions",
        custom_attrs={"data-uploads-to": _open.id},
    )
    facts = rx.el.p(
        counted.call(_open.documents, "document"),
        " · ",
        counted.call(_open.chunks, "passage"),
        _shared(_open),
        class_name="collection-facts",
    )
    return rx.el.header(
        link(icon("arrow-left", 15), " All collections", to="/documents", class_name="back-link documents-back"),
        rx.el.div(
            rx.el.div(
                rx.el.h2(_open.name),
                rx.cond(_open.description != "", rx.el.p(_open.description, class_name="collection-description")),
                facts,
            ),
            rx.cond(_open.is_own, buttons),
            class_name="collection-title",
        ),
        class_name="collection-head",
    )


def _no_documents() -> rx.Component:
    own = rx.fragment(
        rx.el.p(rx.el.b("Drop files here"), ", paste them, or choose them."),
        rx.el.p(_FORMATS, class_name="text-muted"),
        add_files("Choose files", look="button-quiet"),
    )
    return rx.el.div(
        icon("file-plus-2", 24, 1.5),
        rx.cond(_open.is_own, own, rx.el.p("There are no documents in this collection yet.")),
        class_name="documents-drop",
    )


def _recently_deleted() -> rx.Component:
    return recently_deleted(
        DocumentsState.deleted,
        "Deleted documents can be restored for 30 days.",
        dialogs,
        DocumentsState.restore_documents,
        lambda item: item.name,
    )


def _words(title: str, text: str, *more: Any, icon_name: str = "", look: str = " is-quiet") -> rx.Component:
    mark = rx.el.span(icon(icon_name, 26, 1.5), class_name="documents-mark") if icon_name else rx.fragment()
    return rx.el.section(mark, rx.el.h2(title), rx.el.p(text), *more, class_name=f"documents-welcome{look}")


def _welcome() -> rx.Component:
    return _words(
        "Answers from your own documents",
        "Put files that belong together into a collection: a handbook, the papers of a project, the minutes of a year. RxChat"
        " reads them here, on your own server, and answers name the passage that they rest on.",
        main_button("Create your first collection", on_click=dialogs.open("new")),
        icon_name="library",
        look="",
    )


def _unselected() -> rx.Component:
    return _words(
        "Open a collection",
        "See its documents and their progress, add files, and test searches.",
        icon_name="file-search",
    )


def _missing() -> rx.Component:
    return _words(
        "Collection not found",
        "It was deleted, or is no longer shared with you.",
        link("To your collections", to="/documents", class_name="button-quiet"),
    )

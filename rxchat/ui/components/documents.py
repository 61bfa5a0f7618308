"""Collections, their documents, and one document by itself, as the browser draws them."""

from __future__ import annotations

import reflex as rx

from rxchat.domain.documents import ENCODINGS, TEXT_READERS
from rxchat.states.documents.documents import (
    CollectionView,
    DeletedDocumentView,
    DocumentsState,
    DocumentView,
    GroupChoice,
    ShareView,
)
from rxchat.ui.client import ICONS, ClientComponent, module

UPLOADS = "tus-js-client@4.3.1"
PDF = "pdfjs-dist@6.5.438"
_READERS = {
    "plain_text": "Plain text",
    "markdown": "Markdown",
    "delimited": "Table (CSV)",
    "json_data": "JSON",
    "html": "Web page",
    "source_code": "Source code",
    "mail": "E-mail",
}
_SCRIPTS = {
    "utf-8": "Unicode",
    "windows-1252": "Western European",
    "windows-1250": "Central European",
    "windows-1251": "Cyrillic",
    "windows-1253": "Greek",
    "windows-1254": "Turkish",
    "windows-1255": "Hebrew",
    "windows-1256": "Arabic",
    "windows-1257": "Baltic",
    "windows-1258": "Vietnamese",
    "windows-874": "Thai",
    "iso-8859-2": "Central European",
    "iso-8859-3": "Maltese, Esperanto",
    "iso-8859-5": "Cyrillic",
    "iso-8859-6": "Arabic",
    "iso-8859-7": "Greek",
    "iso-8859-15": "Western European",
    "iso-8859-16": "Romanian",
    "koi8-r": "Russian",
    "koi8-u": "Ukrainian",
    "macintosh": "Western European, old Macs",
    "x-mac-cyrillic": "Cyrillic, old Macs",
    "ibm437": "DOS",
    "ibm737": "Greek, DOS",
    "ibm850": "Western European, DOS",
    "ibm852": "Central European, DOS",
    "ibm862": "Hebrew, DOS",
    "ibm866": "Cyrillic, DOS",
    "shift_jis": "Japanese",
    "euc-jp": "Japanese",
    "iso-2022-jp": "Japanese",
    "gb18030": "Chinese, simplified",
    "big5": "Chinese, traditional",
    "euc-kr": "Korean",
    "iso-2022-kr": "Korean",
    "johab": "Korean, DOS",
    "hz-gb-2312": "Chinese, simplified, seven bits",
    "utf-7": "Unicode, seven bits",
}


def _one_text(value: rx.Var[str]) -> tuple[rx.Var[str]]:
    """The arguments of an event that names one thing."""
    return (value,)


def _two_texts(first: rx.Var[str], second: rx.Var[str]) -> tuple[rx.Var[str], rx.Var[str]]:
    """The arguments of an event that sets one thing to another."""
    return (first, second)


def _three_texts(
    first: rx.Var[str], second: rx.Var[str], third: rx.Var[str]
) -> tuple[rx.Var[str], rx.Var[str], rx.Var[str]]:
    """The arguments of an event that says two things of a third."""
    return (first, second, third)


class DocumentsPage(ClientComponent):
    """The collections, and the one that is open."""

    library = module("documents.jsx")
    tag = "DocumentsPage"
    lib_dependencies: list[str] = [ICONS, UPLOADS]

    collections: rx.Var[list[CollectionView]]
    selected_id: rx.Var[str]
    documents: rx.Var[list[DocumentView]]
    shares: rx.Var[list[ShareView]]
    deleted: rx.Var[list[DeletedDocumentView]]
    removed: rx.Var[str]
    groups: rx.Var[list[GroupChoice]]
    embedder: rx.Var[str]
    loaded: rx.Var[bool]
    flash: rx.Var[str]
    created: rx.Var[str]
    problem: rx.Var[str]
    answers: rx.Var[int]
    on_reload: rx.EventHandler[rx.event.no_args_event_spec]
    on_create: rx.EventHandler[_two_texts]
    on_rename: rx.EventHandler[_three_texts]
    on_remove_collection: rx.EventHandler[_one_text]
    on_remove_documents: rx.EventHandler[_one_text]
    on_delete_for_good: rx.EventHandler[_one_text]
    on_restore_documents: rx.EventHandler[_one_text]
    on_rename_document: rx.EventHandler[_two_texts]
    on_read_again: rx.EventHandler[_one_text]
    on_share: rx.EventHandler[_two_texts]
    on_unshare: rx.EventHandler[_one_text]


class ViewerPage(ClientComponent):
    """One document: as it is, as text, and as the index sees it."""

    library = module("viewer.jsx")
    tag = "ViewerPage"
    lib_dependencies: list[str] = [ICONS, PDF]

    collections: rx.Var[list[CollectionView]]
    news: rx.Var[int]
    encodings: rx.Var[list[tuple[str, str]]]
    readers: rx.Var[list[tuple[str, str]]]


def documents() -> rx.Component:
    """The user's collections."""
    return DocumentsPage.create(
        collections=DocumentsState.collections,
        selected_id=DocumentsState.selected_id,
        documents=DocumentsState.documents,
        shares=DocumentsState.shares,
        deleted=DocumentsState.deleted,
        removed=DocumentsState.removed,
        groups=DocumentsState.groups,
        embedder=DocumentsState.embedder,
        loaded=DocumentsState.loaded,
        flash=DocumentsState.flash,
        created=DocumentsState.created,
        problem=DocumentsState.problem,
        answers=DocumentsState.answers,
        on_reload=DocumentsState.load,
        on_create=DocumentsState.create,
        on_rename=DocumentsState.rename,
        on_remove_collection=DocumentsState.remove_collection,
        on_remove_documents=DocumentsState.remove_documents,
        on_delete_for_good=DocumentsState.delete_for_good,
        on_restore_documents=DocumentsState.restore_documents,
        on_rename_document=DocumentsState.rename_document,
        on_read_again=DocumentsState.read_again,
        on_share=DocumentsState.share,
        on_unshare=DocumentsState.unshare,
    )


def document_viewer() -> rx.Component:
    """The document that the address names."""
    return ViewerPage.create(
        collections=DocumentsState.collections,
        news=DocumentsState.news,
        encodings=[(name, f"{name} ({_SCRIPTS[name]})" if name in _SCRIPTS else name) for name in ENCODINGS],
        readers=[(reader, _READERS[reader]) for reader in TEXT_READERS],
    )

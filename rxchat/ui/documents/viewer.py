"""The document viewer."""

from __future__ import annotations

import reflex as rx

from rxchat.domain.documents import ENCODINGS, TEXT_READERS
from rxchat.states.documents.document_views import CollectionView
from rxchat.states.documents.documents import DocumentsState
from rxchat.ui.client import ICONS, ClientComponent, module

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


class ViewerPage(ClientComponent):
    """One document: as it is, as text, and as the index sees it."""

    library = module("viewer.jsx")
    tag = "ViewerPage"
    lib_dependencies: list[str] = [ICONS, PDF]

    collections: rx.Var[list[CollectionView]]
    news: rx.Var[int]
    encodings: rx.Var[list[tuple[str, str]]]
    readers: rx.Var[list[tuple[str, str]]]


def document_viewer() -> rx.Component:
    """The document that the address names."""
    return ViewerPage.create(
        collections=DocumentsState.collections,
        news=DocumentsState.news,
        encodings=[(name, f"{name} ({_SCRIPTS[name]})" if name in _SCRIPTS else name) for name in ENCODINGS],
        readers=[(reader, _READERS[reader]) for reader in TEXT_READERS],
    )

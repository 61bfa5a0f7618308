"""The pages for documents: collections, and a document by itself."""

from __future__ import annotations

import reflex as rx

from rxchat.ui.chat.topbar import page_bar
from rxchat.ui.documents.collections import documents
from rxchat.ui.documents.viewer import document_viewer
from rxchat.ui.layout import page_shell


def documents_page() -> rx.Component:
    """The collections, and the one that the address names."""
    return page_shell(page_bar("Documents"), documents())


def viewer_page() -> rx.Component:
    """One document, open at a passage when the address names one."""
    return page_shell(page_bar("Document"), document_viewer())

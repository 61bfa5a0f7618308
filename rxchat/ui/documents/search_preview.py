"""The tab "Test search" of a collection."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.states.documents.documents import DocumentsState
from rxchat.states.documents.search_preview import PassageView, SearchPreviewState, TextPart
from rxchat.ui.kit.client_values import ClientValue
from rxchat.ui.kit.elements import at_most, icon, link, main_button, skeleton
from rxchat.ui.kit.forms import form_problem

_searched_in: ClientValue[str] = ClientValue("search_tab_of", "")
"""The collection that is shown with its tab for searches; all others are shown with their documents."""
shown_tab = rx.cond(_searched_in.value == DocumentsState.selected_id, "query", "documents")
show_documents = _searched_in.set("")
show_search = _searched_in.set(DocumentsState.selected_id)
_asked: ClientValue[int] = ClientValue("search_asked", -1)
"""The number of the last answer when the question was sent."""


def search_preview() -> rx.Component:
    """The question, and what it found."""
    lead = rx.cond(
        DocumentsState.has_searchable,
        "Shows which passages a model would get for a question, best first, and why each one was found.",
        "Once a document is ready, you can search it here.",
    )
    is_answered = SearchPreviewState.searched_id == DocumentsState.selected_id
    question = rx.el.input(
        type="search",
        name="question",
        aria_label="Question",
        placeholder="Enter a question as in a chat",
        default_value=rx.cond(is_answered, SearchPreviewState.question, ""),
        custom_attrs=at_most(2000),
        required=True,
        auto_focus=True,
    )
    return rx.el.section(
        rx.el.form(
            rx.el.div(icon("search", 16, 1.75), question, class_name="search-box"),
            main_button("Find", type="submit"),
            on_submit=[_asked.set(SearchPreviewState.number), SearchPreviewState.search],
            class_name="query-form",
            role="search",
        ),
        rx.cond(
            _asked.value == SearchPreviewState.number,
            skeleton("Searching", 40, 100, 90, 45, 100, 84, look="skeleton documents-skeleton"),
            rx.fragment(
                form_problem(SearchPreviewState.problem),
                rx.cond(is_answered, _answer(), rx.el.p(lead, class_name="query-lead")),
            ),
        ),
        class_name="try-query",
        aria_label="Test search",
    )


def _answer() -> rx.Component:
    count, notice = SearchPreviewState.passages.length(), SearchPreviewState.notice
    return rx.fragment(
        rx.cond(notice != "", rx.el.p(notice, class_name="document-note query-notice", role="status")),
        rx.el.p(f"{count} passages found", class_name="sr-only", role="status"),
        rx.cond(
            count > 0,
            rx.el.ol(rx.foreach(SearchPreviewState.passages, _passage), class_name="found-list"),
            rx.cond(
                SearchPreviewState.problem == "",
                rx.el.p("No results. Other words may find more.", class_name="documents-none"),
            ),
        ),
    )


def _passage(item: PassageView, at: rx.Var[int]) -> rx.Component:
    return rx.el.li(
        link(
            rx.el.span(at + 1, class_name="found-rank", aria_label=f"Rank {at + 1}"),
            rx.el.span(
                rx.el.span(
                    rx.el.b(item.name), rx.cond(item.page != "", rx.el.span(item.page)), class_name="found-name"
                ),
                rx.cond(item.heading != "", rx.el.span(item.heading, class_name="found-heading")),
                rx.el.span(rx.foreach(item.parts, _part), class_name="found-text"),
                rx.el.span(item.reason, class_name="found-why"),
                class_name="found-words",
            ),
            to=item.address,
            class_name="found-link",
        ),
        key=item.key,
        class_name="found",
    )


def _part(part: TextPart) -> Any:
    return rx.cond(part.is_marked, rx.el.mark(part.text), part.text)

"""How users rate answers: by model, and the newest ratings with their reasons."""

from __future__ import annotations

import reflex as rx

from rxchat.states.access.feedback import FeedbackState, FeedbackView, ModelRatingsView
from rxchat.ui.access.frame import admin_page, lead, nothing
from rxchat.ui.kit.elements import Moment, icon, quiet_button
from rxchat.ui.kit.tables import cell, row, table


def feedback_page() -> rx.Component:
    """The ratings, or how they come about."""
    return admin_page(
        "Feedback",
        FeedbackState,
        lead("How users rate answers. Their questions and the answers stay with them."),
        rx.cond(
            FeedbackState.rows.length() > 0,
            rx.fragment(
                table(("Model", "Good", "Bad", "Share"), rx.foreach(FeedbackState.models, _model), "Ratings by model"),
                table(("Rating", "Model", "Who", "When"), rx.foreach(FeedbackState.rows, _rating), "Newest ratings"),
                rx.cond(
                    FeedbackState.has_older,
                    rx.el.div(quiet_button("Show older", on_click=FeedbackState.older), class_name="paging is-centred"),
                ),
            ),
            nothing("No ratings yet", "Below each answer, a thumb up or down rates it."),
        ),
    )


def _model(item: ModelRatingsView) -> rx.Component:
    return row(
        cell("Model", item.model, is_head=True),
        cell("Good", item.good),
        cell("Bad", item.bad),
        cell("Share", item.share, " good"),
        key=item.model,
    )


def _rating(item: FeedbackView) -> rx.Component:
    words = rx.cond(
        item.is_good,
        rx.fragment(icon("thumbs-up", 15, 1.75), " Good"),
        rx.fragment(icon("thumbs-down", 15, 1.75), " Bad"),
    )
    return row(
        cell(
            "Rating",
            rx.el.span(words, class_name="rating"),
            rx.cond(item.reasons != "", rx.el.span(item.reasons, class_name="row-detail")),
            rx.cond(item.comment != "", rx.el.span(item.comment, class_name="row-detail rating-comment", dir="auto")),
            is_head=True,
        ),
        cell("Model", item.model),
        cell("Who", item.user),
        cell("When", Moment.create(at=item.at)),
        key=item.id,
    )

"""The card of a citation: what its source says, where that stands, and the way to it."""

from __future__ import annotations

import reflex as rx

from rxchat.ui.kit.client_values import ClientValue, js_function
from rxchat.ui.kit.elements import icon, link

_TEXTS = ("label", "reason", "claim", "name", "place", "note", "before", "quoted", "after", "to")
_card: ClientValue[dict[str, str]] = ClientValue("citation_card", dict.fromkeys(_TEXTS, ""), dict[str, str])
"""What the card says, as client/citation-card.js publishes it for the citation that is pointed at."""


def citation_card() -> rx.Component:
    """The one card of a page, shown for the citation that is pointed at; a sheet on phones."""
    card = _card.value
    claim = rx.el.span(" ", card["claim"], class_name="citation-note")
    passage = rx.el.blockquote(
        card["before"], rx.cond(card["quoted"] != "", rx.el.mark(card["quoted"])), card["after"], dir="auto"
    )
    open_document = link(
        "Open document",
        to=card["to"],
        class_name="citation-open",
        custom_attrs={"onClick": js_function("followBeside", "viewer-beside.jsx")},
    )
    return rx.el.div(
        rx.cond(
            card["reason"] != "",
            rx.el.p(card["reason"], rx.cond(card["claim"] != "", claim), class_name="citation-reason"),
        ),
        rx.cond(
            card["name"] != "",
            rx.el.p(icon("file-text", 15, 1.75), rx.el.span(card["name"]), class_name="citation-name"),
        ),
        rx.cond(card["place"] != "", rx.el.p(card["place"], class_name="citation-place")),
        rx.cond(card["note"] != "", rx.el.p(card["note"], class_name="citation-note", role="status")),
        rx.cond(card["name"] != "", passage),
        rx.cond(card["to"] != "", open_document),
        id="citation-card",
        role="dialog",
        aria_label=card["label"],
        class_name="citation-card",
        custom_attrs={
            "popover": "auto",
            "data-placement": "bottom-center",
            "onMouseEnter": js_function("keepCard", "citation-card.js"),
            "onMouseLeave": js_function("leaveCard", "citation-card.js"),
            "onFocus": js_function("keepCard", "citation-card.js"),
            "onBlur": js_function("leaveCard", "citation-card.js"),
        },
    )

"""The page of a conversation's history: the slider, the messages at that moment, and the map of all versions."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.states.chat.conversation_history import HistoryState
from rxchat.states.chat.history_views import MapLineView
from rxchat.ui.chat.public_page import PublicConversation
from rxchat.ui.chat.topbar import page_bar
from rxchat.ui.kit.client_values import ClientValue, fresh, in_sequence
from rxchat.ui.kit.elements import (
    Moment,
    PageTitle,
    counted,
    empty_state,
    icon,
    icon_button,
    link,
    main_button,
    quiet_button,
    skeleton,
    tab_panel,
    tabs,
)
from rxchat.ui.kit.forms import form_problem
from rxchat.ui.layout import page_shell
from rxchat.ui.platform.not_found import not_found_panel

_DEBOUNCE_MS = 80
_LINE_HEIGHT = 40
_MISSING = "The conversation may have been deleted, or the address may be wrong."
_moved: ClientValue[int] = ClientValue("history_moved", 0)
"""Where the slider was moved to; 0 where the server says."""
_panel: ClientValue[str] = ClientValue("history_panel", "messages")


def history_page() -> rx.Component:
    """The slider above, the messages and the map side by side; one after the other on narrow screens."""
    return page_shell(
        page_bar("History"),
        fresh(_moved, _panel, key=HistoryState.conversation_id),
        PageTitle.create(title=f"History: {HistoryState.title}"),
        rx.cond(
            HistoryState.missing,
            not_found_panel(_MISSING),
            rx.el.div(
                rx.el.h1(f"History: {HistoryState.title}", class_name="sr-only", tab_index=-1),
                rx.cond(
                    HistoryState.loaded,
                    rx.fragment(_head(), _panels()),
                    skeleton("Loading the history", 70, 40, 92, 84, 60),
                ),
                class_name="history",
            ),
        ),
    )


def _head() -> rx.Component:
    shown = rx.cond(_moved.value > 0, _moved.value, HistoryState.seq)
    is_latest = shown == HistoryState.latest
    return rx.el.section(
        rx.el.div(
            link(icon("arrow-left", 16), " Back to the conversation", to=f"/c/{HistoryState.conversation_id}"),
            rx.el.span(HistoryState.title, class_name="history-title", dir="auto"),
            class_name="history-way",
        ),
        rx.el.div(
            _step("chevron-left", "One step back", shown - 1, disabled=shown <= 1),
            rx.el.input(
                type="range",
                min="1",
                max=HistoryState.latest.to_string(),
                value=shown.to_string(),
                aria_label="Moment of the conversation",
                class_name="history-slider",
                on_change=lambda value: [
                    in_sequence(_moved.assign(value)),
                    HistoryState.show(value.to_string()).debounce(_DEBOUNCE_MS),
                ],
                custom_attrs={"aria-valuetext": f"Step {shown} of {HistoryState.latest}: {HistoryState.words}"},
            ),
            _step("chevron-right", "One step forward", shown + 1, disabled=is_latest),
            class_name="history-slide",
        ),
        rx.el.div(
            rx.el.p(
                rx.el.b(HistoryState.words, dir="auto"),
                rx.el.span(
                    "Step ", shown, " of ", HistoryState.latest, " · ", Moment.create(at=HistoryState.at, is_exact=True)
                ),
                class_name="history-words",
            ),
            rx.el.div(
                quiet_button(icon("git-branch", 15), " New chat from here", on_click=HistoryState.fork),
                main_button(
                    icon("rotate-ccw", 15),
                    " Restore",
                    on_click=[HistoryState.restore, in_sequence(_moved.assign(0))],
                    disabled=is_latest,
                ),
                class_name="history-actions",
            ),
            class_name="history-now",
        ),
        form_problem(HistoryState.problem),
        class_name="history-head",
        aria_label="Moment",
    )


def _step(icon_name: str, label: str, seq: Any, *, disabled: Any) -> rx.Component:
    return icon_button(
        icon_name,
        label,
        on_click=[in_sequence(_moved.assign(seq)), HistoryState.show(seq.to_string())],
        disabled=disabled,
    )


def _panels() -> rx.Component:
    shown = _panel.value
    return rx.el.div(
        tabs(
            "History",
            shown,
            ("messages", "Messages", _panel.set("messages")),
            ("map", "Map", _panel.set("map")),
        ),
        rx.el.div(
            tab_panel("messages", _messages(), class_name="history-messages", tab_index=0),
            tab_panel("map", _map(), class_name="history-map", tab_index=0),
            class_name="history-panels",
            custom_attrs={"data-shown": shown},
        ),
        class_name="history-body",
    )


def _messages() -> rx.Component:
    nothing = empty_state("message-square-dashed", "No message was shown at this moment.")
    earlier = rx.el.p(
        counted.call(HistoryState.earlier, "earlier message").to(str),
        " not shown. ",
        quiet_button("Show more", on_click=HistoryState.show_earlier),
        class_name="history-earlier",
    )
    return rx.fragment(
        rx.cond(HistoryState.earlier > 0, earlier),
        rx.cond(HistoryState.messages.length() > 0, PublicConversation.create(messages=HistoryState.messages), nothing),
    )


def _map() -> rx.Component:
    fold = quiet_button(
        rx.cond(HistoryState.is_whole, "Fold long runs", "Show every message"), on_click=HistoryState.unfold
    )
    hidden = rx.el.p(
        counted.call(HistoryState.hidden_lines, "more message").to(str), " not shown.", class_name="history-note"
    )
    return rx.fragment(
        rx.el.p(
            "Each version of a message is a branch. The highlighted one is shown; a click shows another one.",
            class_name="history-note",
        ),
        rx.el.ol(
            rx.foreach(HistoryState.lines, _line), class_name="map-lines", aria_label="Messages and their versions"
        ),
        rx.cond(HistoryState.hidden_lines > 0, hidden),
        rx.cond(HistoryState.can_unfold, fold),
    )


def _line(line: MapLineView) -> rx.Component:
    state = rx.cond(
        line.is_deleted, "(deleted)", rx.cond(line.is_shown | (line.kind == "several"), "", "(another version)")
    )
    words = rx.fragment(
        _rails(line),
        rx.el.span(
            rx.cond(line.who != "", rx.el.b(line.who, class_name="map-who")),
            rx.el.span(line.words, class_name="map-words", dir="auto"),
            rx.el.span(state, class_name="sr-only"),
            class_name="map-text",
        ),
    )
    return rx.el.li(
        rx.cond(
            line.address != "",
            link(words, to=line.address, class_name="map-line"),
            rx.el.span(words, class_name="map-line"),
        ),
        custom_attrs={
            "data-kind": line.kind,
            "data-shown": line.is_shown,
            "data-deleted": line.is_deleted,
        },
        key=line.id,
    )


def _rails(line: MapLineView) -> rx.Component:
    middle = str(_LINE_HEIGHT // 2)
    return rx.el.svg(
        rx.el.path(d=line.path, class_name="map-rail"),
        rx.el.path(d=line.shown_path, class_name="map-rail is-shown"),
        rx.el.circle(
            cx=line.x, cy=middle, r=rx.match(line.kind, ("start", "3"), ("several", "2.5"), "5"), class_name="map-dot"
        ),
        class_name="map-rails",
        width=HistoryState.map_width,
        height=str(_LINE_HEIGHT),
        custom_attrs={"aria-hidden": "true"},
    )

"""The page of a new chat: a greeting, and four examples that a small model can do."""

from __future__ import annotations

import reflex as rx

from rxchat.states.chat.chosen_assistant import ChosenAssistantState
from rxchat.states.chat.model_picker import ModelPickerState
from rxchat.states.platform.current_user import CurrentUserState
from rxchat.ui.chat.chosen_assistant import assistant_sign
from rxchat.ui.kit.client_values import ClientValue
from rxchat.ui.kit.elements import icon

_EXAMPLES = (
    ("Ask for a fact", "What is the capital of France, and what is it known for?"),
    ("Rewrite a sentence", "Rewrite this politely: Send me the report now."),
    ("Make a list", "List five simple ideas for a healthy breakfast."),
    ("Explain something", "Explain in two sentences why the sky is blue."),
)
_WITHOUT_MODEL = "Until then you can read your conversations and the documents that are shared with you."
_offered: ClientValue = ClientValue("offered", None, dict[str, str])
"""What the composer takes as its text."""


def empty_page() -> rx.Component:
    """The greeting, the examples, and a note about the demo model. Without a model there is nothing to try."""
    first = CurrentUserState.name.split(" ")[0]
    model = ModelPickerState.model
    question = "What would you like to know?"
    examples = rx.el.ul(*(_example(title, text) for title, text in _EXAMPLES))
    lead = rx.cond(
        (model != "") & ~ModelPickerState.is_demo,
        rx.fragment(f"{question} ", rx.el.b(ModelPickerState.title), " answers."),
        question,
    )
    usual = rx.el.section(
        rx.el.h1(rx.cond(first != "", f"Hello, {first}", "Hello")),
        rx.cond(
            (model == "") & (ModelPickerState.notice != ""),
            rx.el.p(f"{ModelPickerState.notice} {_WITHOUT_MODEL}", class_name="empty-lead"),
            rx.fragment(rx.el.p(lead, class_name="empty-lead"), examples),
        ),
        rx.cond(
            ChosenAssistantState.notice != "",
            rx.el.p(ChosenAssistantState.notice, class_name="empty-lead", role="status"),
        ),
        rx.cond(ModelPickerState.is_demo, _demo_note()),
        class_name="empty",
        aria_label="New chat",
    )
    return rx.cond(ChosenAssistantState.id != "", _assistant(), usual)


def _assistant() -> rx.Component:
    """The page of a new chat with an assistant: who it is, and its conversation starters."""
    state = ChosenAssistantState
    return rx.el.section(
        assistant_sign(state.sign, "is-huge"),
        rx.el.h1(state.name),
        rx.cond(state.description != "", rx.el.p(state.description, class_name="empty-lead")),
        rx.cond(
            state.starters.length() > 0,
            rx.el.ul(rx.foreach(state.starters, _starter), aria_label="Conversation starters"),
        ),
        rx.cond(ModelPickerState.is_demo, _demo_note()),
        class_name="empty",
        aria_label="New chat",
    )


def _starter(text: rx.Var[str], number: rx.Var[int]) -> rx.Component:
    return rx.el.li(
        rx.el.button(
            rx.el.span(text, icon("arrow-up-right", 15), class_name="example-title"),
            type="button",
            on_click=_offered.set({"text": text}),
        ),
        key=number,
    )


def _example(title: str, text: str) -> rx.Component:
    return rx.el.li(
        rx.el.button(
            rx.el.span(title, icon("arrow-up-right", 15), class_name="example-title"),
            rx.el.span(text, class_name="example-text"),
            type="button",
            on_click=_offered.set({"text": text}),
        )
    )


def _demo_note() -> rx.Component:
    words = rx.el.span(
        "You are using the demo model ",
        rx.el.b(ModelPickerState.model),
        ". It is small and often wrong. ",
        rx.el.u("Connect your own"),
    )
    return rx.el.details(
        rx.el.summary(icon("flask-conical", 15, 1.75), words),
        rx.el.p("Stop RxChat, set the address of your Ollama host, and start again:"),
        rx.el.pre("OLLAMA_HOSTS=http://your-host:11434 make run", tab_index=0),
        class_name="demo-note",
    )

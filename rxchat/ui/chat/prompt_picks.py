"""The list that `/` opens in the composer, and the dialog for the variables of the chosen prompt."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.states.chat.prompt_picks import PromptPicksState
from rxchat.states.chat.prompt_views import VariableView
from rxchat.ui.chat.prompt_dialogs import dialogs as library_dialogs
from rxchat.ui.kit.client_values import ClientValue, StateRequest, in_sequence, js_function
from rxchat.ui.kit.dialogs import Dialogs
from rxchat.ui.kit.elements import at_most, icon, link, skeleton
from rxchat.ui.kit.forms import form_problem, labelled

_LIST = "prompt-choices"
_VALUE_CHARACTERS = 10_000
_choices: ClientValue = ClientValue(
    "prompt_choices",
    {"is_open": False, "is_answered": False, "words": "", "found": [], "active": 0},
    dict[str, Any],
)
_choose = js_function("choosePick", "picker.js")
_point_at = js_function("pointAtPick", "picker.js")
_dialogs = Dialogs("prompt_fill", PromptPicksState, dict[str, Any])
_number = _dialogs.number.to_string()


def prompt_field_options() -> dict[str, Any]:
    """What the text field needs for `/`."""
    return {
        "prompts": PromptPicksState.choices,
        "prompts_searched": PromptPicksState.searched,
        "inserted": PromptPicksState.inserted,
        "on_find_prompts": PromptPicksState.find,
        "on_choose_prompt": PromptPicksState.choose,
        "on_ask_prompt": lambda choice: _dialogs.open("fill", choice),
        "on_create_prompt": [library_dialogs.open("edit", {"id": ""}), rx.redirect("/prompts")],
    }


def prompt_choices() -> rx.Component:
    """The list of prompts that match what is typed behind `/`."""
    found = _choices.value["found"].to(list[dict[str, Any]])
    options = rx.el.ul(
        rx.foreach(found, _choice),
        id=_LIST,
        role="listbox",
        aria_label="Prompts",
        class_name="menu hash-list",
        custom_attrs={"data-keeps-focus": ""},
    )
    nothing = rx.fragment("No prompts match. ", link("Your prompts", to="/prompts"))
    note = rx.el.div(
        rx.el.p(rx.cond(_choices.value["is_answered"], nothing, "Searching…"), class_name="menu-note"),
        class_name="menu hash-list",
        role="status",
        custom_attrs={"data-keeps-focus": ""},
    )
    return rx.cond(_choices.value["is_open"], rx.cond(found.length() > 0, options, note))


def _choice(choice: rx.Var[dict[str, Any]], number: rx.Var[int]) -> rx.Component:
    is_real = choice["id"].to(str) != ""
    command = rx.el.span("/", choice["command"].to(str), class_name="prompt-choice-command hash-name")
    shared = rx.cond(choice["is_own"].to(bool), "", " · shared with you")
    named = rx.fragment(command, rx.el.span(choice["title"].to(str), shared, class_name="hash-in prompt-choice-title"))
    return rx.el.li(
        rx.cond(is_real, icon("square-slash", 16, 1.75), icon("plus", 16, 1.75)),
        rx.cond(is_real, named, rx.el.span(choice["title"].to(str), class_name="hash-name")),
        role="option",
        id=f"{_LIST}-{number}",
        class_name="menu-item",
        key=choice["id"].to(str),
        on_click=in_sequence(_choose.call("prompt", number)),
        on_mouse_move=in_sequence(_point_at.call("prompt", number)),
        custom_attrs={"aria-selected": rx.cond(_choices.value["active"] == number, "true", "false")},
    )


def prompt_fill_dialog() -> rx.Component:
    """The dialog for the variables of the chosen prompt."""
    asked, subject = PromptPicksState.asked, _dialogs.subject
    form = _dialogs.content(
        rx.el.input(type="hidden", name="id", value=asked.id),
        rx.foreach(asked.variables, _field),
        action="Insert",
        busy="Inserting…",
        on_submit=PromptPicksState.fill,
    )
    failed = (PromptPicksState.problem_dialog == _dialogs.number) & (asked.dialog != _number)
    waiting = rx.cond(failed, form_problem(PromptPicksState.problem), skeleton("Loading", 40, 100, 40, 100))
    ask = PromptPicksState.ask({"dialog": _number, "id": subject["id"].to(str)})
    return _dialogs.window(
        "fill",
        subject["title"].to(str),
        StateRequest.create(wanted=_number, loaded=asked.dialog, on_request=ask),
        rx.cond(asked.dialog == _number, form, waiting),
        lead="Your text goes into the message, where you can still change it.",
    )


def _field(item: VariableView, number: rx.Var[int]) -> rx.Component:
    named = {"id": item.field, "name": item.field, "auto_focus": number == 0}
    longest = at_most(_VALUE_CHARACTERS)
    options = rx.foreach(item.choices, lambda choice: rx.el.option(rx.cond(choice == "", "–", choice), value=choice))
    choices = rx.el.select(options, default_value=item.default, **named)
    text = rx.el.textarea(required=True, rows="3", dir="auto", custom_attrs=longest, **named)
    line = rx.el.input(default_value=item.default, auto_complete="off", dir="auto", custom_attrs=longest, **named)
    control = rx.cond(item.choices.length() > 0, choices, rx.cond(item.is_required, text, line))
    return rx.fragment(
        rx.el.input(type="hidden", name=f"name-{item.field}", value=item.name),
        labelled(item.field.to(str), item.name.to(str), control),
        key=item.field,
    )

"""Quotas and prices: added, changed and deleted."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.states.access.quotas import KINDS, PriceView, QuotasState, QuotaView
from rxchat.ui.access.frame import admin_page, flash, lead, may, nothing, options
from rxchat.ui.kit.dialogs import Dialogs
from rxchat.ui.kit.elements import main_button, quiet_button
from rxchat.ui.kit.forms import select
from rxchat.ui.kit.inputs import combobox
from rxchat.ui.kit.tables import actions_cell, cell, row, table

# One for both: the state knows one dialog that was done last.
_dialogs = Dialogs("quotas_dialog", QuotasState)
_PERIODS = (("day", "A day"), ("month", "A month"))


def admin_quotas_page() -> rx.Component:
    """All quotas, and below them the prices of models."""
    return admin_page(
        "Quotas",
        QuotasState,
        lead(
            "How much users may ask of models in a day or a month: in chats, temporary chats and through the API. Several quotas hold at"
            " the same time; they reset at midnight in UTC.",
            actions=(main_button("Add a quota", on_click=[_dialogs.open("add"), QuotasState.begin]),),
        ),
        flash(QuotasState),
        rx.cond(
            QuotasState.quotas.length() > 0,
            table(("Who", "Model", "Period", "At most", "Actions"), rx.foreach(QuotasState.quotas, _row), "Quotas"),
            nothing("No quotas", "Everyone may ask as much as they want. Add a limit for users, groups or models."),
        ),
        _prices(),
        *_quota_windows(_dialogs.subject.to(QuotaView)),
        *_price_windows(_dialogs.subject.to(PriceView)),
    )


def _row(item: QuotaView) -> rx.Component:
    return row(
        cell("Who", item.who, rx.el.span(item.detail, class_name="row-detail"), is_head=True),
        cell("Model", item.model),
        cell("Period", item.period),
        cell(
            "At most",
            rx.el.div(rx.foreach(item.limits, lambda words: rx.el.div(words, key=words)), class_name="provider-fact"),
        ),
        actions_cell(
            quiet_button("Edit", on_click=_dialogs.open("edit", item), aria_label=f"Edit {item.about}"),
            quiet_button(
                "Delete", on_click=_dialogs.open("delete", item), danger=True, aria_label=f"Delete {item.about}"
            ),
        ),
        key=item.id,
    )


def _prices() -> rx.Component:
    unit = rx.el.span(" in ", QuotasState.currency, " for a million tokens")
    return rx.el.section(
        lead(
            rx.el.b("Prices"),
            unit,
            ". Models without a price cost nothing. A new price holds for answers from now on.",
            actions=(quiet_button("Set a price", on_click=_dialogs.open("price", {"model": ""})),),
        ),
        rx.cond(
            QuotasState.prices.length() > 0,
            table(("Model", "Read", "Written", "Actions"), rx.foreach(QuotasState.prices, _price), "Prices"),
            nothing("No prices", "Set what your providers take, to limit costs and to see them."),
        ),
        class_name="admin-section",
    )


def _price(item: PriceView) -> rx.Component:
    return row(
        cell("Model", item.model, is_head=True),
        cell("Read", item.input_price),
        cell("Written", item.output_price),
        actions_cell(
            quiet_button(
                "Edit", on_click=_dialogs.open("edit_price", item), aria_label=f"Edit the price of {item.model}"
            ),
            quiet_button(
                "Delete",
                on_click=_dialogs.open("delete_price", item),
                danger=True,
                aria_label=f"Delete the price of {item.model}",
            ),
        ),
        key=item.model,
    )


def _quota_windows(item: Any) -> tuple[rx.Component, ...]:
    """The dialogs that add, change and delete a quota."""
    kinds = rx.fragment(*(rx.el.option(words, value=kind) for kind, words in KINDS.items()))
    periods = rx.fragment(*(rx.el.option(words, value=period) for period, words in _PERIODS))
    group = rx.cond(
        QuotasState.groups.length() > 0,
        select("group", "Group", options(QuotasState.groups)),
        rx.el.p("There are no groups yet, or your role may not see them.", class_name="text-muted"),
    )
    models = rx.fragment(rx.el.option("All models together", value=""), options(QuotasState.models))
    return (
        _dialogs.form(
            "add",
            "Add a quota",
            select("kind", "For whom", kinds, default_value="each", on_change=QuotasState.choose_kind),
            rx.match(QuotasState.kind, ("group", group), ("each_of_group", group), ("user", _user()), rx.fragment()),
            select("model", "Model", models, default_value=""),
            select("period", "Period", periods, default_value="day"),
            *_limits(),
            action="Add quota",
            on_submit=QuotasState.add,
        ),
        _dialogs.form(
            "edit",
            "Edit the quota",
            rx.el.input(type="hidden", name="id", value=item.id),
            *_limits(item),
            lead=item.about,
            action="Save",
            on_submit=QuotasState.save,
        ),
        _dialogs.confirm(
            "delete",
            "Delete the quota?",
            f"{item.about}. Without it, other quotas still hold.",
            action="Delete quota",
            on_submit=QuotasState.remove,
        ),
    )


def _limits(item: Any = None) -> tuple[rx.Component, ...]:
    fields = (
        ("requests", "Requests", "1", "An answer can take several requests, if its model uses tools."),
        ("tokens", "Tokens", "1", "Of questions with their histories, and of answers."),
        ("cost", rx.fragment("Cost in ", QuotasState.currency), "any", "By the prices below."),
    )
    return tuple(
        _dialogs.field(
            name,
            label,
            type="number",
            min="0",
            step=step,
            help_text=words,
            placeholder="Not limited",
            default_value="" if item is None else getattr(item, name),
            longest=20,
        )
        for name, label, step, words in fields
    )


def _user() -> rx.Component:
    picked = QuotasState.picked
    finder = combobox(
        "quota-user",
        "User",
        "Choose",
        QuotasState.found,
        QuotasState.searched,
        on_search=QuotasState.find,
        on_pick=QuotasState.pick,
    )
    chosen = rx.el.div(
        rx.el.span(rx.el.b(picked.name), rx.el.span(picked.email), class_name="picker-who"),
        quiet_button("Another user", on_click=QuotasState.pick("")),
        class_name="picked",
    )
    unseen = rx.el.p("Your role may not see users, so you cannot select one.", class_name="text-muted")
    return rx.cond(picked.id == "", rx.cond(may("users.read"), finder, unseen), chosen)


def _price_windows(item: Any) -> tuple[rx.Component, ...]:
    """The dialogs that set, change and delete a price."""
    key = rx.el.input(type="hidden", name="model", value=item.model)
    known = rx.el.datalist(
        rx.foreach(QuotasState.models, lambda choice: rx.el.option(value=choice.value, key=choice.value)),
        id="priced-models",
    )
    name = _dialogs.field(
        "model",
        "Model",
        missing="Enter the name of a model.",
        help_text="As the menu of models has it.",
        is_first=True,
        spell_check=False,
        auto_capitalize="none",
        longest=300,
        list="priced-models",
    )
    return (
        _dialogs.form(
            "price", "Set a price", name, known, *_amounts(), action="Save price", on_submit=QuotasState.set_price
        ),
        _dialogs.form(
            "edit_price",
            f"Price of {item.model}",
            key,
            *_amounts(item),
            action="Save price",
            on_submit=QuotasState.set_price,
        ),
        _dialogs.form(
            "delete_price",
            f"Delete the price of {item.model}?",
            key,
            lead="Its answers cost nothing from now on. What earlier ones cost stays.",
            action="Delete price",
            on_submit=QuotasState.remove_price,
            danger=True,
        ),
    )


def _amounts(item: Any = None) -> tuple[rx.Component, ...]:
    return tuple(
        _dialogs.field(
            name,
            label,
            type="number",
            min="0",
            step="any",
            missing="Enter a price; 0 if it costs nothing.",
            help_text=rx.fragment("In ", QuotasState.currency, " for a million tokens."),
            default_value="" if item is None else getattr(item, name),
            longest=20,
        )
        for name, label in (("input_price", "Read (input)"), ("output_price", "Written (output)"))
    )

"""How much the user may still ask of models."""

from __future__ import annotations

import reflex as rx

from rxchat.states.chat.own_quotas import OwnQuotasState, OwnQuotaView
from rxchat.ui.kit.elements import Moment, skeleton
from rxchat.ui.kit.forms import form_problem
from rxchat.ui.kit.panels import panel


def quotas_section() -> rx.Component:
    """All limits that hold for the user, each with what is left."""
    none = rx.el.p("No quota limits what you ask of models.", class_name="text-muted")
    quotas = rx.el.ul(rx.foreach(OwnQuotasState.quotas, _quota), class_name="quotas", aria_label="Quotas")
    return panel(
        "Quotas",
        form_problem(OwnQuotasState.problem),
        rx.cond(
            OwnQuotasState.ready,
            rx.cond(OwnQuotasState.quotas.length() > 0, quotas, none),
            skeleton("Loading", 70, 100, 60),
        ),
        lead="How much you may ask of models, in chats, temporary chats and through the API. Administrators set it.",
    )


def _quota(item: OwnQuotaView) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.b(item.title), rx.el.span(item.left, custom_attrs={"data-look": item.look}), class_name="quota-head"
        ),
        rx.el.progress(
            value=item.used.to_string(), max="1000", aria_label=item.title, custom_attrs={"data-look": item.look}
        ),
        rx.el.p(item.whose, ". Resets ", Moment.create(at=item.resets_at), ".", class_name="item-detail"),
        key=item.key,
    )

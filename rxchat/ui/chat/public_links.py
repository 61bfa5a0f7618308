"""The dialog that makes public links to a conversation, and lists and revokes those that there are."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.states.chat.public_links import PublicLinksState, PublicLinkView
from rxchat.ui.kit.client_values import in_sequence
from rxchat.ui.kit.dialogs import Dialogs, dialog_actions
from rxchat.ui.kit.elements import Moment, main_button, quiet_button
from rxchat.ui.kit.forms import FormStatus, form_problem, select, text_area
from rxchat.ui.kit.inputs import link_box
from rxchat.ui.kit.panels import item_line, item_list, line_icon

_LIFETIMES = (("7", "In a week"), ("1", "Tomorrow"), ("30", "In 30 days"), ("365", "In a year"), ("", "Never"))
_dialogs = Dialogs("public_link_dialog", None, dict[str, str])
_created = Dialogs("created_public_link", None)
_form = FormStatus("new_public_link")
_now = rx.Var("Date.now()", _var_type=int).guess_type()
_LEAD = (
    "Everyone who has the link sees this conversation as it is now, and nothing that follows. Reasoning, sources and "
    "attached files are never shown."
)


def open_public_links(identifier: Any, title: Any) -> list[Any]:
    """Return the triggers that open the dialog for a conversation."""
    return [
        in_sequence(_form.resetting(), _dialogs.opening("links", {"id": identifier, "title": title})),
        PublicLinksState.load(identifier),
    ]


def public_links() -> rx.Component:
    """The dialogs; once on a page."""
    identifier = _dialogs.subject["id"]
    is_loaded = PublicLinksState.of == identifier
    has_links = is_loaded & (PublicLinksState.links.length() > 0)
    return rx.fragment(
        _dialogs.window(
            "links",
            f"Share “{_dialogs.subject['title']}”",
            form_problem(PublicLinksState.problem),
            _new_link(identifier),
            rx.cond(
                has_links,
                rx.el.section(
                    rx.el.h3("Links to this conversation", class_name="dialog-section"),
                    item_list("Links", rx.foreach(PublicLinksState.links, _line)),
                ),
            ),
            lead=_LEAD,
        ),
        _created_link(),
    )


def _new_link(identifier: Any) -> rx.Component:
    def created(answer: Any) -> list[Any]:
        # The answer contains the token, which only the dialog may keep.
        return [_dialogs.close, _created.open("link", answer), _form.reset(), PublicLinksState.load(identifier)]

    options = rx.fragment(*(rx.el.option(words, value=value) for value, words in _LIFETIMES))
    return _form.form(
        select("days", "Expires", options, default_value="7"),
        _form.field(
            "password",
            "Password",
            identifier="link-password",
            type="password",
            auto_complete="new-password",
            help_text="Optional. At least 8 characters; visitors have to enter it.",
            min_length=8,
            data={"data-short": "Use at least 8 characters."},
            longest=1_000,
        ),
        text_area(
            "redactions",
            "Black out",
            help_text="Optional. Names and other texts to hide, one in each line.",
            problem=_form.fields["redactions"],
            longest=10_000,
            rows="2",
            dir="auto",
        ),
        dialog_actions(_dialogs.close, _form.submit("Create link", "Creating…")),
        action=f"/api/conversations/{identifier}/public-links",
        on_done=created,
    )


def _line(item: PublicLinkView) -> rx.Component:
    is_expired = (item.expires_at > 0) & (item.expires_at <= _now)
    expiry = rx.cond(
        item.expires_at == 0,
        "Never expires",
        rx.cond(is_expired, "Expired", rx.fragment("Expires on ", Moment.create(at=item.expires_at, is_day=True))),
    )
    return item_line(
        line_icon("link"),
        rx.fragment("Created ", Moment.create(at=item.created_at)),
        quiet_button("Revoke", on_click=PublicLinksState.revoke(item.id)),
        chip=rx.cond(item.has_password, "Password", ""),
        detail=expiry,
        key=item.id,
    )


def _created_link() -> rx.Component:
    return _created.window(
        "link",
        "Your link",
        link_box(_created.subject["url"].to(str), "Link"),
        rx.el.div(main_button("Done", on_click=_created.close), class_name="dialog-actions"),
        lead="Copy it now: it will not be shown again. You can revoke it in this conversation’s menu, under Share link.",
    )

"""The page behind a public link: a conversation to read, for everyone who has the link."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.ui.accounts.cards import card_head, card_message, card_skeleton, link_token
from rxchat.ui.chat.account_menu import theme_button
from rxchat.ui.chat.artifact import artifact_beside
from rxchat.ui.chat.thread import MARKDOWN
from rxchat.ui.client import ICONS, ClientComponent, module
from rxchat.ui.kit.elements import Behaviours, Moment, PageTitle, link
from rxchat.ui.kit.forms import FormStatus
from rxchat.ui.layout import card

_opened = FormStatus("public_conversation")
_unlocked = FormStatus("unlocked_conversation")
_CHECK = "AI can make mistakes: check important information."
_PATH = "/api/public-links/open"


class PublicConversation(ClientComponent):
    """The messages."""

    library = module("public-conversation.jsx")
    tag = "PublicConversation"
    lib_dependencies: list[str] = [ICONS, "streamdown@2.7.1", "shiki@4.6.0", *MARKDOWN]

    messages: rx.Var[list[dict[str, Any]]]


def public_page() -> rx.Component:
    """The conversation, the form for its password, or why there is nothing."""
    token = link_token()
    return rx.fragment(
        Behaviours.create(),
        rx.cond(token != "", _opened.requested(_PATH, body={"token": token}, key=token)),
        rx.cond(
            _opened.succeeded,
            _conversation(_opened.data),
            rx.cond(_unlocked.succeeded, _conversation(_unlocked.data), card(_otherwise(token))),
        ),
    )


def _otherwise(token: rx.Var[str]) -> rx.Component:
    gone = card_message(
        "link-2-off",
        "This link does not work",
        "It does not exist, or it has expired or been revoked. Ask the person who sent it for a new one.",
    )
    is_gone = (token == "") | (_opened.code == "not_found") | (_unlocked.code == "not_found")
    failed = card_message("cloud-off", "The conversation could not be opened", _opened.problem)
    is_locked = _opened.code == "password_required"
    waits = rx.cond(_opened.problem != "", failed, card_skeleton("Opening the conversation"))
    return rx.cond(is_gone, gone, rx.cond(is_locked, _password_form(token), waits))


def _password_form(token: rx.Var[str]) -> rx.Component:
    return rx.fragment(
        card_head("This conversation has a password", "Ask the person who sent the link for it."),
        _unlocked.form(
            _unlocked.field(
                "password",
                "Password",
                type="password",
                missing="Enter the password.",
                # Its spaces are kept (client/http-form.jsx).
                auto_complete="current-password",
                is_first=True,
                longest=1_000,
            ),
            _unlocked.submit("Open", "Opening…", class_name="button-main wide"),
            action=_PATH,
            extra={"token": token},
        ),
    )


def _conversation(data: rx.Var[dict[str, Any]]) -> rx.Component:
    title = data["title"].to(str)
    at = rx.Var(f"Date.parse({data['created_at']!s})", _var_type=int, _var_data=data._get_all_var_data()).guess_type()
    return rx.el.div(
        PageTitle.create(title=title),
        rx.el.header(
            rx.el.span(
                rx.el.img(src="/mark.svg", alt="", custom_attrs={"width": 22, "height": 22}),
                "RxChat",
                class_name="wordmark",
            ),
            rx.el.span(class_name="grow"),
            link("Sign in", to="/sign-in", class_name="button-quiet"),
            theme_button(),
            class_name="topbar",
        ),
        rx.el.main(
            rx.el.div(
                rx.el.header(
                    rx.el.h1(title, dir="auto"),
                    rx.el.p("A copy of a conversation, shared on ", Moment.create(at=at, is_day=True), ". ", _CHECK),
                    class_name="public-head",
                ),
                PublicConversation.create(messages=data["messages"].to(list[dict[str, Any]])),
                class_name="thread-scroll",
                tab_index=0,
                role="region",
                aria_label="Conversation",
            ),
            class_name="main",
            tab_index=-1,
        ),
        artifact_beside(),
        class_name="public-page",
    )

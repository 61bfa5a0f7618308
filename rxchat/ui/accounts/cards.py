"""The parts of the pages for users who are not signed in: headings, messages, and the other ways to sign in."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.ui.kit.client_values import backend_address, encoded, fragment_param, go_to, in_sequence, on_answer
from rxchat.ui.kit.elements import anchor, focused, icon, link, skeleton
from rxchat.ui.kit.forms import FormStatus, form_problem

OFFER = FormStatus("offer")
"""The ways to sign in that this instance offers; each page with it contains `offer_request`."""
_connection = FormStatus("provider_connection")
_MARKS = {
    "github": (
        "0 0 16 16",
        (
            "M8 0C3.58 0 0 3.58 0 8c0 3.54 2.29 6.53 5.47 7.59.4.07.55-.17.55-.38 0-.19-.01-.82-.01-1.49-2.01.37-2.53-.49-2.69-.94"
            "-.09-.23-.48-.94-.82-1.13-.28-.15-.68-.52-.01-.53.63-.01 1.08.58 1.23.82.72 1.21 1.87.87 2.33.66.07-.52.28-.87.51-1.07"
            "-1.78-.2-3.64-.89-3.64-3.95 0-.87.31-1.59.82-2.15-.08-.2-.36-1.02.08-2.12 0 0 .67-.21 2.2.82.64-.18 1.32-.27 2-.27"
            "s1.36.09 2 .27c1.53-1.04 2.2-.82 2.2-.82.44 1.1.16 1.92.08 2.12.51.56.82 1.27.82 2.15 0 3.07-1.87 3.75-3.65 3.95"
            ".29.25.54.73.54 1.48 0 1.07-.01 1.93-.01 2.2 0 .21.15.46.55.38A8.01 8.01 0 0 0 16 8c0-4.42-3.58-8-8-8z"
        ),
    ),
    "apple": (
        "0 0 24 24",
        (
            "M12.152 6.896c-.948 0-2.415-1.078-3.96-1.04-2.04.027-3.91 1.183-4.961 3.014-2.117 3.675-.546 9.103 1.519 12.09"
            " 1.013 1.454 2.208 3.09 3.792 3.039 1.52-.065 2.09-.987 3.935-.987 1.831 0 2.35.987 3.96.948 1.637-.026 2.676-1.48"
            " 3.676-2.948 1.156-1.688 1.636-3.325 1.662-3.415-.039-.013-3.182-1.221-3.22-4.857-.026-3.04 2.48-4.494 2.597-4.559"
            "-1.429-2.09-3.623-2.324-4.39-2.376-2-.156-3.675 1.09-4.61 1.09zM15.53 3.83c.843-1.012 1.4-2.427 1.245-3.83"
            "-1.207.052-2.662.805-3.532 1.818-.78.896-1.454 2.338-1.273 3.714 1.338.104 2.715-.688 3.559-1.701"
        ),
    ),
}


def card_head(title: Any, lead: Any = None, *, takes_focus: bool = False) -> rx.Component:
    """The heading of a card. Where a step follows another, it takes the focus so that it is read out."""
    focus = {"tab_index": -1, "custom_attrs": {"ref": focused}} if takes_focus else {}
    words = rx.el.p(lead, class_name="auth-card-lead") if lead is not None else rx.fragment()
    return rx.fragment(rx.el.h1(title, **focus), words)


def card_message(icon_name: str, title: str, lead: Any, *actions: rx.Component, is_good: bool = False) -> rx.Component:
    """A step with nothing to fill in: an icon, words, and the links that lead on."""
    return rx.el.div(
        rx.el.span(icon(icon_name, 22, 1.75), class_name="auth-card-icon is-good" if is_good else "auth-card-icon"),
        card_head(title, lead, takes_focus=True),
        rx.el.div(*actions, class_name="auth-card-actions") if actions else rx.fragment(),
        class_name="auth-card-message",
    )


def card_skeleton(label: str) -> rx.Component:
    """A placeholder until the server has answered."""
    return skeleton(label, 58, 86, 100, 100, 100, look="auth-card-skeleton skeleton")


def card_link(*content: Any, is_last: bool = False) -> rx.Component:
    """A line with a link below a form."""
    return rx.el.p(*content, class_name="auth-card-link is-last" if is_last else "auth-card-link")


def sign_in_button() -> rx.Component:
    """The link to the sign-in page as the main action."""
    return link("Sign in", to="/sign-in", class_name="button-main wide")


def back_to_sign_in(*, is_main: bool = False) -> rx.Component:
    """The link to the sign-in page as another way."""
    look = {"class_name": "button-main wide"} if is_main else {}
    return link("Back to sign-in", to="/sign-in", **look)


def link_token() -> rx.Var[str]:
    """Return the token of a link that was mailed or printed, or ""."""
    return fragment_param("token")


def offer_request(**props: Any) -> rx.Component:
    """Ask the server for the `OFFER`."""
    return OFFER.requested("/api/auth/offer", **props)


def has_providers() -> rx.Var[bool]:
    """Whether there are sign-in providers."""
    return OFFER.succeeded & (_providers().length() > 0)


def _providers() -> rx.Var[list[dict[str, str]]]:
    return OFFER.data["providers"].to(list[dict[str, str]])


def or_line() -> rx.Component:
    """The line between a form and the other ways."""
    return rx.el.p(rx.el.span("or"), class_name="or")


def provider_mark(key: Any, size: int = 17) -> Any:
    """The logo of a sign-in provider; a key for one without a logo."""
    marks = (
        (
            name,
            rx.el.svg(rx.el.path(d=path), width=size, height=size, view_box=box, fill="currentColor", aria_hidden=True),
        )
        for name, (box, path) in _MARKS.items()
    )
    return rx.match(key, *marks, icon("key-round", size, 1.75))


def provider_links(next_path: Any) -> rx.Component:
    """Links to the sign-in providers: plain ones, since they lead away from RxChat."""

    def provider(item: rx.Var[dict[str, str]]) -> rx.Component:
        path = f"/api/auth/providers/{item['key']}?next={encoded.call(next_path).to(str)}"
        return anchor(
            provider_mark(item["key"]),
            f" Continue with {item['label']}",
            href=backend_address.call(path).to(str),
            class_name="button-quiet wide",
            key=item["key"],
        )

    return rx.cond(OFFER.succeeded, rx.foreach(_providers(), provider))


def invitation_providers() -> rx.Component:
    """Buttons for users who were invited, since no link may use an invitation."""

    def button(item: rx.Var[dict[str, str]]) -> rx.Component:
        return rx.el.button(
            provider_mark(item["key"]),
            f" Continue with {item['label']}",
            type="button",
            class_name="button-quiet wide",
            on_click=in_sequence(connection_request(item["key"], {"invitation": True})),
            key=item["key"],
        )

    return rx.fragment(rx.foreach(_providers(), button), connection_problem())


def connection_request(key: Any, wanted: Any) -> rx.Var:
    """The call that leads to a provider, to connect an account or to accept an invitation."""
    leave = on_answer(lambda answer: [go_to.call(answer["url"])])
    return _connection.request(f"/api/auth/providers/{key}", wanted, leave)


def connection_problem() -> rx.Component:
    """Why that was not possible."""
    return form_problem(_connection.problem)

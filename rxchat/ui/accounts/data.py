"""The user's data: who can read it, the download of all of it, and the deletion of the account."""

from __future__ import annotations

import reflex as rx

from rxchat.states.app.account import AccountState
from rxchat.states.app.account_views import ConversationAccessView
from rxchat.ui.kit.client_values import backend_address, go_to, on_answer
from rxchat.ui.kit.dialogs import Dialogs
from rxchat.ui.kit.elements import Moment, icon, quiet_button
from rxchat.ui.kit.forms import FormStatus
from rxchat.ui.kit.panels import panel

_dialogs = Dialogs("data_dialog", None)
_export, _deletion = FormStatus("data_export"), FormStatus("account_deletion")


def data_section() -> rx.Component:
    """All of it."""
    profile = AccountState.profile
    days = rx.cond(AccountState.grace_days == 1, "one day", f"{AccountState.grace_days} days")
    delete = panel(
        "Delete my account",
        quiet_button("Delete my account…", danger=True, on_click=_dialogs.open("delete")),
        lead=f"Your account and all conversations are deleted permanently {days} after you request it. "
        "Until then you can cancel.",
        danger=True,
    )
    return rx.fragment(
        _readings(),
        panel(
            "Download my data",
            quiet_button(icon("download", 15), " Download my data…", on_click=_dialogs.open("export")),
            lead="Your account, your conversations as JSON and as text, and your entries of the audit log, as one zip file.",
        ),
        rx.cond(profile.deletion_at == 0, delete),
        _dialogs.proof(
            "export",
            "Download your data?",
            status=_export,
            has_password=profile.has_password,
            path="/api/me/export",
            words="Download",
            # The browser's own download: it shows the progress, and the page stays.
            on_done=on_answer(lambda answer: [go_to.call(backend_address.call(answer["url"])), _dialogs.closing()]),
            lead="The file contains all of your conversations and documents, and is not encrypted. "
            "The download starts immediately.",
        ),
        _dialogs.proof(
            "delete",
            "Delete your account?",
            status=_deletion,
            has_password=profile.has_password,
            path="/api/me/delete",
            words="Delete my account",
            on_done=lambda _: [_dialogs.close, AccountState.open],
            danger=True,
            lead="All other devices will be signed out, and your API keys stop working immediately. "
            f"The account and everything in it are deleted in {days}; until then you can sign in and cancel the deletion.",
        ),
    )


def _readings() -> rx.Component:
    seen = rx.cond(AccountState.has_new_readings, rx.el.span(on_mount=AccountState.see_readings))
    return panel(
        "Who can read my conversations",
        seen,
        rx.cond(
            AccountState.readings.length() > 0,
            rx.el.ul(
                rx.foreach(AccountState.readings, _reading), class_name="rows", aria_label="Access by administrators"
            ),
            rx.el.p("No administrator has read any of your conversations.", class_name="panel-lead"),
        ),
        lead="Only you, and people you share with. Administrators can read a conversation if they give a reason; "
        "the audit log records it, and you see it here.",
    )


def _reading(item: ConversationAccessView) -> rx.Component:
    what = rx.cond(item.title == "", " listed your conversations", rx.fragment(" read ", rx.el.bdi(item.title)))
    return rx.el.li(
        rx.el.div(
            rx.el.p(rx.el.b(item.reader), what, " on ", Moment.create(at=item.at, is_day=True), "."),
            rx.el.p("Reason: ", rx.el.bdi(item.reason), class_name="panel-lead"),
        ),
        class_name="row",
    )

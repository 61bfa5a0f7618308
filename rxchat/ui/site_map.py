"""The site map: every page, its address and what it loads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import reflex as rx

from rxchat.states.access.audit_log import AuditState
from rxchat.states.access.feedback import FeedbackState
from rxchat.states.access.grants import AccessState
from rxchat.states.access.groups import GroupsState
from rxchat.states.access.hosts import HostsState
from rxchat.states.access.models import ModelsState
from rxchat.states.access.providers import ProvidersState
from rxchat.states.access.quotas import QuotasState
from rxchat.states.access.registration import RegistrationState
from rxchat.states.access.roles import RolesState
from rxchat.states.access.system import SystemState
from rxchat.states.access.usage import UsageState
from rxchat.states.access.user import UserState
from rxchat.states.access.users import UsersState
from rxchat.states.app.account import AccountState
from rxchat.states.app.preferences import PreferencesState
from rxchat.states.chat.archive import ArchiveState
from rxchat.states.chat.assistants import AssistantsState
from rxchat.states.chat.conversation_history import HistoryState
from rxchat.states.chat.imports import ImportsState
from rxchat.states.chat.own_quotas import OwnQuotasState
from rxchat.states.chat.prompts import PromptsState
from rxchat.states.chat.temporary import TemporaryChatState
from rxchat.states.chat.thread import ThreadState
from rxchat.states.documents.documents import DocumentsState
from rxchat.ui.access.audit import audit_page
from rxchat.ui.access.feedback import feedback_page
from rxchat.ui.access.grants import access_page
from rxchat.ui.access.groups import groups_page
from rxchat.ui.access.hosts import hosts_page
from rxchat.ui.access.models import models_page
from rxchat.ui.access.providers import providers_page
from rxchat.ui.access.quotas import admin_quotas_page
from rxchat.ui.access.registration import registration_page
from rxchat.ui.access.roles import roles_page
from rxchat.ui.access.system import system_page
from rxchat.ui.access.usage import usage_page
from rxchat.ui.access.user import user_page
from rxchat.ui.access.users import users_page
from rxchat.ui.accounts.entry_pages import (
    confirm_page,
    forgot_page,
    join_page,
    register_page,
    reset_page,
    setup_page,
    sign_in_page,
)
from rxchat.ui.accounts.pages import (
    data_page,
    import_page,
    keys_page,
    preferences_page,
    profile_page,
    quotas_page,
    security_page,
    sessions_page,
)
from rxchat.ui.chat.archive import archive_page
from rxchat.ui.chat.assistants import assistants_page
from rxchat.ui.chat.history import history_page
from rxchat.ui.chat.page import chat_page
from rxchat.ui.chat.prompts import prompts_page
from rxchat.ui.chat.public_page import public_page
from rxchat.ui.chat.temporary import temporary_page
from rxchat.ui.documents.pages import documents_page, viewer_page
from rxchat.ui.layout import loading_frame
from rxchat.ui.platform.not_found import not_found_page
from rxchat.ui.theme import FIRST_PAINT_SCRIPT


@dataclass(frozen=True, slots=True)
class Page:
    """One page: where it is and what it shows."""

    route: str
    component: Callable[[], rx.Component]
    title: str
    on_load: tuple[Any, ...] = ()


PAGES = (
    Page("/", chat_page, "RxChat", (ThreadState.open, OwnQuotasState.remind)),
    Page("/c/[conversation_id]", chat_page, "RxChat", (ThreadState.open, OwnQuotasState.remind)),
    Page("/archive", archive_page, "Archive and trash · RxChat", (ArchiveState.load, ThreadState.open)),
    Page("/temporary", temporary_page, "Temporary chat · RxChat", (TemporaryChatState.load, ThreadState.open)),
    Page("/history/[history_of]", history_page, "History · RxChat", (HistoryState.load, ThreadState.open)),
    Page("/assistants", assistants_page, "Assistants · RxChat", (AssistantsState.load, ThreadState.open)),
    Page("/prompts", prompts_page, "Prompts · RxChat", (PromptsState.load, ThreadState.open)),
    Page("/documents", documents_page, "Documents · RxChat", (DocumentsState.load, ThreadState.open)),
    Page("/documents/[collection_id]", documents_page, "Documents · RxChat", (DocumentsState.load, ThreadState.open)),
    Page("/documents/view/[document_id]", viewer_page, "Document · RxChat", (ThreadState.open,)),
    Page("/sign-in", sign_in_page, "Sign in · RxChat"),
    Page("/setup", setup_page, "Welcome · RxChat"),
    Page("/shared", public_page, "Shared conversation · RxChat"),
    Page("/register", register_page, "Create your account · RxChat"),
    Page("/join", join_page, "You are invited · RxChat"),
    Page("/forgot", forgot_page, "Forgot your password? · RxChat"),
    Page("/reset", reset_page, "Choose a new password · RxChat"),
    Page("/confirm", confirm_page, "Confirm your address · RxChat"),
    Page("/account", profile_page, "Profile · Account · RxChat", (AccountState.open,)),
    Page(
        "/account/preferences",
        preferences_page,
        "Preferences · Account · RxChat",
        (AccountState.open, PreferencesState.open),
    ),
    Page("/account/security", security_page, "Security · Account · RxChat", (AccountState.open,)),
    Page("/account/sessions", sessions_page, "Sessions · Account · RxChat", (AccountState.open,)),
    Page("/account/keys", keys_page, "API keys · Account · RxChat", (AccountState.open,)),
    Page(
        "/account/quotas",
        quotas_page,
        "Quotas · Account · RxChat",
        (AccountState.open, OwnQuotasState.load),
    ),
    Page(
        "/account/import",
        import_page,
        "Import and export · Account · RxChat",
        (AccountState.open, ImportsState.load),
    ),
    Page("/account/data", data_page, "My data · Account · RxChat", (AccountState.open,)),
    Page("/admin/users", users_page, "Users · RxChat", (UsersState.load, ThreadState.open)),
    Page("/admin/users/[user_id]", user_page, "Users · RxChat", (UserState.load, ThreadState.open)),
    Page("/admin/groups", groups_page, "Groups · RxChat", (GroupsState.load, ThreadState.open)),
    Page("/admin/roles", roles_page, "Roles · RxChat", (RolesState.load, ThreadState.open)),
    Page("/admin/access", access_page, "Access · RxChat", (AccessState.load, ThreadState.open)),
    Page("/admin/registration", registration_page, "Registration · RxChat", (RegistrationState.load, ThreadState.open)),
    Page("/admin/providers", providers_page, "Providers · RxChat", (ProvidersState.load, ThreadState.open)),
    Page("/admin/hosts", hosts_page, "Hosts · RxChat", (HostsState.load, ThreadState.open)),
    Page("/admin/models", models_page, "Models · RxChat", (ModelsState.load, ThreadState.open)),
    Page("/admin/quotas", admin_quotas_page, "Quotas · RxChat", (QuotasState.load, ThreadState.open)),
    Page("/admin/usage", usage_page, "Usage · RxChat", (UsageState.load, ThreadState.open)),
    Page("/admin/system", system_page, "System · RxChat", (SystemState.load, ThreadState.open)),
    Page("/admin/feedback", feedback_page, "Feedback · RxChat", (FeedbackState.load, ThreadState.open)),
    Page("/admin/audit", audit_page, "Audit · RxChat", (AuditState.load, ThreadState.open)),
    Page("404", not_found_page, "Not found · RxChat"),
)


def app_options() -> dict[str, Any]:
    """What the interface needs of rx.App: its styles, the first paint, and none of Reflex's own overlays."""
    return {
        "app_wraps": {},
        "toaster": None,
        "html_lang": "en",
        "stylesheets": [
            "/rxchat.css",
            "/kit.css",
            "/thread.css",
            "/pages.css",
            "/account.css",
            "/admin.css",
            "/documents.css",
            "/viewer.css",
            "/grounding.css",
            "/organizing.css",
            "/prompts.css",
            "/assistants.css",
            "/history.css",
            "/print.css",
        ],
        "head_components": [
            rx.el.script(FIRST_PAINT_SCRIPT),
            rx.el.link(rel="icon", href="/mark.svg", type="image/svg+xml"),
            rx.el.link(rel="manifest", href="/manifest.webmanifest"),
            rx.el.link(rel="apple-touch-icon", href="/icons/apple.png"),
            rx.el.meta(name="color-scheme", content="light dark"),
        ],
        "hydrate_fallback": loading_frame,
    }


def register(app: rx.App, before_load: tuple[Any, ...] = ()) -> None:
    """Add every page; `before_load` runs before a page's own loading, such as finding out who looks."""
    for page in PAGES:
        app.add_page(
            page.component,
            route=page.route,
            title=page.title,
            on_load=[*before_load, *page.on_load] if page.on_load else [],
        )

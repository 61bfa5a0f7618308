"""One's own account, as the browser draws it."""

from __future__ import annotations

from typing import Literal

import reflex as rx

from rxchat.states.app.account import AccountState
from rxchat.states.app.account_views import (
    ConversationAccessView,
    KeyView,
    PasskeyView,
    Profile,
    ProviderView,
    ScopeChoice,
    SessionView,
)
from rxchat.states.platform.current_user import CurrentUserState
from rxchat.ui.client import ClientComponent, module

Section = Literal["profile", "security", "sessions", "keys", "data"]


def _one_text(value: rx.Var[str]) -> tuple[rx.Var[str]]:
    """The arguments of an event that names one thing."""
    return (value,)


class AccountPage(ClientComponent):
    """One section of the account, with the way to the others."""

    library = module("my-account.jsx")
    tag = "AccountPage"

    section: rx.Var[str]
    ready: rx.Var[bool]
    problem: rx.Var[str]
    profile: rx.Var[Profile]
    providers: rx.Var[list[ProviderView]]
    passkeys: rx.Var[list[PasskeyView]]
    has_app: rx.Var[bool]
    codes_left: rx.Var[int]
    sessions: rx.Var[list[SessionView]]
    keys: rx.Var[list[KeyView]]
    may_create_keys: rx.Var[bool]
    scopes: rx.Var[list[ScopeChoice]]
    grace_days: rx.Var[int]
    readings: rx.Var[list[ConversationAccessView]]
    must_enrol: rx.Var[bool]
    needs_second_factor: rx.Var[bool]
    on_reload: rx.EventHandler[rx.event.no_args_event_spec]
    on_rename: rx.EventHandler[_one_text]
    on_end_session: rx.EventHandler[_one_text]
    on_end_others: rx.EventHandler[rx.event.no_args_event_spec]
    on_revoke: rx.EventHandler[_one_text]
    on_keep: rx.EventHandler[rx.event.no_args_event_spec]
    on_see_readings: rx.EventHandler[rx.event.no_args_event_spec]


def account_section(section: Section) -> rx.Component:
    """The section of that name."""
    return AccountPage.create(
        section=section,
        ready=AccountState.ready,
        problem=AccountState.problem,
        profile=AccountState.profile,
        providers=AccountState.providers,
        passkeys=AccountState.passkeys,
        has_app=AccountState.has_app,
        codes_left=AccountState.codes_left,
        sessions=AccountState.sessions,
        keys=AccountState.keys,
        may_create_keys=AccountState.may_create_keys,
        scopes=AccountState.scopes,
        grace_days=AccountState.grace_days,
        readings=AccountState.readings,
        must_enrol=CurrentUserState.must_enrol,
        needs_second_factor=CurrentUserState.needs_second_factor,
        on_reload=AccountState.open,
        on_rename=AccountState.rename,
        on_end_session=AccountState.end_session,
        on_end_others=AccountState.end_others,
        on_revoke=AccountState.revoke_key,
        on_keep=AccountState.keep,
        on_see_readings=AccountState.see_readings,
    )

"""The services for accounts and for what they may do."""

from __future__ import annotations

from datetime import timedelta

from rxchat.adapters.sign_in import providers
from rxchat.bootstrap.shared import Shared
from rxchat.services.access.audit_log import AuditLog, signer_of
from rxchat.services.access.denial_log import AccessDenials
from rxchat.services.access.grants import Grants
from rxchat.services.access.groups import Groups
from rxchat.services.access.roles import Roles
from rxchat.services.access.user_admin import UserAdmin
from rxchat.services.accounts.api_credentials import ApiCredentials
from rxchat.services.accounts.external_login import ExternalLogin
from rxchat.services.accounts.idempotency import IdempotencyKeys
from rxchat.services.accounts.passkeys import Passkeys
from rxchat.services.accounts.password_reset import PasswordReset
from rxchat.services.accounts.registration import Registration
from rxchat.services.accounts.second_factors import SecondFactors
from rxchat.services.accounts.sessions import Sessions
from rxchat.services.accounts.sign_in import SignIn
from rxchat.services.app.container import (
    AccessServices,
    AccountServices,
    PlatformServices,
)


def account_services(shared: Shared, platform: PlatformServices) -> AccountServices:
    """Return the services for signing in, accounts and sessions."""
    settings, database, passwords, tokens = shared.settings, shared.database, shared.passwords, shared.tokens
    links, limits, invalidator = shared.links, shared.rate_limits, platform.access_invalidator
    policies, mail = platform.instance_settings, platform.mail_sender
    sessions = Sessions(
        database, tokens, shared.secret_box, policies, invalidator,
        idle=timedelta(days=settings.session_idle_days), absolute=timedelta(days=settings.session_absolute_days),
    )  # fmt: skip
    factors = SecondFactors(database, shared.secret_box, sessions)
    sign_in = SignIn(database, passwords, tokens, limits, sessions, factors, links, mail)
    return AccountServices(
        api_credentials=ApiCredentials(database, tokens, shared.secret_box, limits, sessions, invalidator, sign_in),
        external_login=ExternalLogin(database, tokens, limits, links, policies, sign_in, mail, providers(settings)),
        idempotency_keys=IdempotencyKeys(database),
        passkeys=Passkeys(database, tokens, limits, sessions, sign_in, origins=settings.own_origins),
        password_reset=PasswordReset(database, passwords, limits, links, mail, invalidator, sign_in),
        rate_limits=limits,
        registration=Registration(database, passwords, tokens, limits, links, policies, mail, sign_in),
        second_factors=factors,
        sessions=sessions,
        sign_in=sign_in,
    )


def access_services(shared: Shared, platform: PlatformServices) -> AccessServices:
    """Return the services for roles, groups, grants and the audit log."""
    database, limits, invalidator = shared.database, shared.rate_limits, platform.access_invalidator
    grace = timedelta(days=shared.settings.deletion_grace_days)
    return AccessServices(
        audit_log=AuditLog(database, signer_of(shared.secret_box)),
        denials=AccessDenials(database, limits),
        grants=Grants(database, invalidator, limits),
        groups=Groups(database, invalidator),
        roles=Roles(database, invalidator),
        user_admin=UserAdmin(
            database, shared.links, platform.mail_sender, invalidator, shared.rate_limits, grace=grace
        ),
    )

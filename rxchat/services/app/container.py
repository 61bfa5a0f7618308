"""The services of this process, for those who cannot be handed them: Reflex makes its states itself."""

from __future__ import annotations

from dataclasses import dataclass

from rxchat.services.access.audit_log import AuditLog
from rxchat.services.access.authorization import Authorization
from rxchat.services.access.denial_log import AccessDenials
from rxchat.services.access.user_admin import UserAdmin
from rxchat.services.accounts.api_credentials import ApiCredentials
from rxchat.services.accounts.external_login import ExternalLogin
from rxchat.services.accounts.passkeys import Passkeys
from rxchat.services.accounts.password_reset import PasswordReset
from rxchat.services.accounts.rate_limits import RateLimits
from rxchat.services.accounts.registration import Registration
from rxchat.services.accounts.second_factors import SecondFactors
from rxchat.services.accounts.sessions import Sessions
from rxchat.services.accounts.sign_in import SignIn
from rxchat.services.app.data_export import MyData
from rxchat.services.app.health import Health
from rxchat.services.app.maintenance import Maintenance
from rxchat.services.chat.answer_stream import AnswerStreams
from rxchat.services.chat.context_sources import ContextSources
from rxchat.services.chat.conversations import Conversations
from rxchat.services.chat.messages import ChatService
from rxchat.services.chat.run_engine import RunEngine
from rxchat.services.documents.collections import Library
from rxchat.services.documents.files import Files
from rxchat.services.documents.ingestion import Ingestion
from rxchat.services.documents.signed_urls import SignedUrls
from rxchat.services.documents.trash import Trash
from rxchat.services.documents.versions import Versions
from rxchat.services.models.catalog import ModelCatalog
from rxchat.services.platform.change_feeds import AccessInvalidator, ChangeFeed, PgListener
from rxchat.services.platform.instance_settings import InstanceSettings
from rxchat.services.platform.mail_sender import MailSender
from rxchat.services.retrieval.search import DocumentSearch


@dataclass(frozen=True, slots=True)
class Services:
    """All that RxChat can do, wired together by bootstrap.py."""

    access: AccessInvalidator
    activity: ChangeFeed
    attaching: ContextSources
    audit: AuditLog
    authentication: SignIn
    chats: ChatService
    conversations: Conversations
    denials: AccessDenials
    document_activity: ChangeFeed
    engine: RunEngine
    federation: ExternalLogin
    file_links: SignedUrls
    files: Files
    health: Health
    ingestion: Ingestion
    library: Library
    limits: RateLimits
    live: AnswerStreams
    models: ModelCatalog
    my_data: MyData
    notices: PgListener
    passkeys: Passkeys
    password_changes: PasswordReset
    people: UserAdmin
    post: MailSender
    programs: ApiCredentials
    registration: Registration
    retrieval: DocumentSearch
    rules: InstanceSettings
    second_factors: SecondFactors
    sessions: Sessions
    teams: Authorization
    trash: Trash
    upkeep: Maintenance
    versions: Versions


_installed: list[Services] = []


def install(services: Services) -> None:
    """Make these the services of this process."""
    _installed[:] = [services]


def uninstall() -> None:
    """Leave this process without services."""
    _installed.clear()


def get_services() -> Services:
    """Return the services of this process.

    Raises:
        RuntimeError: before `install`.
    """
    if not _installed:
        raise RuntimeError("no services are installed: the process has not started yet")
    return _installed[0]

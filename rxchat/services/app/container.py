"""The services of this process, for those who cannot be handed them: Reflex makes its states itself."""

from __future__ import annotations

from dataclasses import dataclass

from rxchat.services.access.audit_log import AuditTrail
from rxchat.services.access.authorization import Teams
from rxchat.services.access.denial_log import Denials
from rxchat.services.access.user_admin import People
from rxchat.services.accounts.api_credentials import Programs
from rxchat.services.accounts.external_login import Federation
from rxchat.services.accounts.passkeys import Passkeys
from rxchat.services.accounts.password_reset import PasswordChanges
from rxchat.services.accounts.rate_limits import Limits
from rxchat.services.accounts.registration import Registration
from rxchat.services.accounts.second_factors import SecondFactors
from rxchat.services.accounts.sessions import Sessions
from rxchat.services.accounts.sign_in import Authentication
from rxchat.services.app.data_export import MyData
from rxchat.services.app.health import Health
from rxchat.services.app.maintenance import Upkeep
from rxchat.services.chat.answer_stream import LiveAnswers
from rxchat.services.chat.context_sources import Attaching
from rxchat.services.chat.conversations import Conversations
from rxchat.services.chat.messages import Chats
from rxchat.services.chat.run_engine import RunEngine
from rxchat.services.documents.collections import Library
from rxchat.services.documents.files import Files
from rxchat.services.documents.ingestion import Ingestion
from rxchat.services.documents.signed_urls import FileLinks
from rxchat.services.documents.trash import Trash
from rxchat.services.documents.versions import Versions
from rxchat.services.models.catalog import Models
from rxchat.services.platform.change_feeds import Access, Activity, Notices
from rxchat.services.platform.instance_settings import Rules
from rxchat.services.platform.mail_sender import Post
from rxchat.services.retrieval.search import Retrieval


@dataclass(frozen=True, slots=True)
class Services:
    """All that RxChat can do, wired together by bootstrap.py."""

    access: Access
    activity: Activity
    attaching: Attaching
    audit: AuditTrail
    authentication: Authentication
    chats: Chats
    conversations: Conversations
    denials: Denials
    document_activity: Activity
    engine: RunEngine
    federation: Federation
    file_links: FileLinks
    files: Files
    health: Health
    ingestion: Ingestion
    library: Library
    limits: Limits
    live: LiveAnswers
    models: Models
    my_data: MyData
    notices: Notices
    passkeys: Passkeys
    password_changes: PasswordChanges
    people: People
    post: Post
    programs: Programs
    registration: Registration
    retrieval: Retrieval
    rules: Rules
    second_factors: SecondFactors
    sessions: Sessions
    teams: Teams
    trash: Trash
    upkeep: Upkeep
    versions: Versions


_installed: list[Services] = []


def install(services: Services) -> None:
    """Make these the services of this process."""
    _installed[:] = [services]


def uninstall() -> None:
    """Leave this process without services."""
    _installed.clear()


def current() -> Services:
    """Return the services of this process.

    Raises:
        RuntimeError: before `install`.
    """
    if not _installed:
        raise RuntimeError("no services are installed: the process has not started yet")
    return _installed[0]

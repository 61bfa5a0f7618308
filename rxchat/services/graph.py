"""The services of this process, for those who cannot be handed them: Reflex makes its states itself."""

from __future__ import annotations

from dataclasses import dataclass

from rxchat.services.attaching import Attaching
from rxchat.services.audit_trail import AuditTrail
from rxchat.services.authentication import Authentication
from rxchat.services.chats import Chats
from rxchat.services.conversations import Conversations
from rxchat.services.denials import Denials
from rxchat.services.federation import Federation
from rxchat.services.file_links import FileLinks
from rxchat.services.files import Files
from rxchat.services.health import Health
from rxchat.services.ingestion import Ingestion
from rxchat.services.library import Library
from rxchat.services.limits import Limits
from rxchat.services.live import LiveAnswers
from rxchat.services.models import Models
from rxchat.services.my_data import MyData
from rxchat.services.notices import Access, Activity, Notices
from rxchat.services.passkeys import Passkeys
from rxchat.services.password_changes import PasswordChanges
from rxchat.services.people import People
from rxchat.services.post import Post
from rxchat.services.programs import Programs
from rxchat.services.registration import Registration
from rxchat.services.retrieval import Retrieval
from rxchat.services.rules import Rules
from rxchat.services.runs import RunEngine
from rxchat.services.second_factors import SecondFactors
from rxchat.services.sessions import Sessions
from rxchat.services.teams import Teams
from rxchat.services.trash import Trash
from rxchat.services.upkeep import Upkeep
from rxchat.services.versions import Versions


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

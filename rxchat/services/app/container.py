"""The services of this process, in a typed group for each capability.

Reflex creates its states itself, so they cannot be given services as arguments: they call `get_services`.
"""

from __future__ import annotations

from dataclasses import dataclass

from rxchat.services.access.audit_log import AuditLog
from rxchat.services.access.denial_log import AccessDenials
from rxchat.services.access.grants import Grants
from rxchat.services.access.groups import Groups
from rxchat.services.access.roles import Roles
from rxchat.services.access.shares import Shares
from rxchat.services.access.user_admin import UserAdmin
from rxchat.services.accounts.api_credentials import ApiCredentials
from rxchat.services.accounts.external_login import ExternalLogin
from rxchat.services.accounts.idempotency import IdempotencyKeys
from rxchat.services.accounts.passkeys import Passkeys
from rxchat.services.accounts.password_reset import PasswordReset
from rxchat.services.accounts.rate_limits import RateLimits
from rxchat.services.accounts.registration import Registration
from rxchat.services.accounts.second_factors import SecondFactors
from rxchat.services.accounts.sessions import Sessions
from rxchat.services.accounts.sign_in import SignIn
from rxchat.services.app.account_deletion import AccountDeletion
from rxchat.services.app.data_export import DataExport
from rxchat.services.app.health import Health
from rxchat.services.app.maintenance import Maintenance
from rxchat.services.app.preferences import UserPreferences
from rxchat.services.app.profile import Profiles
from rxchat.services.app.system_status import SystemStatus
from rxchat.services.chat.answer_streams import AnswerStreams
from rxchat.services.chat.assistants import Assistants
from rxchat.services.chat.branches import Branches
from rxchat.services.chat.completions import Completions
from rxchat.services.chat.configurations import Configurations
from rxchat.services.chat.context_sources import ContextSources
from rxchat.services.chat.conversation_assistants import ConversationAssistants
from rxchat.services.chat.conversation_changes import ConversationChanges
from rxchat.services.chat.conversation_export import ConversationExport
from rxchat.services.chat.conversation_history import ConversationHistory
from rxchat.services.chat.conversation_imports import ConversationImports
from rxchat.services.chat.conversation_search import ConversationSearch
from rxchat.services.chat.conversation_trash import ConversationTrash
from rxchat.services.chat.conversations import Conversations
from rxchat.services.chat.feedback import Feedback
from rxchat.services.chat.forks import Forks
from rxchat.services.chat.messages import ChatService
from rxchat.services.chat.organizing import Organizing
from rxchat.services.chat.prompt_records import PromptRecords
from rxchat.services.chat.prompts import Prompts
from rxchat.services.chat.public_links import PublicLinks
from rxchat.services.chat.run_engine import RunEngine
from rxchat.services.chat.run_follower import RunFollower
from rxchat.services.documents.collections import Collections
from rxchat.services.documents.documents import Documents
from rxchat.services.documents.files import Files
from rxchat.services.documents.ingestion import Ingestion
from rxchat.services.documents.resized_pictures import ResizedPictures
from rxchat.services.documents.signed_urls import SignedUrls
from rxchat.services.documents.trash import Trash
from rxchat.services.documents.versions import Versions
from rxchat.services.models.catalog import ModelCatalog
from rxchat.services.models.fallbacks import Fallbacks
from rxchat.services.models.hosts import Hosts
from rxchat.services.models.model_settings import KnownModelSettings, ModelSettings
from rxchat.services.models.provider_pool import ProviderPool
from rxchat.services.models.providers import Providers
from rxchat.services.models.quotas import Quotas
from rxchat.services.platform.access_invalidator import AccessInvalidator
from rxchat.services.platform.change_feeds import ChangeFeed
from rxchat.services.platform.instance_settings import InstanceSettings
from rxchat.services.platform.mail_sender import MailSender
from rxchat.services.platform.pg_listener import PgListener
from rxchat.services.retrieval.embeddings import Embeddings
from rxchat.services.retrieval.passage_search import PassageSearch
from rxchat.services.retrieval.search import DocumentSearch


@dataclass(frozen=True, slots=True)
class PlatformServices:
    """Services that every capability uses."""

    pg_listener: PgListener
    access_invalidator: AccessInvalidator
    conversation_feed: ChangeFeed
    document_feed: ChangeFeed
    assistant_feed: ChangeFeed
    prompt_feed: ChangeFeed
    instance_settings: InstanceSettings
    mail_sender: MailSender


@dataclass(frozen=True, slots=True)
class AccountServices:
    """Sign-in, and everything that belongs to one user."""

    api_credentials: ApiCredentials
    external_login: ExternalLogin
    idempotency_keys: IdempotencyKeys
    passkeys: Passkeys
    password_reset: PasswordReset
    rate_limits: RateLimits
    registration: Registration
    second_factors: SecondFactors
    sessions: Sessions
    sign_in: SignIn


@dataclass(frozen=True, slots=True)
class AccessServices:
    """Roles, groups and grants, administration of users, audit."""

    audit_log: AuditLog
    denials: AccessDenials
    grants: Grants
    groups: Groups
    roles: Roles
    user_admin: UserAdmin


@dataclass(frozen=True, slots=True)
class ModelServices:
    """The available models, their providers, and what administrators set for them."""

    catalog: ModelCatalog
    known_settings: KnownModelSettings
    fallbacks: Fallbacks
    hosts: Hosts
    provider_pool: ProviderPool
    providers: Providers
    quotas: Quotas
    settings: ModelSettings


@dataclass(frozen=True, slots=True)
class DocumentServices:
    """Collections, files, uploads, ingestion."""

    collection_shares: Shares
    collections: Collections
    documents: Documents
    files: Files
    ingestion: Ingestion
    pictures: ResizedPictures
    signed_urls: SignedUrls
    trash: Trash
    versions: Versions


@dataclass(frozen=True, slots=True)
class RetrievalServices:
    """Search in documents, and vectors."""

    search: DocumentSearch
    passages: PassageSearch
    embeddings: Embeddings


@dataclass(frozen=True, slots=True)
class ChatServices:
    """Conversations, answers and their streams."""

    answer_streams: AnswerStreams
    assistant_shares: Shares
    assistants: Assistants
    branches: Branches
    completions: Completions
    configurations: Configurations
    context_sources: ContextSources
    conversation_assistants: ConversationAssistants
    conversation_changes: ConversationChanges
    conversation_export: ConversationExport
    conversation_history: ConversationHistory
    conversation_imports: ConversationImports
    conversation_trash: ConversationTrash
    conversations: Conversations
    feedback: Feedback
    forks: Forks
    messages: ChatService
    organizing: Organizing
    prompt_records: PromptRecords
    public_links: PublicLinks
    prompt_shares: Shares
    prompts: Prompts
    search: ConversationSearch
    run_engine: RunEngine
    run_follower: RunFollower


@dataclass(frozen=True, slots=True)
class AppServices:
    """Services that use all others."""

    account_deletion: AccountDeletion
    data_export: DataExport
    health: Health
    maintenance: Maintenance
    preferences: UserPreferences
    profiles: Profiles
    system_status: SystemStatus


@dataclass(frozen=True, slots=True)
class Services:
    """All services; the package bootstrap creates and connects them."""

    platform: PlatformServices
    accounts: AccountServices
    access: AccessServices
    models: ModelServices
    documents: DocumentServices
    retrieval: RetrievalServices
    chat: ChatServices
    app: AppServices


_installed: list[Services] = []


def install(services: Services) -> None:
    """Make these the services of this process."""
    _installed[:] = [services]


def uninstall() -> None:
    """Remove the services of this process."""
    _installed.clear()


def get_services() -> Services:
    """Return the services of this process.

    Raises:
        RuntimeError: before `install`.
    """
    if not _installed:
        raise RuntimeError("no services are installed: the process has not started yet")
    return _installed[0]

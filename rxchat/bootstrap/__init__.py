"""The composition root: creates every service and connects them; lifespan.py runs and closes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from rxchat import adapter_factories
from rxchat.adapters.import_reading import SandboxedImportReader
from rxchat.adapters.redis_broadcast import RedisBroadcast
from rxchat.adapters.redis_rate_limits import RedisCounters
from rxchat.bootstrap.accounts import access_services, account_services
from rxchat.bootstrap.documents import document_services
from rxchat.bootstrap.shared import Shared, make_shared
from rxchat.connections import Connections
from rxchat.db.platform.database import Database
from rxchat.db.platform.migrations import newest_revision
from rxchat.db.platform.notifications import listen
from rxchat.embedded.local_embedder import LocalEmbedder
from rxchat.jobs.worker import Worker
from rxchat.services.access.shares import Shares
from rxchat.services.accounts.passwords import Passwords
from rxchat.services.app.account_deletion import AccountDeletion
from rxchat.services.app.container import (
    AccessServices,
    AccountServices,
    AppServices,
    ChatServices,
    DocumentServices,
    ModelServices,
    PlatformServices,
    RetrievalServices,
    Services,
)
from rxchat.services.app.data_export import DataExport
from rxchat.services.app.health import Health
from rxchat.services.app.maintenance import Maintenance
from rxchat.services.app.preferences import UserPreferences
from rxchat.services.app.profile import Profiles
from rxchat.services.app.system_status import SystemStatus
from rxchat.services.chat.answer_streams import AnswerStreams
from rxchat.services.chat.assistants import SHARED_ASSISTANTS, Assistants
from rxchat.services.chat.branches import Branches
from rxchat.services.chat.completions import Completions
from rxchat.services.chat.configurations import Configurations
from rxchat.services.chat.context_sources import ContextSources
from rxchat.services.chat.conversation_assistants import ConversationAssistants
from rxchat.services.chat.conversation_changes import ConversationChanges
from rxchat.services.chat.conversation_export import ConversationExport, signing_key_of
from rxchat.services.chat.conversation_history import ConversationHistory
from rxchat.services.chat.conversation_imports import ConversationImports
from rxchat.services.chat.conversation_search import ConversationSearch
from rxchat.services.chat.conversation_trash import ConversationTrash
from rxchat.services.chat.conversations import Conversations
from rxchat.services.chat.feedback import Feedback
from rxchat.services.chat.forks import Forks
from rxchat.services.chat.imported_conversations import ImportedConversations
from rxchat.services.chat.messages import ChatService
from rxchat.services.chat.organizing import Organizing
from rxchat.services.chat.prompt_records import PromptRecords
from rxchat.services.chat.prompts import SHARED_PROMPTS, Prompts
from rxchat.services.chat.public_links import PublicLinks
from rxchat.services.chat.run_engine import RunEngine
from rxchat.services.chat.run_follower import RunFollower
from rxchat.services.chat.seen_pictures import SeenPictures
from rxchat.services.documents.storage_gc import StorageGarbageCollector
from rxchat.services.documents.storage_ownership import StorageOwnership
from rxchat.services.documents.vector_index import VectorIndex
from rxchat.services.models.catalog import ModelCatalog
from rxchat.services.models.fallbacks import Fallbacks, configured_fallbacks
from rxchat.services.models.hosts import Hosts
from rxchat.services.models.model_settings import KnownModelSettings, ModelSettings
from rxchat.services.models.provider_pool import ProviderPool, ProviderSecrets
from rxchat.services.models.providers import Providers
from rxchat.services.models.quotas import Quotas
from rxchat.services.platform.access_invalidator import AccessInvalidator
from rxchat.services.platform.change_feeds import ChangeFeed
from rxchat.services.platform.instance_settings import AccountPolicies, InstanceSettings
from rxchat.services.platform.mail_sender import MailSender
from rxchat.services.platform.pg_listener import PgListener
from rxchat.services.retrieval.embeddings import Embeddings
from rxchat.services.retrieval.passage_search import PassageSearch
from rxchat.services.retrieval.prompt_context import PromptContextBuilder
from rxchat.services.retrieval.search import DocumentSearch
from rxchat.settings import Settings


class Closeable(Protocol):
    """An object with connections."""

    async def aclose(self) -> None:
        """Close the connections."""
        ...


@dataclass(frozen=True, slots=True)
class Graph:
    """The services, and the connections and threads to close after them."""

    services: Services
    database: Database
    passwords: Passwords
    worker: Worker
    adapters: tuple[Closeable, ...]

    async def aclose(self) -> None:
        """Close threads and connections, the database last."""
        self.passwords.close()
        for adapter in self.adapters:
            await adapter.aclose()
        await self.database.aclose()


def build_services(settings: Settings, at: Connections) -> Graph:
    """Create all services, one group after the other; a group uses only the ones before it."""
    broadcast = RedisBroadcast(at.redis_url) if at.redis_url else None
    counters = RedisCounters(at.redis_url) if at.redis_url else None
    shared = make_shared(settings, at, counters)
    platform = _platform(shared)
    accounts = account_services(shared, platform)
    access = access_services(shared, platform)
    models = _models(shared, platform, access)
    local = LocalEmbedder(settings.data)
    embedder = adapter_factories.embedder(settings, at, local)
    reranker = adapter_factories.reranker(settings)
    documents = document_services(shared, platform, VectorIndex(shared.database, embedder))
    retrieval = RetrievalServices(
        search=DocumentSearch(shared.database, embedder, reranker),
        passages=PassageSearch(documents.documents),
        embeddings=Embeddings(embedder, shared.metering),
    )
    chat = _chat(shared, platform, models, documents, retrieval, broadcast)
    services = Services(
        platform=platform,
        accounts=accounts,
        access=access,
        models=models,
        documents=documents,
        retrieval=retrieval,
        chat=chat,
        app=_app(shared, platform, accounts, access, models, documents, chat, broadcast),
    )
    worker = Worker(shared.database.url, documents.ingestion, platform.mail_sender)
    adapters = (shared.metering, shared.model, shared.store, embedder, local, reranker, broadcast, counters)
    return Graph(
        services, shared.database, shared.passwords, worker, tuple(item for item in adapters if item is not None)
    )


def _platform(shared: Shared) -> PlatformServices:
    settings, database = shared.settings, shared.database
    pg_listener = PgListener(lambda: listen(database.url))
    invalidator = AccessInvalidator(pg_listener)
    policies = AccountPolicies(settings.registration, settings.second_factor)
    return PlatformServices(
        pg_listener=pg_listener,
        access_invalidator=invalidator,
        conversation_feed=ChangeFeed(pg_listener, invalidator),
        document_feed=ChangeFeed(pg_listener, invalidator, "documents"),
        assistant_feed=ChangeFeed(pg_listener, invalidator, "assistants"),
        prompt_feed=ChangeFeed(pg_listener, invalidator, "prompts"),
        instance_settings=InstanceSettings(database, invalidator, policies),
        mail_sender=MailSender(adapter_factories.mailer(settings), settings.base_url, shared.secret_box, database),
    )


def _models(shared: Shared, platform: PlatformServices, access: AccessServices) -> ModelServices:
    settings, database, secrets = shared.settings, shared.database, ProviderSecrets(shared.secret_box)
    known = KnownModelSettings(database, platform.pg_listener)
    catalog = ModelCatalog(shared.model, known.all, default=settings.default_model)
    known.on_change(catalog.describe_again)
    clients = adapter_factories.provider_clients(settings)
    pool = ProviderPool(database, secrets, platform.pg_listener, shared.model, clients.client_of, catalog.forget)
    return ModelServices(
        catalog=catalog,
        fallbacks=Fallbacks(database, catalog, configured_fallbacks(settings.model_fallbacks, known)),
        hosts=Hosts(database, shared.model, catalog.forget),
        known_settings=known,
        provider_pool=pool,
        providers=Providers(database, secrets, pool, shared.model, clients),
        quotas=Quotas(database, access.grants, settings.currency),
        settings=ModelSettings(database, known, shared.model),
    )


def _chat(
    shared: Shared,
    platform: PlatformServices,
    models: ModelServices,
    documents: DocumentServices,
    retrieval: RetrievalServices,
    broadcast: RedisBroadcast | None,
) -> ChatServices:
    settings, database, limits = shared.settings, shared.database, shared.rate_limits
    streams, export_key = AnswerStreams(database, broadcast), signing_key_of(shared.secret_box)
    run_limits = adapter_factories.run_limits(settings, shared.connections)
    longest = settings.answer_timeout_minutes * 60
    importer = ImportedConversations(export_key.public_key)
    return ChatServices(
        answer_streams=streams,
        assistant_shares=Shares(database, platform.access_invalidator, limits, SHARED_ASSISTANTS),
        assistants=Assistants(database, shared.model),
        branches=Branches(database, models.quotas, shared.model),
        completions=Completions(shared.model, shared.metering, models.quotas, run_limits, longest),
        configurations=Configurations(database, shared.model),
        context_sources=ContextSources(database),
        conversation_assistants=ConversationAssistants(database),
        conversation_changes=ConversationChanges(database),
        conversation_export=ConversationExport(database, export_key),
        conversation_history=ConversationHistory(database),
        conversation_imports=ConversationImports(database, limits, SandboxedImportReader(), importer),
        conversation_trash=ConversationTrash(database),
        conversations=Conversations(database),
        feedback=Feedback(database),
        forks=Forks(database),
        messages=ChatService(database, models.quotas, shared.model),
        organizing=Organizing.of(database),
        prompt_records=PromptRecords(database),
        public_links=PublicLinks(
            database, shared.secret_box, shared.passwords, limits, is_enabled=settings.public_links
        ),
        prompt_shares=Shares(database, platform.access_invalidator, limits, SHARED_PROMPTS),
        prompts=Prompts(database),
        search=ConversationSearch(database),
        run_follower=RunFollower(database, streams),
        run_engine=RunEngine(
            database,
            shared.model,
            shared.metering,
            streams,
            platform.pg_listener,
            limits=run_limits,
            longest_seconds=longest,
            prompt_context_builder=PromptContextBuilder(
                database, retrieval.search, shared.model, shared.metering, source_tokens=settings.source_tokens
            ),
            find_defaults=models.known_settings.configuration,
            pictures=SeenPictures(shared.model, documents.pictures),
            find_fallbacks=models.fallbacks.of,
        ),
    )


def _app(
    shared: Shared,
    platform: PlatformServices,
    accounts: AccountServices,
    access: AccessServices,
    models: ModelServices,
    documents: DocumentServices,
    chat: ChatServices,
    broadcast: RedisBroadcast | None,
) -> AppServices:
    database, sign_in, invalidator = shared.database, accounts.sign_in, platform.access_invalidator
    grace = timedelta(days=shared.settings.deletion_grace_days)
    health = Health(
        database,
        models.catalog,
        newest_revision(),
        broadcast.ping if broadcast else None,
        StorageOwnership(database, shared.store).problem,
    )
    maintenance = Maintenance(
        database, access.audit_log, access.denials, StorageGarbageCollector(database, shared.store),
        chat.conversation_trash, chat.prompts, chat.assistants, accounts.idempotency_keys, shared.metering,
    )  # fmt: skip
    return AppServices(
        account_deletion=AccountDeletion(database, sign_in, invalidator, grace=grace),
        data_export=DataExport(
            database, shared.tokens, shared.rate_limits, sign_in, documents.files, chat.conversation_export
        ),
        health=health,
        maintenance=maintenance,
        preferences=UserPreferences(database),
        profiles=Profiles(database, invalidator),
        system_status=SystemStatus(database, health, models.catalog),
    )

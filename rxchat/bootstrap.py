"""The composition root: the whole object graph on one page, and how long it lives."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Protocol

import structlog

from rxchat.adapters.embedders.ollama import OllamaEmbeddingModel, OwnEmbedder
from rxchat.adapters.embedders.openai import OpenAIEmbeddingModel, OpenAIReranker
from rxchat.adapters.mail import SmtpMailer
from rxchat.adapters.objects.folder import FolderStore
from rxchat.adapters.ollama import OllamaChatModel
from rxchat.adapters.parsing import SandboxedParser
from rxchat.adapters.redis import RedisBroadcast
from rxchat.adapters.redis_rate_limits import RedisCounters
from rxchat.adapters.sign_in import providers
from rxchat.connections import ConfigurationError, Connections, connections, decoded_key, needs_embedded
from rxchat.db.platform.database import Database
from rxchat.db.platform.migrations import newest_revision
from rxchat.db.platform.notifications import listen
from rxchat.development import ensure_servers
from rxchat.domain.errors import EmbedderError
from rxchat.domain.files import FileLimits
from rxchat.domain.ports import EmbeddingModel, ObjectStore
from rxchat.domain.runs import RunLimits
from rxchat.embedded.errors import EmbeddedError
from rxchat.embedded.local_embedder import LocalEmbedder
from rxchat.embedded.ollama_catalog import CHAT_SLOTS, EMBEDDER_NAME
from rxchat.jobs.worker import QUICK_CPU_SECONDS, QUICK_PLACES, Worker
from rxchat.services.access.audit_log import AuditLog, signer_of
from rxchat.services.access.authorization import Authorization
from rxchat.services.access.denial_log import AccessDenials
from rxchat.services.access.user_admin import UserAdmin
from rxchat.services.accounts.api_credentials import ApiCredentials
from rxchat.services.accounts.external_login import ExternalLogin
from rxchat.services.accounts.one_time_links import OneTimeLinks
from rxchat.services.accounts.passkeys import Passkeys
from rxchat.services.accounts.password_reset import PasswordReset
from rxchat.services.accounts.passwords import Passwords
from rxchat.services.accounts.rate_limits import PostgresCounters, RateLimits
from rxchat.services.accounts.registration import Registration
from rxchat.services.accounts.second_factors import SecondFactors
from rxchat.services.accounts.sessions import Sessions
from rxchat.services.accounts.sign_in import SignIn
from rxchat.services.app import container
from rxchat.services.app.container import Services
from rxchat.services.app.data_export import MyData
from rxchat.services.app.health import Health
from rxchat.services.app.maintenance import Maintenance
from rxchat.services.chat.answer_stream import AnswerStreams
from rxchat.services.chat.context_sources import ContextSources
from rxchat.services.chat.conversations import Conversations
from rxchat.services.chat.messages import ChatService
from rxchat.services.chat.run_engine import RunEngine
from rxchat.services.documents.collections import Library
from rxchat.services.documents.file_encryption import KeyRing
from rxchat.services.documents.files import Files
from rxchat.services.documents.image_captions import ImageCaptions
from rxchat.services.documents.ingestion import Ingestion
from rxchat.services.documents.signed_urls import SignedUrls
from rxchat.services.documents.storage_gc import StorageGarbageCollector
from rxchat.services.documents.storage_ownership import StorageOwnership
from rxchat.services.documents.trash import Trash
from rxchat.services.documents.vector_index import VectorIndex
from rxchat.services.documents.versions import Versions
from rxchat.services.models.catalog import ModelCatalog
from rxchat.services.platform.change_feeds import AccessInvalidator, ChangeFeed, PgListener
from rxchat.services.platform.encryption import SecretBox
from rxchat.services.platform.instance_settings import AccountPolicies, InstanceSettings
from rxchat.services.platform.mail_sender import MailSender
from rxchat.services.platform.session_tokens import SessionTokens
from rxchat.services.retrieval.prompt_context import PromptContextBuilder
from rxchat.services.retrieval.search import DocumentSearch
from rxchat.settings import Settings

log = structlog.get_logger(__name__)


class Connected(Protocol):
    """What holds connections."""

    async def aclose(self) -> None:
        """Close them."""
        ...


@dataclass(frozen=True, slots=True)
class Graph:
    """The object graph, and the parts of it that hold connections or threads."""

    services: Services
    database: Database
    passwords: Passwords
    worker: Worker
    connected: tuple[Connected, ...]
    """What else is closed with it."""

    async def aclose(self) -> None:
        """Close all of them."""
        self.passwords.close()
        for adapter in self.connected:
            await adapter.aclose()
        await self.database.aclose()


def build_services(settings: Settings, at: Connections) -> Graph:
    """Return the object graph."""
    database = Database(at.database_url, pool_size=settings.database_pool_size)
    model = _chat_model(settings, at)
    broadcast = RedisBroadcast(at.redis_url) if at.redis_url else None
    counters = RedisCounters(at.redis_url) if at.redis_url else None
    passwords = Passwords(at.password_pepper, rounds=settings.bcrypt_rounds, previous=at.previous_peppers)
    notices = PgListener(lambda: listen(database.url))
    live = AnswerStreams(database, broadcast)
    models = ModelCatalog(model, default=settings.default_model)
    access = AccessInvalidator(notices)
    limits = RateLimits(counters, PostgresCounters(database))
    vault, tokens = SecretBox(at.secret_key), SessionTokens(at.secret_key)
    local = LocalEmbedder(settings.data)
    store, embedder, reranker = object_store(settings), _embedder(settings, at, local), _reranker(settings)
    files = Files(database, store, master_keys(settings, vault), vault, _file_limits(settings))
    ingestion = _ingestion(database, files, VectorIndex(database, embedder), ImageCaptions(database, model))
    retrieval, library = DocumentSearch(database, embedder, reranker), Library(database, access, limits)
    services = Services(
        **_account_services(
            settings, at, database, access, passwords, limits, StorageGarbageCollector(database, store), files
        ),
        access=access,
        activity=ChangeFeed(notices, access),
        attaching=ContextSources(database),
        document_activity=ChangeFeed(notices, access, "documents"),
        conversations=Conversations(database),
        engine=RunEngine(
            database,
            model,
            live,
            notices,
            limits=_run_limits(settings, at),
            longest_seconds=settings.answer_timeout_minutes * 60,
            grounding=PromptContextBuilder(database, retrieval, model, source_tokens=settings.source_tokens),
        ),
        file_links=SignedUrls(database, tokens),
        files=files,
        ingestion=ingestion,
        library=library,
        retrieval=retrieval,
        health=Health(
            database,
            models,
            newest_revision(),
            broadcast.ping if broadcast else None,
            StorageOwnership(database, store).problem,
        ),
        limits=limits,
        live=live,
        models=models,
        notices=notices,
        trash=Trash(database, limits, files),
        versions=Versions(database, library, files, limits),
    )
    connected = (model, store, embedder, local, *(item for item in (reranker, broadcast, counters) if item is not None))
    return Graph(services, database, passwords, Worker(database.url, ingestion, services.post), connected)


def _chat_model(settings: Settings, at: Connections) -> OllamaChatModel:
    return OllamaChatModel(
        at.ollama_hosts,
        first_token_seconds=settings.first_token_timeout_seconds,
        token_seconds=settings.token_timeout_seconds,
        demo_hosts=at.demo_hosts,
        context_tokens=settings.context_tokens,
        load_seconds=settings.load_timeout_seconds,
        allows_remote=settings.remote_models,
    )


def _ingestion(database: Database, files: Files, embedding: VectorIndex, pictures: ImageCaptions) -> Ingestion:
    """Return the ingestion, with parsers for small files that wait for no large ones."""
    quick_parser = SandboxedParser(at_once=QUICK_PLACES, cpu_seconds=QUICK_CPU_SECONDS, niceness=0)
    return Ingestion(database, files, SandboxedParser(), embedding, pictures, quick_parser)


def object_store(settings: Settings) -> ObjectStore:
    """Return where files are kept."""
    if not settings.s3_endpoint:
        return FolderStore(settings.data / "files")
    # MinIO's client takes 0.3 s of processor time to import, and is for S3 alone.
    from rxchat.adapters.objects.s3 import S3Store

    access, secret = settings.s3_access_key, settings.s3_secret_key
    try:
        return S3Store(
            settings.s3_endpoint, settings.s3_bucket, access.get_secret_value() if access else "",
            secret.get_secret_value() if secret else "", settings.s3_region, prefix=settings.s3_prefix,
        )  # fmt: skip
    except ValueError as error:
        raise ConfigurationError(f"The settings for S3 cannot be used: {error}.") from error


def master_keys(settings: Settings, vault: SecretBox) -> KeyRing:
    """Return by which keys files' keys are wrapped: the one that is set, else one that comes from the secret."""
    own = vault.key("file keys")
    previous = [decoded_key("RXCHAT_FILES_KEY_PREVIOUS", value) for value in settings.files_key_previous]
    if settings.files_key is None:
        return KeyRing(own, previous)
    return KeyRing(decoded_key("RXCHAT_FILES_KEY", settings.files_key), [*previous, own])


def _file_limits(settings: Settings) -> FileLimits:
    return FileLimits(settings.file_megabytes * 1_000_000, settings.person_megabytes * 1_000_000, settings.person_files)


def _embedder(settings: Settings, at: Connections, local: LocalEmbedder) -> EmbeddingModel:
    """Return who makes vectors: the embedder that RxChat brings along, unless the settings name another one."""
    prefixes = {"query_prefix": settings.embedding_query_prefix, "document_prefix": settings.embedding_document_prefix}
    own = OwnEmbedder(EMBEDDER_NAME, partial(_own_embedder_url, at.demo_hosts, local))
    if not settings.embedding_url:
        return OllamaEmbeddingModel(at.ollama_hosts, settings.embedding_model, own, **prefixes)
    key = settings.embedding_key.get_secret_value() if settings.embedding_key else ""
    return OpenAIEmbeddingModel(
        settings.embedding_url, settings.embedding_model, key, settings.embedding_tokens,
        others=OllamaEmbeddingModel(at.ollama_hosts, "", own), **prefixes,
    )  # fmt: skip


def _run_limits(settings: Settings, at: Connections) -> RunLimits:
    """Return how many answers run at once: of the demo model it is known how many its host does."""
    at_once = min(settings.answers_at_once, CHAT_SLOTS) if at.demo_hosts else settings.answers_at_once
    return RunLimits(at_once, settings.answers_per_person)


async def _own_embedder_url(demo_hosts: tuple[str, ...], local: LocalEmbedder) -> str:
    """Return where the embedder listens: beside the demo model where that runs, else in a process of its own."""
    if demo_hosts:
        return demo_hosts[0]
    try:
        return await local.url()
    except EmbeddedError as error:
        log.warning("the embedder that comes with RxChat cannot run", reason=error.message)
        raise EmbedderError(
            "The embedder that comes with RxChat cannot run here: an administrator finds the reason in the log, and can"
            " set RXCHAT_EMBEDDING_MODEL to an embedding model of an Ollama host."
        ) from error


def _reranker(settings: Settings) -> OpenAIReranker | None:
    key = settings.reranker_key.get_secret_value() if settings.reranker_key else ""
    return OpenAIReranker(settings.reranker_url, settings.reranker_model, key) if settings.reranker_url else None


def _account_services(
    settings: Settings,
    at: Connections,
    database: Database,
    access: AccessInvalidator,
    passwords: Passwords,
    limits: RateLimits,
    sweeping: StorageGarbageCollector,
    files: Files,
) -> dict[str, Any]:
    """Return everything about who someone is and what they may do."""
    base_url, vault, tokens = settings.base_url, SecretBox(at.secret_key), SessionTokens(at.secret_key)
    links, teams = OneTimeLinks(vault, base_url), Authorization(database, access, limits)
    mailer = SmtpMailer(settings.smtp_url.get_secret_value(), settings.mail_from) if settings.smtp_url else None
    post = MailSender(mailer, base_url, vault, database)
    rules = InstanceSettings(database, access, AccountPolicies(settings.registration, settings.second_factor))
    grace = timedelta(days=settings.deletion_grace_days)
    idle, absolute = timedelta(days=settings.session_idle_days), timedelta(days=settings.session_absolute_days)
    sessions = Sessions(database, tokens, vault, rules, access, idle=idle, absolute=absolute)
    second_factors = SecondFactors(database, vault, sessions)
    authentication = SignIn(database, passwords, tokens, limits, sessions, second_factors, links, post)
    trail = AuditLog(database, signer_of(vault))
    denials = AccessDenials(database, limits)
    return {
        "audit": trail,
        "authentication": authentication,
        "chats": ChatService(database, teams),
        "denials": denials,
        "federation": ExternalLogin(database, tokens, limits, links, rules, authentication, post, providers(settings)),
        "my_data": MyData(database, tokens, limits, access, authentication, files, grace=grace),
        "passkeys": Passkeys(database, tokens, limits, sessions, authentication, origins=settings.own_origins),
        "password_changes": PasswordReset(database, passwords, limits, links, post, access, authentication),
        "people": UserAdmin(database, links, post, access, grace=grace),
        "post": post,
        "programs": ApiCredentials(database, tokens, vault, limits, sessions, access, authentication),
        "registration": Registration(database, passwords, tokens, limits, links, rules, post, authentication),
        "rules": rules,
        "second_factors": second_factors,
        "sessions": sessions,
        "teams": teams,
        "upkeep": Maintenance(database, trail, denials, sweeping),
    }


@asynccontextmanager
async def running(settings: Settings, at: Connections) -> AsyncGenerator[Services]:
    """Keep the services of this process at work for as long as the context is open."""
    made = build_services(settings, at)
    services = made.services
    await services.notices.start()
    if settings.engine:
        await services.engine.start()
        await made.worker.start()
    await services.upkeep.start()
    container.install(services)
    log.info("started", pid=os.getpid(), writes=settings.engine, models=list(at.ollama_hosts))
    try:
        yield services
    finally:
        # First of all what others wait for.
        await services.engine.stop()
        await made.worker.stop()
        await services.upkeep.stop()
        await services.live.aclose()
        await services.post.stop()
        await services.notices.stop()
        container.uninstall()
        await made.aclose()
        log.info("stopped", pid=os.getpid())


@asynccontextmanager
async def lifespan(settings: Settings, *, attach: bool = False) -> AsyncGenerator[None]:
    """Live as long as the web process; with `attach` (under `reflex run`) start the embedded servers first, if nobody has."""
    if attach and needs_embedded(settings):
        await ensure_servers(settings)
    async with running(settings, connections(settings)):
        yield

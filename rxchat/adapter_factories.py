"""Creates the adapters that the settings choose."""

from __future__ import annotations

from functools import partial

import structlog

from rxchat.adapters.embedders.ollama import OllamaEmbeddingModel, OwnEmbedder
from rxchat.adapters.embedders.openai import OpenAIEmbeddingModel, OpenAIReranker
from rxchat.adapters.mail import SmtpMailer
from rxchat.adapters.model_providers import ModelProviders
from rxchat.adapters.objects.folder import FolderStore
from rxchat.adapters.ollama import OllamaChatModel
from rxchat.adapters.outgoing_proxies import without_credentials
from rxchat.adapters.provider_problems import plain_words
from rxchat.connections import ConfigurationError, Connections, decoded_key
from rxchat.domain.errors import EmbedderError
from rxchat.domain.model_providers import ProviderConnection, ProviderKind
from rxchat.domain.ports import ChatModel, EmbeddingModel, ObjectStore
from rxchat.domain.provider_addresses import urls_of
from rxchat.domain.runs import RunLimits
from rxchat.domain.service_urls import SRV_PREFIX
from rxchat.embedded.errors import EmbeddedError
from rxchat.embedded.local_embedder import LocalEmbedder
from rxchat.embedded.ollama_catalog import CHAT_SLOTS, EMBEDDER_NAME
from rxchat.services.documents.file_encryption import KeyRing
from rxchat.services.models.providers import ProviderClients
from rxchat.services.platform.encryption import SecretBox
from rxchat.settings import Settings

log = structlog.get_logger(__name__)


def mailer(settings: Settings) -> SmtpMailer | None:
    """Return the client of the mail server, or None if mail is not configured."""
    return SmtpMailer(settings.smtp_url.get_secret_value(), settings.mail_from) if settings.smtp_url else None


def chat_model(settings: Settings, at: Connections) -> ModelProviders:
    """Return the models of the Ollama hosts, and those of other providers."""
    ollama = OllamaChatModel(
        at.ollama_hosts,
        first_token_seconds=settings.first_token_timeout_seconds,
        token_seconds=settings.token_timeout_seconds,
        demo_hosts=at.demo_hosts,
        context_tokens=settings.context_tokens,
        load_seconds=settings.load_timeout_seconds,
        allows_remote=settings.remote_models,
    )
    others = {name: openai_chat_model(settings, name) for name in settings.openai_hosts}
    return ModelProviders(ollama, others)


def provider_model(settings: Settings, provider: ProviderConnection) -> ChatModel:
    """Return the client of a provider that an administrator has added."""
    first = float(provider.timeout_seconds)
    if provider.kind is ProviderKind.OLLAMA:
        key = {"Authorization": f"Bearer {provider.key}"} if provider.key else {}
        return OllamaChatModel(
            urls_of(provider.url),
            first_token_seconds=first,
            token_seconds=settings.token_timeout_seconds,
            context_tokens=settings.context_tokens,
            load_seconds=settings.load_timeout_seconds,
            allows_remote=settings.remote_models,
            headers=key | dict(provider.headers),
            is_guarded=True,
        )
    if provider.kind is ProviderKind.ANTHROPIC:
        from rxchat.adapters.anthropic_chat import AnthropicChatModel as HostedChatModel
    else:
        from rxchat.adapters.openai_chat import OpenAIChatModel as HostedChatModel

    return HostedChatModel(
        provider.url,
        provider.key,
        first_token_seconds=first,
        token_seconds=settings.token_timeout_seconds,
        headers=provider.headers,
        is_guarded=True,
    )


def openai_chat_model(settings: Settings, name: str) -> ChatModel:
    """Return the client of a server with OpenAI's API, by its name in the settings."""
    # Importing OpenAI's client takes 2 s of processor time; only these servers need it.
    from rxchat.adapters.openai_chat import OpenAIChatModel

    key = settings.openai_keys.get(name)
    return OpenAIChatModel(
        settings.openai_hosts[name],
        key.get_secret_value() if key else "",
        first_token_seconds=settings.first_token_timeout_seconds,
        token_seconds=settings.token_timeout_seconds,
    )


def provider_clients(settings: Settings) -> ProviderClients:
    """Return how the clients of administrators' providers are made, and the providers that the settings name."""
    return ProviderClients(
        client_of=partial(provider_model, settings),
        plain_words=plain_words,
        configured={name: without_credentials(url) for name, url in settings.openai_hosts.items()},
        with_key=frozenset(settings.openai_keys),
    )


def object_store(settings: Settings) -> ObjectStore:
    """Return the store for files: S3 if it is configured, otherwise a folder."""
    if not settings.s3_endpoint:
        return FolderStore(settings.data / "files")
    # Importing MinIO's client takes 0.3 s of processor time; only S3 needs it.
    from rxchat.adapters.objects.s3 import S3Store

    access, secret = settings.s3_access_key, settings.s3_secret_key
    try:
        return S3Store(
            settings.s3_endpoint, settings.s3_bucket, access.get_secret_value() if access else "",
            secret.get_secret_value() if secret else "", settings.s3_region, prefix=settings.s3_prefix,
        )  # fmt: skip
    except ValueError as error:
        raise ConfigurationError(f"The settings for S3 are invalid: {error}.") from error


def master_keys(settings: Settings, secret_box: SecretBox) -> KeyRing:
    """Return the keys that wrap the files' keys: the configured one, else one derived from the secret key."""
    own = secret_box.key("file keys")
    previous = [decoded_key("RXCHAT_FILES_KEY_PREVIOUS", value) for value in settings.files_key_previous]
    if settings.files_key is None:
        return KeyRing(own, previous)
    return KeyRing(decoded_key("RXCHAT_FILES_KEY", settings.files_key), [*previous, own])


def embedder(settings: Settings, at: Connections, local: LocalEmbedder) -> EmbeddingModel:
    """Return the embedding model: the one of the settings, else the embedded server's."""
    prefixes = {"query_prefix": settings.embedding_query_prefix, "document_prefix": settings.embedding_document_prefix}
    # An SRV record is no address that a client of embeddings can ask.
    hosts = [host for host in at.ollama_hosts if not host.startswith(SRV_PREFIX)]
    own = OwnEmbedder(EMBEDDER_NAME, partial(_own_embedder_url, at.demo_hosts, local))
    if not settings.embedding_url:
        return OllamaEmbeddingModel(hosts, settings.embedding_model, own, **prefixes)
    key = settings.embedding_key.get_secret_value() if settings.embedding_key else ""
    return OpenAIEmbeddingModel(
        settings.embedding_url, settings.embedding_model, key, settings.embedding_tokens,
        others=OllamaEmbeddingModel(hosts, "", own), **prefixes,
    )  # fmt: skip


async def _own_embedder_url(demo_hosts: tuple[str, ...], local: LocalEmbedder) -> str:
    """Return the address of the embedding server: the demo model's if it runs, else a separate process."""
    if demo_hosts:
        return demo_hosts[0]
    try:
        return await local.url()
    except EmbeddedError as error:
        log.warning("the built-in embedding model cannot run", reason=error.message)
        raise EmbedderError(
            "The built-in embedding model cannot run on this machine. Administrators: see the log for the reason, or set RXCHAT_EMBEDDING_MODEL to an embedding model of an Ollama host."
        ) from error


def reranker(settings: Settings) -> OpenAIReranker | None:
    """Return the reranker, or None if the settings name none."""
    key = settings.reranker_key.get_secret_value() if settings.reranker_key else ""
    return OpenAIReranker(settings.reranker_url, settings.reranker_model, key) if settings.reranker_url else None


def run_limits(settings: Settings, at: Connections) -> RunLimits:
    """Return the limits on simultaneous answers: with the demo model, at most its server's slots."""
    at_once = min(settings.answers_at_once, CHAT_SLOTS) if at.demo_hosts else settings.answers_at_once
    return RunLimits(at_once, settings.answers_per_user)

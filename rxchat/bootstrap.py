"""The composition root: the whole object graph on one page, and how long it lives."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import structlog

from rxchat.adapters.ollama import OllamaChatModel
from rxchat.adapters.redis import RedisBroadcast
from rxchat.checks import HOW_TO_MAKE_A_SECRET, SECRET_BYTES, decoded_secret
from rxchat.db.database import Database
from rxchat.db.migrations import newest_revision
from rxchat.db.notifications import listen
from rxchat.development import ensure_servers
from rxchat.domain.errors import RxChatError
from rxchat.embedded import endpoints as embedded
from rxchat.embedded.secrets import load_or_create
from rxchat.services import graph
from rxchat.services.accounts import Accounts
from rxchat.services.chats import Chats
from rxchat.services.conversations import Conversations
from rxchat.services.graph import Services
from rxchat.services.health import Health
from rxchat.services.live import LiveAnswers
from rxchat.services.models import Models
from rxchat.services.notices import Activity, Notices
from rxchat.services.passwords import Passwords
from rxchat.services.runs import RunEngine
from rxchat.services.tokens import Tokens
from rxchat.settings import Settings

log = structlog.get_logger(__name__)


class ConfigurationError(RxChatError):
    """RxChat cannot start with these settings."""


@dataclass(frozen=True, slots=True)
class Connections:
    """Where this process's servers are and the secrets it works with, whoever provides them."""

    database_url: str
    database_owner_url: str
    redis_url: str | None
    ollama_hosts: tuple[str, ...]
    demo_hosts: tuple[str, ...]
    secret_key: bytes
    password_pepper: bytes


def connections(settings: Settings) -> Connections:
    """Return where everything is: what is set, and for the rest the embedded servers that are running.

    Raises:
        ConfigurationError: when something is neither set nor running, or a secret is missing.
    """
    running = embedded.read(settings.data) if needs_embedded(settings) else None
    if settings.database_url is not None:
        database_url = settings.database_url.get_secret_value()
        owner_url = (settings.database_owner_url or settings.database_url).get_secret_value()
    elif running is not None and running.database_url and running.database_owner_url:
        database_url, owner_url = running.database_url, running.database_owner_url
    else:
        raise ConfigurationError(
            "No database: set DATABASE_URL, or start RxChat's own with `make run` (python -m rxchat up)."
        )
    redis_url = settings.redis_url.get_secret_value() if settings.redis_url else running and running.redis_url
    demo_hosts = running.ollama_hosts if running and not settings.ollama_hosts else ()
    secret_key, pepper = _secrets(settings)
    return Connections(
        database_url=database_url,
        database_owner_url=owner_url,
        redis_url=redis_url or None,
        ollama_hosts=settings.ollama_hosts or demo_hosts,
        demo_hosts=demo_hosts,
        secret_key=secret_key,
        password_pepper=pepper,
    )


def needs_embedded(settings: Settings) -> bool:
    """Whether any of the servers is left for RxChat to start."""
    return settings.database_url is None or settings.redis_url is None or not settings.ollama_hosts


def _secrets(settings: Settings) -> tuple[bytes, bytes]:
    given = settings.secret_key, settings.password_pepper
    if settings.database_url is None and None in given:
        # The data folder holds the database too: what is generated into it is lost with it, not before.
        made = load_or_create(settings.data)
        given = settings.secret_key or made.secret_key, settings.password_pepper or made.password_pepper
    named = zip(("RXCHAT_SECRET_KEY", "RXCHAT_PASSWORD_PEPPER"), given, strict=True)
    key, pepper = (_decoded(name, value) for name, value in named)
    return key, pepper


def _decoded(name: str, value: object) -> bytes:
    how = f"Make one with: {HOW_TO_MAKE_A_SECRET}"
    if value is None:
        raise ConfigurationError(f"With a database of your own, {name} must be set. {how}")
    text = value if isinstance(value, str) else value.get_secret_value()  # pyright: ignore[reportAttributeAccessIssue]
    raw = decoded_secret(text)
    if raw is None:
        raise ConfigurationError(f"{name} must be {SECRET_BYTES} random bytes in base64. {how}")
    return raw


def build_services(
    settings: Settings, at: Connections
) -> tuple[Services, Database, OllamaChatModel, RedisBroadcast | None]:
    """Return the object graph, and the parts of it that hold connections."""
    database = Database(at.database_url, pool_size=settings.database_pool_size)
    model = OllamaChatModel(
        at.ollama_hosts,
        first_token_seconds=settings.first_token_timeout_seconds,
        token_seconds=settings.token_timeout_seconds,
        demo_hosts=at.demo_hosts,
    )
    broadcast = RedisBroadcast(at.redis_url) if at.redis_url else None
    notices = Notices(lambda: listen(database.url))
    models = Models(model, default=settings.default_model)
    live = LiveAnswers(database, broadcast)
    services = Services(
        accounts=Accounts(
            database,
            Passwords(at.password_pepper, rounds=settings.bcrypt_rounds),
            Tokens(at.secret_key),
            idle=timedelta(days=settings.session_idle_days),
            absolute=timedelta(days=settings.session_absolute_days),
        ),
        activity=Activity(notices),
        chats=Chats(database),
        conversations=Conversations(database),
        engine=RunEngine(database, model, live, notices),
        health=Health(database, models, newest_revision(), broadcast.ping if broadcast else None),
        live=live,
        models=models,
        notices=notices,
    )
    return services, database, model, broadcast


@asynccontextmanager
async def running(settings: Settings, at: Connections) -> AsyncGenerator[Services]:
    """Keep the services of this process at work for as long as the context is open."""
    services, database, model, broadcast = build_services(settings, at)
    await services.notices.start()
    await services.engine.start()
    graph.install(services)
    log.info("started", pid=os.getpid(), models=list(at.ollama_hosts))
    try:
        yield services
    finally:
        await services.engine.stop()
        await services.notices.stop()
        graph.uninstall()
        await model.aclose()
        if broadcast is not None:
            await broadcast.aclose()
        await database.aclose()
        log.info("stopped", pid=os.getpid())


@asynccontextmanager
async def lifespan(settings: Settings, *, attach: bool = False) -> AsyncGenerator[None]:
    """Live as long as the web process; with `attach` (under `reflex run`) start the embedded servers first, if nobody has."""
    if attach and needs_embedded(settings):
        await ensure_servers(settings)
    async with running(settings, connections(settings)):
        yield

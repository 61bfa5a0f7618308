"""What services of several groups share."""

from __future__ import annotations

from dataclasses import dataclass

from rxchat import adapter_factories
from rxchat.adapters.model_providers import ModelProviders
from rxchat.adapters.redis_rate_limits import RedisCounters
from rxchat.connections import Connections
from rxchat.db.platform.database import Database
from rxchat.domain.ports import ObjectStore
from rxchat.services.accounts.one_time_links import OneTimeLinks
from rxchat.services.accounts.passwords import Passwords
from rxchat.services.accounts.rate_limits import PostgresCounters, RateLimits
from rxchat.services.models.metering import Metering
from rxchat.services.platform.encryption import SecretBox
from rxchat.services.platform.session_tokens import SessionTokens
from rxchat.settings import Settings


@dataclass(frozen=True, slots=True)
class Shared:
    """Objects that services of several groups share."""

    settings: Settings
    connections: Connections
    database: Database
    passwords: Passwords
    secret_box: SecretBox
    tokens: SessionTokens
    links: OneTimeLinks
    rate_limits: RateLimits
    model: ModelProviders
    metering: Metering
    store: ObjectStore


def make_shared(settings: Settings, at: Connections, counters: RedisCounters | None) -> Shared:
    """Return what the services of all groups share; `counters` count attempts in Redis, where it is used."""
    database, secret_box = Database(at.database_url, pool_size=settings.database_pool_size), SecretBox(at.secret_key)
    model = adapter_factories.chat_model(settings, at)
    return Shared(
        settings=settings,
        connections=at,
        database=database,
        passwords=Passwords(at.password_pepper, rounds=settings.bcrypt_rounds, previous=at.previous_peppers),
        secret_box=secret_box,
        tokens=SessionTokens(at.secret_key),
        links=OneTimeLinks(secret_box, settings.base_url),
        rate_limits=RateLimits(counters, PostgresCounters(database)),
        model=model,
        metering=Metering(database, model, settings.currency),
        store=adapter_factories.object_store(settings),
    )

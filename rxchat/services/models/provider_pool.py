"""Keeps the clients of this process equal to the providers in the database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection, Mapping
from typing import Protocol

import structlog

from rxchat.db.models import providers as rows
from rxchat.db.platform.database import Database
from rxchat.domain.errors import ModelError, RxChatError
from rxchat.domain.model_providers import ProviderConnection
from rxchat.domain.ports import ChatModel
from rxchat.domain.provider_addresses import origin_of
from rxchat.services.platform.encryption import DecryptionFailed, SecretBox
from rxchat.services.platform.pg_listener import PgListener
from rxchat.services.platform.reloads import Reloads
from rxchat.tables import ModelProviderRow

log = structlog.get_logger(__name__)

_PURPOSE = "model provider"


class OffersOfProviders(Protocol):
    """The models of all providers, of which some can be replaced."""

    async def replace(self, others: Mapping[str, ChatModel], reserved: Collection[str] = ()) -> None:
        """Offer these providers from now on; calls that are running end on the clients with which they began.

        No other provider answers for models of `reserved` names, those of providers that are not offered now.
        """
        ...

    async def names_below(self, provider: str) -> list[str]:
        """Return the models of the Ollama hosts of the settings whose names begin with a provider's name and a slash."""
        ...

    async def offer_of(self, provider: str, *, is_fresh: bool = False) -> tuple[int, ModelError | None]:
        """Return how many models a provider offers, and why it does not respond."""
        ...


class ProviderSecrets:
    """Encrypts the keys and headers of providers, each for one name and one origin: elsewhere they cannot be decrypted."""

    def __init__(self, secret_box: SecretBox) -> None:
        self._secret_box = secret_box

    def sealed(self, name: str, provider: ProviderConnection) -> dict[str, bytes | None]:
        """Return the columns with the secrets."""
        owner = f"{name} {origin_of(provider.url)}"
        headers = json.dumps(dict(provider.headers)) if provider.headers else ""
        return {
            column: self._secret_box.seal(f"{_PURPOSE} {column}", owner, text.encode()) if text else None
            for column, text in (("encrypted_key", provider.key), ("encrypted_headers", headers))
        }

    def opened(self, row: ModelProviderRow) -> ProviderConnection:
        """Return how to reach a stored provider.

        Raises:
            DecryptionFailed: when the installation's secret, or the row, has changed.
        """
        owner = f"{row.name} {origin_of(row.url)}"
        key, headers = (
            self._secret_box.open(f"{_PURPOSE} {column}", owner, sealed).decode() if sealed else ""
            for column, sealed in (("encrypted_key", row.encrypted_key), ("encrypted_headers", row.encrypted_headers))
        )
        return ProviderConnection(row.kind, row.url, row.timeout_seconds, key, json.loads(headers) if headers else {})


class ProviderPool:
    """Reads the providers when this process starts, and whenever any process has changed them."""

    def __init__(
        self,
        database: Database,
        secrets: ProviderSecrets,
        pg_listener: PgListener,
        offers: OffersOfProviders,
        client_of: Callable[[ProviderConnection], ChatModel],
        on_change: Callable[[], None],
    ) -> None:
        """Subscribe to changes (a trigger notifies). `on_change` is called after each."""
        self._database, self._secrets = database, secrets
        self._offers, self._client_of, self._on_change = offers, client_of, on_change
        self._clients: dict[str, tuple[ProviderConnection, ChatModel]] = {}
        self._reserved: set[str] = set()
        self._loading = asyncio.Lock()
        self._reloads = Reloads(pg_listener, "providers", self.load)

    async def start(self) -> None:
        """Read the providers, and follow their changes."""
        await self._reloads.start()

    async def stop(self) -> None:
        """Follow no more changes."""
        await self._reloads.stop()

    async def load(self) -> None:
        """Make the clients of this process those of the database.

        Raises:
            DatabaseUnavailable: if Postgres does not respond.
        """
        async with self._loading:
            async with self._database.begin(None) as session:
                stored = await rows.all_providers(session)
            found: dict[str, tuple[ProviderConnection, ChatModel]] = {}
            for row in stored:
                if row.is_enabled and (client := await self._client_for(row)) is not None:
                    found[row.name] = client
            reserved = {row.name for row in stored} - found.keys()
            if (found, reserved) != (self._clients, self._reserved):
                self._clients, self._reserved = found, reserved
                await self._offers.replace({name: client for name, (_, client) in found.items()}, reserved)
                self._on_change()

    async def _client_for(self, row: ModelProviderRow) -> tuple[ProviderConnection, ChatModel] | None:
        try:
            provider = self._secrets.opened(row)
            known = self._clients.get(row.name)
            if known is not None and known[0] == provider:
                return known
            # In a thread: importing a client takes seconds of processor time.
            return provider, await asyncio.to_thread(self._client_of, provider)
        except DecryptionFailed:
            log.warning("the key of a model provider cannot be decrypted", provider=row.name)
        except (RxChatError, ValueError) as error:
            log.warning("a model provider cannot be used", provider=row.name, reason=type(error).__name__)
        return None

"""Use cases for providers of models: administrators add, test, change, disable and delete them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rxchat.db.models import providers as rows
from rxchat.db.models.providers import ModelInUse
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.audit_actions import AuditAction
from rxchat.domain.authorization import require
from rxchat.domain.errors import AlreadyExists, InvalidInput, ModelError, NotFound
from rxchat.domain.model_providers import (
    ModelProvider,
    ProviderConnection,
    ProviderDraft,
    ProviderKind,
    checked_connection,
    checked_name,
)
from rxchat.domain.permissions import Permission
from rxchat.domain.ports import ChatModel
from rxchat.domain.provider_addresses import origin_of
from rxchat.services.models.provider_pool import OffersOfProviders, ProviderPool, ProviderSecrets
from rxchat.services.platform.audit import record
from rxchat.services.platform.encryption import DecryptionFailed
from rxchat.tables import ModelProviderRow

_UNREADABLE = "Its key cannot be decrypted: RxChat’s secret key has changed. Enter the provider’s key again."
_ELSEWHERE = "The address leads to another server now. Enter the {what} again: RxChat sends it only to the server for which it was entered."
_TAKES_OVER = "An Ollama host has the model “{model}”, whose name begins with “{name}/”: a provider of this name would take its place. Choose another name."
_MOST_PROVIDERS = 50
_TEST_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class ProviderState:
    """A provider, and whether it works."""

    provider: ModelProvider
    models: int = 0
    problem: str = ""
    """Why it does not respond, in words; "" while it works, or is disabled."""


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What a provider answered to the question which models it has."""

    models: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ProviderClients:
    """How clients of providers are made, and what their failures mean."""

    client_of: Callable[[ProviderConnection], ChatModel]
    plain_words: Callable[[ModelError], str]
    configured: Mapping[str, str] = field(default_factory=dict)
    """The providers of the settings, with their addresses without credentials."""
    with_key: frozenset[str] = frozenset()


class Providers:
    """Use cases for providers. Every change applies in all processes at once, and no answer that is running ends by it."""

    def __init__(
        self,
        database: Database,
        secrets: ProviderSecrets,
        pool: ProviderPool,
        offers: OffersOfProviders,
        clients: ProviderClients,
    ) -> None:
        self._database, self._secrets, self._pool = database, secrets, pool
        self._offers, self._clients = offers, clients

    async def all(self, current_user: CurrentUser, *, is_fresh: bool = False) -> list[ProviderState]:
        """Return all providers with their states, those of the settings first; with `is_fresh`, each is asked now.

        Raises:
            NotAllowed: without the permission.
        """
        require(current_user, Permission.MODELS_MANAGE)
        async with self._database.begin(current_user.user_id) as session:
            stored = await rows.all_providers(session)
        configured = [self._of_settings(name, url) for name, url in self._clients.configured.items()]
        seen = [self._seen(row) for row in stored]
        states = await asyncio.gather(*(self._state(*item, is_fresh=is_fresh) for item in (*configured, *seen)))
        return list(states)

    async def _state(self, provider: ModelProvider, problem: str, *, is_fresh: bool) -> ProviderState:
        if problem or not provider.is_enabled:
            return ProviderState(provider, problem=problem)
        models, failure = await self._offers.offer_of(provider.name, is_fresh=is_fresh)
        return ProviderState(provider, models, self._clients.plain_words(failure) if failure else "")

    def _of_settings(self, name: str, url: str) -> tuple[ModelProvider, str]:
        return ModelProvider(
            name, ProviderKind.OPENAI, url, 0, True, name in self._clients.with_key, (), None, None, True
        ), ""

    def _seen(self, row: ModelProviderRow) -> tuple[ModelProvider, str]:
        """Return a stored provider without its secrets, and why it cannot be used."""
        problem, names = "", ()
        try:
            names = tuple(self._secrets.opened(row).headers)
        except DecryptionFailed:
            problem = _UNREADABLE if row.is_enabled else ""
        if row.name in self._clients.configured:
            problem = "A provider of the settings (OPENAI_HOSTS) has the same name, and is used instead."
        provider = ModelProvider(
            row.name, row.kind, row.url, row.timeout_seconds, row.is_enabled, row.encrypted_key is not None,
            names, row.created_at, row.updated_at,
        )  # fmt: skip
        return provider, problem

    async def add(self, current_user: CurrentUser, draft: ProviderDraft, client_info: ClientInfo) -> None:
        """Add a provider; it works in all processes at once.

        Raises:
            NotAllowed: without the permission.
            InvalidInput: for the field that is wrong.
            AlreadyExists: when there is a provider with this name.
        """
        require(current_user, Permission.MODELS_MANAGE)
        name = checked_name(draft.name)
        provider = checked_connection(draft, "", {})
        if hidden := await self._offers.names_below(name):
            raise InvalidInput(_TAKES_OVER.format(model=hidden[0], name=name), field="name")
        async with self._database.begin(current_user.user_id) as session:
            if len(await rows.all_providers(session)) >= _MOST_PROVIDERS:
                raise InvalidInput(f"There can be at most {_MOST_PROVIDERS} providers.")
            values = _columns(provider) | self._secrets.sealed(name, provider) | {"name": name, "is_enabled": True}
            if name in self._clients.configured or not await rows.add(session, values):
                raise AlreadyExists(f"There is a provider with the name “{name}”. Choose another name.")
            await self._record(session, current_user, "provider_added", name, client_info, provider)
        await self._pool.load()

    async def change(self, current_user: CurrentUser, draft: ProviderDraft, client_info: ClientInfo) -> None:
        """Change the provider with the draft's name. Answers that are running end on the previous server.

        Raises:
            NotAllowed: without the permission.
            InvalidInput: for the field that is wrong; for the key, if the address leads to another server now.
            NotFound: when the provider does not exist.
        """
        require(current_user, Permission.MODELS_MANAGE)
        async with self._database.begin(current_user.user_id) as session:
            row = await rows.get(session, _possible(draft.name))
            if row is None:
                raise NotFound
            provider = self._entered(draft, row)
            if not await rows.change(session, row.name, _columns(provider) | self._secrets.sealed(row.name, provider)):
                # It was deleted since it was read.
                raise NotFound
            await self._record(session, current_user, "provider_changed", row.name, client_info, provider)
        await self._pool.load()

    def _entered(self, draft: ProviderDraft, row: ModelProviderRow) -> ProviderConnection:
        """Return how to reach a stored provider after a change; what is not entered stays, but only for the same server."""
        entered = checked_connection(draft, "", {})
        if origin_of(entered.url) != origin_of(row.url):
            if draft.key is None and row.encrypted_key is not None:
                raise InvalidInput(_ELSEWHERE.format(what="key"), field="key")
            if draft.headers is None and row.encrypted_headers is not None:
                raise InvalidInput(_ELSEWHERE.format(what="headers"), field="headers")
            return entered
        if draft.key is not None and draft.headers is not None:
            return entered
        try:
            present = self._secrets.opened(row)
        except DecryptionFailed as error:
            if draft.key is None:
                raise InvalidInput(_UNREADABLE, field="key") from error
            # The headers were encrypted with the same lost secret.
            return entered
        return replace(
            entered,
            key=present.key if draft.key is None else entered.key,
            headers=present.headers if draft.headers is None else entered.headers,
        )

    async def set_enabled(
        self, current_user: CurrentUser, name: str, client_info: ClientInfo, *, is_enabled: bool
    ) -> None:
        """Offer a provider's models, or offer them no more.

        Raises:
            NotAllowed: without the permission.
            NotFound: when the provider does not exist.
        """
        require(current_user, Permission.MODELS_MANAGE)
        async with self._database.begin(current_user.user_id) as session:
            if not await rows.change(session, _possible(name), {"is_enabled": is_enabled}):
                raise NotFound
            action = "provider_enabled" if is_enabled else "provider_disabled"
            await self._record(session, current_user, action, name, client_info)
        await self._pool.load()

    async def in_use(self, current_user: CurrentUser, name: str) -> Sequence[ModelInUse]:
        """Return which of a provider's models are chosen in conversations, of any user.

        Raises:
            NotAllowed: without the permission.
            NotFound: when no provider can have this name.
        """
        require(current_user, Permission.MODELS_MANAGE)
        async with self._database.begin(current_user.user_id) as session:
            return await rows.conversations_of(session, _possible(name))

    async def delete(self, current_user: CurrentUser, name: str, client_info: ClientInfo) -> None:
        """Delete a provider with its key. Conversations with its models stay, and say that the model is gone.

        Raises:
            NotAllowed: without the permission.
            NotFound: when the provider does not exist.
        """
        require(current_user, Permission.MODELS_MANAGE)
        async with self._database.begin(current_user.user_id) as session:
            if not await rows.remove(session, _possible(name)):
                raise NotFound
            await self._record(session, current_user, "provider_deleted", name, client_info)
        await self._pool.load()

    async def test(self, current_user: CurrentUser, draft: ProviderDraft, *, is_stored: bool) -> ProbeResult:
        """Ask a provider as it was entered which models it has. Of a stored one, what is not entered is as it is stored.

        Raises:
            NotAllowed: without the permission.
            InvalidInput: for the field that is wrong.
            NotFound: when the stored provider does not exist.
        """
        require(current_user, Permission.MODELS_MANAGE)
        provider = checked_connection(draft, "", {})
        if is_stored:
            async with self._database.begin(current_user.user_id) as session:
                row = await rows.get(session, _possible(draft.name))
            if row is None:
                raise NotFound
            provider = self._entered(draft, row)
        client = await asyncio.to_thread(self._clients.client_of, provider)
        try:
            async with asyncio.timeout(_TEST_SECONDS):
                found = await client.models()
        except ModelError as error:
            return ProbeResult(problem=self._clients.plain_words(error))
        except TimeoutError:
            return ProbeResult(problem=f"It did not send its list of models within {_TEST_SECONDS:g} seconds.")
        finally:
            await client.aclose()
        return ProbeResult(tuple(model.name for model in found if model.can_chat))

    async def _record(
        self,
        session: Any,
        current_user: CurrentUser,
        action: AuditAction,
        name: str,
        client_info: ClientInfo,
        provider: ProviderConnection | None = None,
    ) -> None:
        where = {"kind": provider.kind.value, "url": provider.url} if provider else {}
        await record(session, current_user.user_id, action, client_info, provider=name, **where)


def _columns(provider: ProviderConnection) -> dict[str, Any]:
    return {"kind": provider.kind, "url": provider.url, "timeout_seconds": provider.timeout_seconds}


def _possible(name: str) -> str:
    """Return a name that a provider may have.

    Raises:
        NotFound: when it is none.
    """
    try:
        return checked_name(name)
    except InvalidInput as error:
        raise NotFound from error

"""What clients of hosted models have in common: timeouts, what is shown of the address, and what such servers do not say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

from rxchat.adapters import known_secrets, provider_errors
from rxchat.adapters.outgoing_proxies import is_on_this_network, without_credentials
from rxchat.domain.errors import ModelTimeout

CONNECT_SECONDS = 5.0
_LIST_SECONDS = 10.0
_T = TypeVar("_T")


class HostedChatModel:
    """The part of the ChatModel port that is the same for all servers whose models are always loaded."""

    def __init__(
        self,
        url: str,
        key: str = "",
        *,
        first_token_seconds: float = 120.0,
        token_seconds: float = 60.0,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Remember the key and the values of the headers as secrets, until `forget_secrets`."""
        self._secrets = (key, *(headers or {}).values())
        known_secrets.remember(self._secrets)
        self._shown = without_credentials(url.rstrip("/"))
        hostname = urlsplit(url).hostname or ""
        self._remote_host = "" if is_on_this_network(hostname) else hostname
        self._first_token_seconds = first_token_seconds
        self._token_seconds = token_seconds

    async def _listed(self, asking: Awaitable[_T]) -> _T:
        """Return the list of models that is asked for; raises ModelHostUnavailable if it takes too long."""
        try:
            async with asyncio.timeout(_LIST_SECONDS):
                return await asking
        except TimeoutError as error:
            raise provider_errors.away(self._shown, error) from error

    async def _first(self, asking: Awaitable[_T], model: str) -> _T:
        """Return the beginning of an answer; raises ModelTimeout."""
        return await self._within(self._first_token_seconds, model, asking)

    async def _next(self, parts: AsyncIterator[Any], model: str, *, has_begun: bool) -> Any:
        """Return the next part of an answer, or None after the last one; raises ModelTimeout."""
        seconds = self._token_seconds if has_begun else self._first_token_seconds
        return await self._within(seconds, model, anext(parts, None))  # pyright: ignore[reportArgumentType] - an awaitable

    async def _within(self, seconds: float, model: str, waiting: Awaitable[_T]) -> _T:
        try:
            async with asyncio.timeout(seconds):
                return await waiting
        except TimeoutError as error:
            raise ModelTimeout(
                f"{model} did not respond for {seconds:g} seconds. Try again, or choose another model.",
                detail=f"Its host is {self._shown}.",
            ) from error

    async def is_loading(self, model: str) -> bool:
        """Return False: such servers do not say it."""
        del model
        return False

    def hosts_heard_since(self, moment: float) -> list[str]:
        """Return nothing: these servers do not queue the requests of other processes for minutes."""
        del moment
        return []

    def note_heard(self, host: str) -> None:
        """Ignore what other processes hear."""
        del host

    def forget_secrets(self) -> None:
        """Hide the secrets no more, when the client is closed."""
        known_secrets.forget(self._secrets)

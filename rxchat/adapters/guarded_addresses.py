"""Refuses connections to link-local addresses and cloud metadata, also if a name resolves to one only later.

Names are resolved here, and connected to at the addresses that were checked: a second lookup could return others.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import aiohttp
import httpx
import httpx2

from rxchat.domain.provider_addresses import is_refused


class AddressRefused(OSError):
    """RxChat does not connect to this address."""


async def checked_addresses(host: str, port: int) -> list[str]:
    """Return the addresses of a host.

    Raises:
        AddressRefused: when the host or one of its addresses is refused.
        OSError: when the name is unknown.
    """
    if is_refused(host):
        raise AddressRefused(f"{host} is an address that is refused")
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(item[4][0]) for item in found))
    if any(map(is_refused, addresses)):
        raise AddressRefused(f"{host} resolves to an address that is refused")
    return addresses


class GuardedResolver(aiohttp.ThreadedResolver):
    """Resolves names for aiohttp, which connects to what it returns."""

    async def resolve(self, host: str, port: int = 0, family: Any = socket.AF_INET) -> Any:
        """Return the addresses of a host; see aiohttp. Raises AddressRefused."""
        found = await super().resolve(host, port, family)
        if is_refused(host) or any(is_refused(str(item["host"])) for item in found):
            raise AddressRefused(f"{host} resolves to an address that is refused")
        return found


class GuardedTransport(httpx.AsyncBaseTransport):
    """Connects httpx to checked addresses."""

    def __init__(self, transport: httpx.AsyncBaseTransport, *, resolves: bool) -> None:
        """Wrap a transport; with a proxy, which resolves names itself, they are only checked (`resolves` is False)."""
        self._transport, self._resolves = transport, resolves

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request to the first of the addresses that accepts a connection."""
        return await _sent(self._transport, request, httpx.ConnectError, resolves=self._resolves)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()


class GuardedTransport2(httpx2.AsyncBaseTransport):
    """Connects httpx2 to checked addresses."""

    def __init__(self, transport: httpx2.AsyncBaseTransport, *, resolves: bool) -> None:
        """Wrap a transport; with a proxy, which resolves names itself, they are only checked (`resolves` is False)."""
        self._transport, self._resolves = transport, resolves

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request to the first of the addresses that accepts a connection."""
        return await _sent(self._transport, request, httpx2.ConnectError, resolves=self._resolves)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()


async def _sent(transport: Any, request: Any, failure: type[Exception], *, resolves: bool) -> Any:
    url = request.url
    try:
        addresses = await checked_addresses(url.host, url.port or 0)
    except AddressRefused as error:
        raise failure(str(error)) from error
    except OSError as error:
        if not resolves:
            return await transport.handle_async_request(request)
        raise failure(f"the name {url.host} is unknown") from error
    if not resolves:
        return await transport.handle_async_request(request)
    # The certificate is that of the name, and so is the header Host, which the request already has.
    request.extensions = request.extensions | {"sni_hostname": url.host}
    for address in addresses[:-1]:
        request.url = url.copy_with(host=address)
        try:
            return await transport.handle_async_request(request)
        except failure:
            continue
    request.url = url.copy_with(host=addresses[-1])
    return await transport.handle_async_request(request)


class GuardedConnector(aiohttp.TCPConnector):
    """Connects aiohttp to checked addresses; also where a redirect leads to an address without a name."""

    def __init__(self, **options: Any) -> None:
        super().__init__(resolver=GuardedResolver(), **options)

    async def connect(self, req: Any, traces: Any, timeout: Any) -> Any:
        """Return a connection for a request; see aiohttp."""
        if is_refused(req.url.host or ""):
            error = AddressRefused(f"{req.url.host} is an address that is refused")
            raise aiohttp.ClientConnectionError(str(error)) from error
        return await super().connect(req, traces, timeout)

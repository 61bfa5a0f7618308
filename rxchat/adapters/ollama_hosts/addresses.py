"""Where a host is, and connections to exactly there: to one of the addresses that its name has."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver

from rxchat.adapters.guarded_addresses import GuardedConnector, GuardedTransport
from rxchat.adapters.outgoing_proxies import proxy_for, without_credentials
from rxchat.adapters.tls import trusted


@dataclass(frozen=True, slots=True)
class HostAddress:
    """The address of one host."""

    url: str
    """Its base URL, with the credentials that the operator wrote into it."""
    ip: str = ""
    """The one of its name's addresses to connect to; "": as the name is resolved at each connection."""
    rank: int = 0
    """Hosts with a lower rank are asked first (an SRV record's priority)."""

    @property
    def name(self) -> str:
        """What administrators see, and what identifies it."""
        url = without_credentials(self.url)
        return f"{url} ({self.ip})" if self.ip else url

    @property
    def credentials(self) -> tuple[str, str] | None:
        """The user name and password of its URL."""
        address = urlsplit(self.url)
        return (unquote(address.username), unquote(address.password or "")) if address.username else None


def transport_to(address: HostAddress, *, is_guarded: bool) -> httpx.AsyncBaseTransport:
    """Return what connects httpx to a host."""
    proxy = proxy_for(address.url)
    transport: httpx.AsyncBaseTransport = httpx.AsyncHTTPTransport(verify=trusted(), proxy=proxy)
    if address.ip:
        # The address was checked when the name was resolved.
        return PinnedTransport(transport, address)
    return GuardedTransport(transport, resolves=proxy is None) if is_guarded else transport


def connector_to(address: HostAddress, *, is_guarded: bool) -> aiohttp.TCPConnector:
    """Return what connects aiohttp to a host.

    Callers limit the number of simultaneous answers and set their timeouts. Each answer has a new connection: one from a pool
    may be dead, and a question is not sent twice.
    """
    if address.ip:
        return aiohttp.TCPConnector(limit=0, force_close=True, resolver=PinnedResolver(address))
    is_direct = proxy_for(address.url) is None
    return (GuardedConnector if is_guarded and is_direct else aiohttp.TCPConnector)(limit=0, force_close=True)


class PinnedTransport(httpx.AsyncBaseTransport):
    """Connects httpx to one address of a name. Certificate and header Host are those of the name."""

    def __init__(self, transport: httpx.AsyncBaseTransport, address: HostAddress) -> None:
        self._transport = transport
        self._ip, self._hostname = address.ip, urlsplit(address.url).hostname

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request to the address; one to another host, as by a redirect, is refused."""
        if request.url.host != self._hostname:
            raise httpx.ConnectError(f"{request.url.host} is not the host that was resolved")
        request.extensions = request.extensions | {"sni_hostname": request.url.host}
        request.url = request.url.copy_with(host=self._ip)
        return await self._transport.handle_async_request(request)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()


class PinnedResolver(AbstractResolver):
    """Returns the one address of a name to aiohttp, and no address for another name."""

    def __init__(self, address: HostAddress) -> None:
        self._ip, self._hostname = address.ip, urlsplit(address.url).hostname

    async def resolve(self, host: str, port: int = 0, family: Any = socket.AF_INET) -> Any:
        """Return the address; see aiohttp."""
        del family
        if host != self._hostname:
            raise OSError(f"{host} is not the host that was resolved")
        version = ipaddress.ip_address(self._ip).version
        return [
            {
                "hostname": host,
                "host": self._ip,
                "port": port,
                "family": socket.AF_INET6 if version == 6 else socket.AF_INET,
                "proto": socket.IPPROTO_TCP,
                "flags": socket.AI_NUMERICHOST,
            }
        ]

    async def close(self) -> None:
        """Close nothing: see aiohttp."""

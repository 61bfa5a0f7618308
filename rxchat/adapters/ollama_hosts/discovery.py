"""Finds the hosts of a pool in DNS: the addresses of a name, or the services of an SRV record (RFC 2782)."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from rxchat.adapters.guarded_addresses import AddressRefused
from rxchat.adapters.ollama_hosts.addresses import HostAddress
from rxchat.adapters.outgoing_proxies import proxy_for
from rxchat.domain.provider_addresses import is_refused
from rxchat.domain.service_urls import SRV_PREFIX

_ASK_AGAIN_SECONDS = 30.0
"""How long addresses are used for which the resolver says no time."""
_SHORTEST, _LONGEST = 5.0, 300.0
_DNS_SECONDS = 5.0
_MOST_HOSTS = 64


@dataclass(frozen=True, slots=True)
class ServiceTarget:
    """A host that an SRV record names."""

    host: str
    port: int
    priority: int = 0


class Resolver(Protocol):
    """Resolves names."""

    async def addresses(self, name: str, port: int) -> Sequence[str]:
        """Return the addresses of a name. Raises OSError when it is unknown."""
        ...

    async def services(self, name: str) -> tuple[Sequence[ServiceTarget], float]:
        """Return the targets of an SRV record, and how many seconds they are valid. Raises OSError when there is none."""
        ...


class SystemResolver:
    """The resolver of this machine, which also knows /etc/hosts and the names of containers."""

    async def addresses(self, name: str, port: int) -> Sequence[str]:
        """Return the addresses of a name; see Resolver."""
        found = await asyncio.get_running_loop().getaddrinfo(name, port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(str(item[4][0]) for item in found))

    async def services(self, name: str) -> tuple[Sequence[ServiceTarget], float]:
        """Return the targets of an SRV record; see Resolver."""
        # Importing it takes time; only SRV records need it.
        import dns.asyncresolver
        import dns.exception

        try:
            answer = await dns.asyncresolver.resolve(name, "SRV", lifetime=_DNS_SECONDS)
        except dns.exception.DNSException as error:
            raise socket.gaierror(socket.EAI_NONAME, f"{name} has no SRV record ({type(error).__name__})") from error
        targets = [
            ServiceTarget(str(row.target).rstrip("."), int(row.port), int(row.priority))
            for row in answer
            # "." says that there is decidedly no such service.
            if str(row.target) != "."
        ]
        return targets, float(answer.rrset.ttl if answer.rrset is not None else _ASK_AGAIN_SECONDS)


SYSTEM_RESOLVER = SystemResolver()


@dataclass(frozen=True, slots=True)
class Found:
    """The hosts of a source, and when to ask again."""

    hosts: tuple[HostAddress, ...]
    valid_seconds: float | None = None
    """None: for ever."""


async def found_at(source: str, resolver: Resolver, *, is_guarded: bool) -> Found:
    """Return the hosts of an address that an operator wrote.

    A name with several addresses is a pool. One of IPv4 beside one of IPv6 is one host: connections try both.

    Raises:
        AddressRefused: if `is_guarded` and one of its addresses is refused.
        OSError: when the name is unknown.
    """
    address = urlsplit(source)
    name = address.hostname or ""
    if source.startswith(SRV_PREFIX):
        return await _services(source, name, resolver, is_guarded=is_guarded)
    if _is_one_host(name) or proxy_for(source) is not None:
        # An outgoing proxy resolves names itself.
        return Found((HostAddress(source),))
    addresses = await resolver.addresses(name, address.port or 0)
    if is_guarded and (is_refused(name) or any(map(is_refused, addresses))):
        raise AddressRefused(f"{name} resolves to an address that is refused")
    families = [[item for item in addresses if _version(item) == version] for version in (4, 6)]
    several = next((family for family in families if len(family) > 1), [])
    pool = tuple(HostAddress(source, ip) for ip in sorted(several)[:_MOST_HOSTS])
    return Found(pool or (HostAddress(source),), _ASK_AGAIN_SECONDS)


async def _services(source: str, name: str, resolver: Resolver, *, is_guarded: bool) -> Found:
    targets, seconds = await resolver.services(name)
    if is_guarded and any(is_refused(target.host) for target in targets):
        # Names that lead to a refused address are refused at the connection.
        raise AddressRefused(f"{name} names a host that is refused")
    parts = urlsplit(source)
    userinfo = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    scheme = parts.scheme.removeprefix("srv+")
    hosts = {
        HostAddress(f"{scheme}://{userinfo}{_in_url(target.host)}:{target.port}{parts.path}", rank=target.priority)
        for target in targets
    }
    if not hosts:
        raise socket.gaierror(socket.EAI_NONAME, f"{name} names no host")
    ordered = sorted(hosts, key=lambda host: (host.rank, host.url))[:_MOST_HOSTS]
    return Found(tuple(ordered), min(max(seconds, _SHORTEST), _LONGEST))


def _is_one_host(name: str) -> bool:
    """Whether a name is this machine, or an address."""
    if name.rstrip(".").lower() == "localhost" or name.lower().endswith(".localhost"):
        return True
    return bool(_version(name))


def _version(name: str) -> int:
    try:
        return ipaddress.ip_address(name.partition("%")[0]).version
    except ValueError:
        return 0


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host

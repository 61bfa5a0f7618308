"""Who really sent a request: the other end of the connection, or whom a proxy that is named in the settings speaks for.

Anybody can write `X-Forwarded-For` into a request. It counts only when the connection comes from one of
RXCHAT_TRUSTED_PROXIES, and then only as far as trusted proxies wrote it: from its right end to the first address that
is not one of theirs.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

from starlette.datastructures import Headers
from starlette.types import Scope

from rxchat.settings import Settings

Address = IPv4Address | IPv6Address

# What proxies say about where a request came from; from anybody else it is hearsay.
_FORWARDING = frozenset({b"forwarded", b"x-real-ip", b"x-client-ip", b"true-client-ip", b"cf-connecting-ip"})
_FORWARDING_PREFIX = b"x-forwarded-"
_SCHEMES = {"http": {"http": "http", "https": "https"}, "websocket": {"http": "ws", "https": "wss"}}


class TrustedProxies:
    """The proxies that the operator named, and what follows for a request."""

    def __init__(self, settings: Settings) -> None:
        self._networks = settings.trusted_proxies
        self._is_exposed = settings.is_exposed
        self._own = _parsed(settings.host)

    def resolve(self, scope: Scope) -> Scope | None:
        """Return a scope whose client is who really asks, or None when this peer may not connect at all."""
        host, port = scope.get("client") or ("", 0)
        peer = _parsed(host)
        if peer is not None and self._is_trusted(peer):
            return self._forwarded(scope, peer)
        if self._is_exposed and not self._is_this_machine(peer):
            return None
        headers = [
            (name, value)
            for name, value in scope["headers"]
            if name.lower() not in _FORWARDING and not name.lower().startswith(_FORWARDING_PREFIX)
        ]
        return {**scope, "headers": headers, "client": (str(peer or host), port)}

    def _forwarded(self, scope: Scope, peer: Address) -> Scope:
        """Return the scope as a trusted proxy tells it; of what makes no sense nothing is believed."""
        headers = Headers(scope=scope)
        client = self._client(",".join(headers.getlist("x-forwarded-for")), peer)
        told = ",".join(headers.getlist("x-forwarded-proto")).rpartition(",")[2].strip().lower()
        scheme = _SCHEMES[scope["type"]].get(told, scope["scheme"])
        return {**scope, "client": (str(client), 0), "scheme": scheme}

    def _client(self, hops: str, peer: Address) -> Address:
        client = peer
        for hop in reversed(hops.split(",")) if hops.strip() else ():
            address = _parsed(hop.strip())
            if address is None:
                return peer
            client = address
            if not self._is_trusted(address):
                break
        return client

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self._networks)

    def _is_this_machine(self, peer: Address | None) -> bool:
        """Whether this machine itself connects; `up` asks the web process at the address where it listens."""
        return peer is not None and (peer.is_loopback or peer == self._own)


def _parsed(text: str) -> Address | None:
    """Return an address without port or zone; an IPv4 one that wears IPv6 counts as what it is."""
    inner = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if "%" in inner:
        return None
    try:
        address = ip_address(inner)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address

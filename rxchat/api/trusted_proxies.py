"""The client of a request: the peer of the connection, or the address that a trusted proxy forwards.

Every client can send `X-Forwarded-For`. It counts only if the connection comes from one of RXCHAT_TRUSTED_PROXIES, and
then only the part that trusted proxies wrote: from its right end to the first address that is not a trusted proxy's.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

from starlette.datastructures import Headers
from starlette.types import Scope

from rxchat.settings import Settings

Address = IPv4Address | IPv6Address

# Headers that name the client of a request; they are removed unless a trusted proxy sent them.
_FORWARDING = frozenset({b"forwarded", b"x-real-ip", b"x-client-ip", b"true-client-ip", b"cf-connecting-ip"})
_FORWARDING_PREFIX = b"x-forwarded-"
_SCHEMES = {"http": {"http": "http", "https": "https"}, "websocket": {"http": "ws", "https": "wss"}}


class TrustedProxies:
    """Replaces the client of a request by the one that the operator's proxies forward."""

    def __init__(self, settings: Settings) -> None:
        self._networks = settings.trusted_proxies
        self._is_exposed = settings.is_exposed
        self._own = _parsed(settings.host)

    def resolve(self, scope: Scope) -> Scope | None:
        """Return a scope with the actual client, or None if this peer may not connect."""
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
        """Return the scope with the client and scheme that a trusted proxy forwarded; ignores invalid values."""
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
        """Whether the peer is this machine; `up` calls the web process at the address on which it listens."""
        return peer is not None and (peer.is_loopback or peer == self._own)


def _parsed(text: str) -> Address | None:
    """Return an address without port or zone; an IPv4-mapped IPv6 address as IPv4."""
    inner = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if "%" in inner:
        return None
    try:
        address = ip_address(inner)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address

"""Limits the open connections of a process, and closes slow ones.

Nothing here waits on a timer of its own. Each connection keeps the time since when it waits for something, and `sweep`
looks at all of them once a second.
"""

from __future__ import annotations

import asyncio
import socket
from collections import defaultdict
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from itertools import islice
from typing import Protocol

from rxchat import observability
from rxchat.domain.limits import host_of, network_of

CONNECTIONS = 4_096
"""Of all kinds; the application allows fewer websockets, so that pages and probes are answered."""
REQUESTS_OF_ONE_ADDRESS = 256
"""ConnectionLimits that are no open websockets: an office behind one address has this many."""
REQUESTS_OF_ONE_NETWORK = 1_024

HEAD_SECONDS = 20.0
"""From the connection's start, or the last answer's end, to the end of the next request's headers."""
WRITE_SECONDS = 30.0
"""How long a peer may take to read what fills the buffer (some 50 kB)."""
CLOSE_SECONDS = 30.0
"""How long what was written last may take to be read, after the connection was closed here."""

_ALL = "all"
_OLDEST = 64
"""Among so many an idle one is looked for: refusing a connection has to be cheap."""
_PEER_IS_SILENT_MILLISECONDS = int(WRITE_SECONDS * 1_000)
_USER_TIMEOUT: int | None = getattr(socket, "TCP_USER_TIMEOUT", None)


class Connection(Protocol):
    """What is looked at of a connection."""

    transport: asyncio.Transport

    def overdue(self, now: float) -> str | None:
        """Return what the peer took too long for, or None."""
        ...

    @property
    def is_counted(self) -> bool:
        """Whether it takes a place of its address: an open websocket takes one of the application's instead."""
        ...

    @property
    def is_idle(self) -> bool:
        """Whether it may end for a new one: nothing is being done on it."""
        ...


class ClosingDeadline:
    """Remembers since when a transport is closing: one whose peer does not read would close never."""

    def __init__(self) -> None:
        self._since: float | None = None

    def is_over(self, transport: asyncio.Transport, now: float) -> bool:
        """Whether the transport has been closing for too long."""
        if not transport.is_closing():
            return False
        self._since = self._since or now
        return now - self._since > CLOSE_SECONDS


class ConnectionLimits:
    """Counts the connections of a process, in all and by address and network, and ends those that are overdue."""

    def __init__(self, exempt: Sequence[IPv4Network | IPv6Network] = ()) -> None:
        """`exempt` are proxies, which bring the connections of many users."""
        self._exempt = tuple(exempt)
        self._open: dict[Connection, tuple[str, ...]] = {}
        self._counted: defaultdict[str, dict[Connection, None]] = defaultdict(dict)

    def __len__(self) -> int:
        return len(self._open)

    def admit(self, connection: Connection, address: str) -> bool:
        """Take a new connection in; False when there is no place for it.

        A connection on which nothing is being asked gives its place to a new one, the oldest first.
        """
        keys = self._keys(address)
        most = {_ALL: CONNECTIONS} | dict(zip(keys, (REQUESTS_OF_ONE_ADDRESS, REQUESTS_OF_ONE_NETWORK), strict=False))
        for key, places in most.items():
            taken = len(self._open) if key is _ALL else len(self._counted[key])
            if taken >= places and not self._evict_idle(key):
                observability.CONNECTIONS_ENDED.labels(key.partition(" ")[0]).inc()
                return False
        self._open[connection] = (_ALL, *keys)
        self._count(connection)
        _watch_acknowledgements(connection.transport)
        return True

    def replace(self, before: Connection, after: Connection) -> None:
        """Have another one take a connection's place: it is becoming a websocket."""
        if (keys := self._open.get(before)) is None:
            return
        self.release(before)
        self._open[after] = keys
        self._count(after)

    def recount(self, connection: Connection) -> None:
        """Give the place of an address free when a connection has become a websocket, and take it back when that ends."""
        if connection not in self._open:
            return
        if not connection.is_counted:
            self._uncount(connection)
        elif connection not in self._counted[_ALL]:
            self._count(connection)

    def release(self, connection: Connection) -> None:
        """Forget a connection that has ended."""
        if connection in self._open:
            self._uncount(connection)
            del self._open[connection]

    def _count(self, connection: Connection) -> None:
        for key in self._open[connection]:
            self._counted[key][connection] = None

    def _uncount(self, connection: Connection) -> None:
        for key in self._open[connection]:
            self._counted[key].pop(connection, None)
            if not self._counted[key]:
                del self._counted[key]

    def sweep(self, now: float) -> None:
        """End all connections whose peers took too long for something."""
        for connection in list(self._open):
            self.recount(connection)
        for connection, reason in list(self._overdue(now)):
            observability.CONNECTIONS_ENDED.labels(reason).inc()
            connection.transport.abort()

    def _overdue(self, now: float) -> Iterator[tuple[Connection, str]]:
        for connection in self._open:
            if reason := connection.overdue(now):
                yield connection, reason

    def _evict_idle(self, key: str) -> bool:
        oldest = islice(self._counted[key], _OLDEST)
        idle = next((connection for connection in oldest if connection.is_idle), None)
        if idle is None:
            return False
        observability.CONNECTIONS_ENDED.labels("idle").inc()
        self.release(idle)
        idle.transport.abort()
        return True

    def _keys(self, address: str) -> tuple[str, ...]:
        try:
            parsed = ip_address(address.partition("%")[0])
        except ValueError:
            return ("address unknown",)
        parsed = getattr(parsed, "ipv4_mapped", None) or parsed
        if any(parsed in network for network in self._exempt):
            return ()
        return f"address {host_of(address)}", f"network {network_of(address)}"


def _watch_acknowledgements(transport: asyncio.Transport) -> None:
    """Have the kernel end a connection whose peer takes nothing at all of what was sent, even after we closed it."""
    found = transport.get_extra_info("socket")
    if found is not None and _USER_TIMEOUT is not None:
        found.setsockopt(socket.IPPROTO_TCP, _USER_TIMEOUT, _PEER_IS_SILENT_MILLISECONDS)

"""Limits the open connections of a process, and closes slow ones.

Connections have no timers. Each one stores when its current wait began, and `sweep` checks all of them once a second.
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
from rxchat.domain.rate_limits import host_of, network_of

CONNECTIONS = 4_096
"""Of all kinds; the application allows fewer websockets, so that pages and probes still get answers."""
REQUESTS_OF_ONE_ADDRESS = 256
"""Connections without an open websocket: an office behind one address has this many."""
REQUESTS_OF_ONE_NETWORK = 1_024

HEAD_SECONDS = 20.0
"""From the connection's start, or the end of the last response, to the end of the next request's headers."""
WRITE_SECONDS = 30.0
"""The time in which a peer must read a full buffer (some 50 kB)."""
CLOSE_SECONDS = 30.0
"""The time in which a peer must read the rest after the server closed the connection."""

_ALL = "all"
_OLDEST = 64
"""The number of connections in which to search for an idle one: refusing a connection must be cheap."""
_PEER_IS_SILENT_MILLISECONDS = int(WRITE_SECONDS * 1_000)
_USER_TIMEOUT: int | None = getattr(socket, "TCP_USER_TIMEOUT", None)


class Connection(Protocol):
    """The part of a connection that the limits need."""

    transport: asyncio.Transport

    def overdue(self, now: float) -> str | None:
        """Return the name of the timeout that the peer exceeded, or None."""
        ...

    @property
    def is_counted(self) -> bool:
        """Whether it counts for its address: the application counts open websockets instead."""
        ...

    @property
    def is_idle(self) -> bool:
        """Whether it may be closed in favor of a new one, since it serves no request."""
        ...


class ClosingDeadline:
    """Stores when a transport began to close: one whose peer does not read would never finish."""

    def __init__(self) -> None:
        self._since: float | None = None

    def is_over(self, transport: asyncio.Transport, now: float) -> bool:
        """Whether the transport has been closing for too long."""
        if not transport.is_closing():
            return False
        self._since = self._since or now
        return now - self._since > CLOSE_SECONDS


class ConnectionLimits:
    """Counts the connections of a process, in all and by address and network, and aborts overdue ones."""

    def __init__(self, exempt: Sequence[IPv4Network | IPv6Network] = ()) -> None:
        """`exempt` are the networks of proxies, which forward the connections of many users."""
        self._exempt = tuple(exempt)
        self._open: dict[Connection, tuple[str, ...]] = {}
        self._counted: defaultdict[str, dict[Connection, None]] = defaultdict(dict)

    def __len__(self) -> int:
        return len(self._open)

    def admit(self, connection: Connection, address: str) -> bool:
        """Add a new connection; False if a limit is reached.

        At a limit, an idle connection is aborted in favor of the new one, the oldest first.
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
        """Replace a connection by the websocket that it becomes."""
        if (keys := self._open.get(before)) is None:
            return
        self.release(before)
        self._open[after] = keys
        self._count(after)

    def recount(self, connection: Connection) -> None:
        """Stop counting a connection for its address when it becomes a websocket, and count it again afterwards."""
        if connection not in self._open:
            return
        if not connection.is_counted:
            self._uncount(connection)
        elif connection not in self._counted[_ALL]:
            self._count(connection)

    def release(self, connection: Connection) -> None:
        """Remove a connection that has ended."""
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
        """Abort all connections whose peers exceeded a timeout."""
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
    """Have the kernel end a connection whose peer acknowledges no data, even after the server closed it."""
    found = transport.get_extra_info("socket")
    if found is not None and _USER_TIMEOUT is not None:
        found.setsockopt(socket.IPPROTO_TCP, _USER_TIMEOUT, _PEER_IS_SILENT_MILLISECONDS)

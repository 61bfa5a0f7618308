"""Limits on websockets in front of Reflex: their number, their rate of packets, and the packets' form.

The protocols: https://socket.io/docs/v4/engine-io-protocol/ and https://socket.io/docs/v4/socket-io-protocol/. A packet
that is invalid costs Reflex a traceback in the log; here it is counted, and several of them close the socket.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from uuid import UUID

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rxchat import observability
from rxchat.asgi_extensions import LIMIT_MESSAGES, LONGEST_PACKET
from rxchat.domain.errors import TooManyAttempts
from rxchat.domain.rate_limits import TokenBucket, host_of, network_of
from rxchat.domain.text import encodable

log = structlog.get_logger(__name__)

SOCKETS = 3_800
"""Of one process; the server accepts some more connections, so that pages and probes are answered."""
SIGNED_OUT_SOCKETS = 1_000
SOCKETS_OF_ONE_USER = 64
SOCKETS_OF_ONE_ADDRESS = 100
"""Sockets without a sign-in: an office behind one address has this many users on the sign-in page."""
SOCKETS_OF_ONE_NETWORK = 250
"""Sockets without a sign-in of a /24, or a /48 of IPv6: attackers with many addresses own adjacent ones."""
MALFORMED_PACKETS = 5
DEEPEST_PACKET = 64
"""Nested lists and objects; pages send fewer than ten. Libraries fail at some hundred."""
MOST_VALUES = 5_000
"""Values in lists and objects; pages send fewer than a hundred. Half a million of them take a second to handle."""
PACKETS_AT_ONCE = 200
PACKETS_A_SECOND = 20
"""Of one socket; faster packets wait in its connection, so that a client that does not read causes few answers."""
SIGNED_OUT_PACKET_BYTES = 64_000
"""A page sends only short packets before its user has signed in."""
HELD_BYTES_OF_ONE_USER = 8_000_000
"""Of messages that all sockets of a user are receiving, or have received and not yet handled."""

_NORMAL, _POLICY_VIOLATED = 1000, 1008
_CLOSE = "1"
_NAMESPACE = "/_event"
# Engine.IO: close, ping, pong, upgrade, noop.
_CONTROL = re.compile(r"[1356]|[23](?:probe)?")
# Socket.IO: connect, disconnect, event. Acknowledgements are never asked for here, and binary ones are not used.
_MESSAGE = re.compile(rf"4([0-2])(?:{_NAMESPACE}(?:,|$))(\d{{0,9}})(.*)", re.DOTALL)
_CONNECT, _DISCONNECT, _EVENT = "0", "1", "2"
_JOINS, _LEAVES, _EVENTS = "40", "41", "42"


class SocketLimits:
    """Counts the open sockets of a process: in all, of each user, of each address and network without a sign-in."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()
        self._held: Counter[UUID] = Counter()

    @contextmanager
    def place(self, user_id: UUID | None, address: str) -> Iterator[None]:
        """Count one open socket while the context is open.

        Raises:
            TooManyAttempts: if a limit is reached.
        """
        most = {"all": SOCKETS} | (
            {f"user {user_id}": SOCKETS_OF_ONE_USER}
            if user_id
            else {
                "all signed-out": SIGNED_OUT_SOCKETS,
                f"address {host_of(address)}": SOCKETS_OF_ONE_ADDRESS,
                f"network {network_of(address)}": SOCKETS_OF_ONE_NETWORK,
            }
        )
        full = next((key for key, places in most.items() if self._open[key] >= places), None)
        if full is not None:
            observability.SOCKETS_REFUSED.labels(full.partition(" ")[0]).inc()
            raise TooManyAttempts("Too many tabs are open. Close some of them.", retry_after_seconds=5)
        self._open.update(most.keys())
        try:
            yield
        finally:
            self._open.subtract(most.keys())
            for key in [key for key in most if not self._open[key]]:
                del self._open[key]

    def limit_messages(self, scope: Scope, user_id: UUID | None) -> None:
        """Set the server's limits on the messages of a socket, and on those of its user in all."""
        limit = scope.get("extensions", {}).get(LIMIT_MESSAGES)
        if limit is None:
            return
        if user_id is None:
            limit(SIGNED_OUT_PACKET_BYTES, lambda _size: True)
        else:
            limit(2 * LONGEST_PACKET, partial(self._hold, user_id))

    def _hold(self, user_id: UUID, size: int) -> bool:
        """Add to the bytes of a user's pending messages (a negative size subtracts); False if it exceeds the limit."""
        if size > 0 and self._held[user_id] + size > HELD_BYTES_OF_ONE_USER:
            return False
        self._held[user_id] += size
        if not self._held[user_id]:
            del self._held[user_id]
        return True


async def serve_checked(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve a websocket; the app receives only well-formed packets."""
    malformed = 0
    is_closed = is_joined = False
    bucket = TokenBucket(PACKETS_AT_ONCE, PACKETS_A_SECOND)

    async def receive_packet() -> Message:
        nonlocal malformed, is_closed, is_joined
        while True:
            # The next packet waits in the server, which counts it, not here.
            bucket.take()
            if pause := bucket.seconds_until_more():
                await asyncio.sleep(pause)
            message = await receive()
            text = message.get("text")
            if message["type"] != "websocket.receive":
                return message
            # Socket.IO logs an error about an event before the namespace is connected.
            if text is not None and is_packet(text) and (is_joined or not text.startswith(_EVENTS)):
                is_joined = text.startswith(_JOINS) or (is_joined and not text.startswith(_LEAVES))
                return message
            # Frees the memory while this waits for the next packet.
            del message, text
            malformed += 1
            observability.PACKETS_REFUSED.inc()
            if malformed >= MALFORMED_PACKETS:
                log.warning("closed a socket that sent invalid packets", address=(scope.get("client") or ("",))[0])
                is_closed = True
                await send({"type": "websocket.close", "code": _POLICY_VIOLATED, "reason": "Invalid packets."})
                return {"type": "websocket.disconnect", "code": _POLICY_VIOLATED, "reason": ""}

    async def send_while_open(message: Message) -> None:
        nonlocal is_closed
        if is_closed:
            return
        await send(_sendable(message))
        if message.get("text") == _CLOSE:
            # Engine.IO leaves it to the client to close the connection, and one that does not would still be counted.
            is_closed = True
            await send({"type": "websocket.close", "code": _NORMAL})

    await app(scope, receive_packet, send_while_open)


def _sendable(message: Message) -> Message:
    """Return a message without lone surrogates, over which the server would close the socket."""
    text = message.get("text") or ""
    if (sendable := encodable(text)) == text:
        return message
    log.warning("lone surrogates in a packet were replaced")
    return {**message, "text": sendable}


def _is_known(data: object) -> bool:
    """Whether a Socket.IO event is one that Reflex's page sends: others could call any method of its namespace."""
    match data:
        case ["event" | "client_error", dict()] | ["ping"]:
            return True
        case _:
            return False


def is_packet(text: str) -> bool:
    """Whether a text frame is an Engine.IO packet, or a Socket.IO packet for Reflex's namespace."""
    if not text.startswith("4"):
        return _CONTROL.fullmatch(text) is not None
    found = _MESSAGE.fullmatch(text) if len(text) <= LONGEST_PACKET else None
    if found is None:
        return False
    kind, number, body = found.groups()
    if not body:
        return kind in {_CONNECT, _DISCONNECT} and not number
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return False
    if not _is_small(data):
        return False
    if kind == _CONNECT:
        return isinstance(data, dict) and not number and isinstance(data.get("state_schema", ""), (str, type(None)))
    return kind == _EVENT and _is_known(data)


def _is_small(data: object) -> bool:
    """Whether a JSON value has at most `MOST_VALUES` values, at most `DEEPEST_PACKET` levels deep."""
    level, count = [data], 0
    for _ in range(DEEPEST_PACKET + 1):
        below: list[object] = []
        for item in level:
            if isinstance(item, (dict, list)):
                count += len(item)
                if count > MOST_VALUES:
                    return False
                below.extend(item.values() if isinstance(item, dict) else item)
        if not below:
            return True
        level = below
    return False

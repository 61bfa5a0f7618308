"""Validates what a tab sends, and limits the packets that wait for it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable
from typing import Any

import structlog
from socketio import AsyncServer

from rxchat.asgi_extensions import ABORT, LONGEST_PACKET
from rxchat.states.platform.event_shapes import encodable_event, is_event
from rxchat.states.platform.tab_registry import Namespace, close_socket, tabs

log = structlog.get_logger(__name__)


_MOST_REFUSED = 5
"""After this many invalid messages the socket is closed."""
_MOST_SOCKETS = 10_000
_MOST_WAITING = 512
_MOST_WAITING_CHARACTERS = 4_000_000
"""How many packets may wait for a socket; then it is closed, and its page reconnects."""


def install(namespace: Namespace) -> None:
    """Track the open sockets, and refuse invalid events before Reflex logs them.

    Reflex answers an unknown event with a traceback that contains the whole event, including the cookie of its
    handshake.
    """
    tabs.attach(namespace)
    process, disconnect = namespace.on_event, namespace.on_disconnect
    refused: Counter[str] = Counter()

    async def on_event(sid: str, data: Any) -> None:
        if is_event(data) and (event := _sendable(data)) is not None:
            # Reflex would log the whole event of a closed socket, and do nothing.
            if sid not in namespace.sid_to_token or await _is_taken_apart(process(sid, event)):
                return
        else:
            log.warning("refused an invalid event", kind=type(data).__name__)
        if len(refused) > _MOST_SOCKETS:
            # Messages are handled concurrently, some after their socket was closed: their entry would never be removed.
            refused.clear()
        refused[sid] += 1
        if refused[sid] == _MOST_REFUSED:
            await close_socket(namespace, sid)

    def on_disconnect(sid: str) -> asyncio.Task[None] | None:
        refused.pop(sid, None)
        closed, leaving = namespace.sid_to_token.get(sid), disconnect(sid)
        if leaving is not None and closed is not None:
            leaving.add_done_callback(lambda _: tabs.disconnected(closed))
        return leaving

    namespace.on_event = on_event
    namespace.on_disconnect = on_disconnect
    if (server := getattr(namespace, "server", None)) is not None:
        # Engine.IO closes the socket over a longer one; here it is refused before, and counted (api/websockets.py).
        server.eio.max_http_buffer_size = LONGEST_PACKET
        _limit_backlog(server)


def _sendable(data: Any) -> Any:
    """Return an event without lone surrogates, or None if it is nested too deeply."""
    try:
        return encodable_event(data)
    except RecursionError:
        return None


async def _is_taken_apart(processing: Awaitable[None]) -> bool:
    """Whether Reflex could parse an event; its traceback would contain the whole event."""
    try:
        await processing
    except (TypeError, ValueError, AttributeError, LookupError) as error:
        log.warning("an event could not be parsed", error=type(error).__name__)
        return False
    return True


def _limit_backlog(server: AsyncServer) -> None:
    """Close a socket for which more waits than its line takes, instead of keeping all of it."""
    send_packet = server.eio.send_packet

    async def send_within_limit(sid: str, packet: Any) -> None:
        connection = server.eio.sockets.get(sid)
        if connection is None or not _is_overfull(connection.queue):
            await send_packet(sid, packet)
            return
        log.warning("closed a socket that does not read", waiting=connection.queue.qsize())
        while not connection.queue.empty():
            connection.queue.get_nowait()
            connection.queue.task_done()
        scope = server.environ.get(sid, {}).get("asgi.scope", {})
        scope.get("extensions", {}).get(ABORT, lambda: None)()
        await connection.close(wait=False, abort=True)

    server.eio.send_packet = send_within_limit


def _is_overfull(queue: asyncio.Queue[Any]) -> bool:
    waiting = queue.qsize()
    if waiting < 2:
        return False
    if waiting >= _MOST_WAITING:
        return True
    # The queue hides what it holds; a test watches over the way there.
    held = queue._queue  # pyright: ignore[reportAttributeAccessIssue]
    return sum(len(packet.data or "") for packet in held if packet is not None) >= _MOST_WAITING_CHARACTERS

"""The websocket itself: which tabs are there, and what a tab may send."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

import reflex as rx
import structlog
from reflex.event import Event
from reflex.state import StateUpdate
from socketio import AsyncServer

from rxchat.asgi_extensions import ABORT, LONGEST_PACKET
from rxchat.states.platform.event_shapes import encodable_event, is_event

log = structlog.get_logger(__name__)


class Namespace(Protocol):
    """What is used here of Reflex's event namespace."""

    on_event: Callable[[str, Any], Any]
    on_disconnect: Callable[[str], asyncio.Task[None] | None]

    async def emit_update(self, update: StateUpdate, token: str) -> None:
        """Send a tab what it is to show or to do."""
        ...

    async def disconnect(self, sid: str) -> None:
        """Close a socket."""
        ...

    @property
    def sid_to_token(self) -> Mapping[str, str]:
        """The client token of each socket's tab."""
        ...


_MOST_REFUSED = 5
"""After so many messages that are no events a socket is closed."""
_MOST_SOCKETS = 10_000
_MOST_WAITING = 512
_MOST_WAITING_CHARACTERS = 4_000_000
"""Of packets that wait until a socket's line takes them; one for which more wait is closed, and its page connects again."""
_namespaces: list[Namespace] = []
_waiting: dict[str, list[Callable[[], None]]] = {}
"""Whom to tell when a tab's socket is closed, by client token."""


def install(namespace: Namespace) -> None:
    """Look after the app's sockets: know which are open, and refuse what is no event before Reflex logs all of it.

    Reflex answers an unknown event with a traceback that holds the whole event, the cookie of its handshake included.
    """
    _namespaces[:] = [namespace]
    process, disconnect = namespace.on_event, namespace.on_disconnect
    refused: Counter[str] = Counter()

    async def on_event(sid: str, data: Any) -> None:
        if is_event(data) and (event := _sendable(data)) is not None:
            # Of an event whose socket is closed already Reflex would log all, and do nothing.
            if sid not in namespace.sid_to_token or await _is_taken_apart(process(sid, event)):
                return
        else:
            log.warning("refused a message that is no event", kind=type(data).__name__)
        if len(refused) > _MOST_SOCKETS:
            # Messages are handled side by side, and some after their socket is closed: nothing would forget those.
            refused.clear()
        refused[sid] += 1
        if refused[sid] == _MOST_REFUSED:
            await _close(namespace, sid)

    def on_disconnect(sid: str) -> asyncio.Task[None] | None:
        refused.pop(sid, None)
        closed, leaving = namespace.sid_to_token.get(sid), disconnect(sid)
        if leaving is not None and closed is not None:
            leaving.add_done_callback(lambda _: _tell_closed(closed))
        return leaving

    namespace.on_event = on_event
    namespace.on_disconnect = on_disconnect
    if (server := getattr(namespace, "server", None)) is not None:
        # Engine.IO closes the socket over a longer one; here it is refused before, and counted (api/websockets.py).
        server.eio.max_http_buffer_size = LONGEST_PACKET
        _limit_backlog(server)


def _sendable(data: Any) -> Any:
    """Return an event without what could not be sent back, or None when it is nested too deeply."""
    try:
        return encodable_event(data)
    except RecursionError:
        return None


async def _is_taken_apart(processing: Awaitable[None]) -> bool:
    """Whether Reflex could take an event apart after all; a traceback of it would hold all of the event."""
    try:
        await processing
    except (TypeError, ValueError, AttributeError, LookupError) as error:
        log.warning("an event could not be taken apart", error=type(error).__name__)
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


def is_open(client_token: str) -> bool:
    """Whether the tab with this client token has a socket (without an app, as in tests: yes).

    Reflex never cancels a handler when its socket is gone: one that goes on asks here.
    """
    return not _namespaces or _sid(_namespaces[0], client_token) is not None


def _sid(namespace: Namespace, client_token: str) -> str | None:
    """Return a tab's socket.

    Reflex's own `token_to_sid` copies all tabs each time that it is asked; a test watches over what is below it.
    """
    record = namespace._token_manager.token_to_socket.get(client_token)  # pyright: ignore[reportAttributeAccessIssue]
    return record.sid if record is not None else None


@contextmanager
def on_disconnect(client_token: str, tell: Callable[[], None]) -> Iterator[None]:
    """Call this when the tab's socket is closed, for as long as the context is open: whoever waits need not wait on."""
    _waiting.setdefault(client_token, []).append(tell)
    try:
        yield
    finally:
        _waiting[client_token].remove(tell)
        if not _waiting[client_token]:
            del _waiting[client_token]


def _tell_closed(client_token: str) -> None:
    for tell in list(_waiting.get(client_token, ())):
        tell()


def backlog(client_token: str) -> int:
    """How many messages wait until a tab's line takes them; 0 when there is no such tab.

    Reflex's namespace hides the socket below it; a test watches over the way there.
    """
    for namespace in _namespaces:
        sid = _sid(namespace, client_token)
        server = getattr(namespace, "server", None)
        if sid is not None and server is not None:
            connection = server.eio.sockets.get(
                server.manager.eio_sid_from_sid(sid, getattr(namespace, "namespace", "/"))
            )
            return connection.queue.qsize() if connection is not None else 0
    return 0


async def force_navigate(client_token: str, path: str) -> None:
    """Lead a tab to another page, and close its socket: nothing more is shown to it."""
    for namespace in _namespaces:
        sid = _sid(namespace, client_token)
        if sid is not None:
            leave = Event.from_event_type(rx.redirect(path))
            await namespace.emit_update(StateUpdate(events=leave), client_token)
            await _close(namespace, sid)


async def _close(namespace: Namespace, sid: str) -> None:
    """Close a socket: its place in the namespace, and the connection below it, which the browser would leave open."""
    server = getattr(namespace, "server", None)
    connection = server.manager.eio_sid_from_sid(sid, getattr(namespace, "namespace", "/")) if server else None
    await namespace.disconnect(sid)
    if server is not None and connection is not None:
        await server.eio.disconnect(connection)

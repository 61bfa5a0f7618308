"""The tabs that are connected to this process: their sockets, their sessions, and which work waits for their end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

import reflex as rx
from reflex.event import Event
from reflex.state import StateUpdate


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


class TabRegistry:
    """Every open tab of this process, by its client token."""

    def __init__(self) -> None:
        self._namespace: Namespace | None = None
        self._callbacks: dict[str, list[Callable[[], None]]] = {}
        self._sessions: dict[str, tuple[str, str]] = {}
        self.streaming = 0
        """To how many tabs an answer is streamed now."""

    def attach(self, namespace: Namespace | None) -> None:
        """Use the sockets of this namespace; None detaches."""
        self._namespace = namespace

    def is_open(self, client_token: str) -> bool:
        """Whether a tab has a socket. Without a namespace, as in tests of states, every tab has.

        Reflex never cancels a handler when its socket closes: a handler that runs for long asks here.
        """
        return self._namespace is None or _sid(self._namespace, client_token) is not None

    @contextmanager
    def on_disconnect(self, client_token: str, callback: Callable[[], None]) -> Iterator[None]:
        """Call `callback` when the tab's socket closes while the context is open."""
        self._callbacks.setdefault(client_token, []).append(callback)
        try:
            yield
        finally:
            self._callbacks[client_token].remove(callback)
            if not self._callbacks[client_token]:
                del self._callbacks[client_token]

    def disconnected(self, client_token: str) -> None:
        """Call what waits for the end of this tab's socket."""
        for callback in list(self._callbacks.get(client_token, ())):
            callback()

    def backlog(self, client_token: str) -> int:
        """Return how many messages wait until the tab's connection takes them; 0 for an unknown tab.

        Reflex's namespace hides the socket below it; a test checks that it is still found this way.
        """
        namespace = self._namespace
        sid = _sid(namespace, client_token) if namespace is not None else None
        server = getattr(namespace, "server", None)
        if sid is None or server is None:
            return 0
        connection = server.eio.sockets.get(server.manager.eio_sid_from_sid(sid, getattr(namespace, "namespace", "/")))
        return connection.queue.qsize() if connection is not None else 0

    async def force_navigate(self, client_token: str, path: str) -> None:
        """Lead a tab to another page, and close its socket, so that nothing more is shown to it."""
        namespace = self._namespace
        sid = _sid(namespace, client_token) if namespace is not None else None
        if namespace is not None and sid is not None:
            leave = Event.from_event_type(rx.redirect(path))
            await namespace.emit_update(StateUpdate(events=leave), client_token)
            await close_socket(namespace, sid)

    def set_session(self, client_token: str, cookie: str, page: str) -> None:
        """Remember with which session cookie a tab is open, and on which page."""
        self._sessions[client_token] = (cookie, page)

    def clear_session(self, client_token: str) -> None:
        """Forget a tab's session: its page needs none, or the tab is closed."""
        self._sessions.pop(client_token, None)

    def sessions(self) -> Mapping[str, tuple[str, str]]:
        """Return the session cookie and the page of each tab, by client token."""
        return dict(self._sessions)


def _sid(namespace: Namespace, client_token: str) -> str | None:
    """Return a tab's socket.

    Reflex's own `token_to_sid` copies all tabs each time that it is asked; a test checks what is below it.
    """
    record = namespace._token_manager.token_to_socket.get(client_token)  # pyright: ignore[reportAttributeAccessIssue]
    return record.sid if record is not None else None


async def close_socket(namespace: Namespace, sid: str) -> None:
    """Close a socket: its place in the namespace, and the connection below it, which the browser would leave open."""
    server = getattr(namespace, "server", None)
    connection = server.manager.eio_sid_from_sid(sid, getattr(namespace, "namespace", "/")) if server else None
    await namespace.disconnect(sid)
    if server is not None and connection is not None:
        await server.eio.disconnect(connection)


tabs = TabRegistry()
"""The registry of this process: Reflex creates its states itself, so they cannot be given one."""

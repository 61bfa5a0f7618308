"""The websocket itself: which tabs are there, and what a tab may send."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import reflex as rx
import structlog
from reflex.event import Event
from reflex.state import StateUpdate
from reflex_base.registry import RegistrationContext

log = structlog.get_logger(__name__)


class Namespace(Protocol):
    """What is used here of Reflex's event namespace."""

    on_event: Callable[[str, Any], Any]

    async def emit_update(self, update: StateUpdate, token: str) -> None:
        """Send a tab what it is to show or to do."""
        ...

    async def disconnect(self, sid: str) -> None:
        """Close a socket."""
        ...

    @property
    def token_to_sid(self) -> Mapping[str, str]:
        """The socket of each tab, by client token."""
        ...


_namespaces: list[Namespace] = []


def install(namespace: Namespace) -> None:
    """Look after the app's sockets: know which are open, and refuse what is no event before Reflex logs all of it.

    Reflex answers an unknown event with a traceback that holds the whole event, the cookie of its handshake included.
    """
    _namespaces[:] = [namespace]
    process = namespace.on_event

    async def on_event(sid: str, data: Any) -> None:
        if is_event(data):
            await process(sid, data)
        else:
            log.warning("refused a message that is no event", kind=type(data).__name__)

    namespace.on_event = on_event


def is_event(data: Any) -> bool:
    """Whether a message names a handler that there is, and has the shape of an event."""
    if not isinstance(data, dict) or not isinstance(data.get("name"), str):
        return False
    shaped = all(isinstance(data.get(part) or {}, dict) for part in ("payload", "router_data"))
    query = (data.get("router_data") or {}).get("query") if shaped else None
    return shaped and isinstance(query or {}, dict) and data["name"] in RegistrationContext.get().event_handlers


def is_open(client_token: str) -> bool:
    """Whether the tab with this client token has a socket (without an app, as in tests: yes).

    Reflex never cancels a handler when its socket is gone: one that goes on asks here.
    """
    return not _namespaces or client_token in _namespaces[0].token_to_sid


def backlog(client_token: str) -> int:
    """How many messages wait until a tab's line takes them; 0 when there is no such tab.

    Reflex's namespace hides the socket below it; a test watches over the way there.
    """
    for namespace in _namespaces:
        sid = namespace.token_to_sid.get(client_token)
        server = getattr(namespace, "server", None)
        if sid is not None and server is not None:
            connection = server.eio.sockets.get(
                server.manager.eio_sid_from_sid(sid, getattr(namespace, "namespace", "/"))
            )
            return connection.queue.qsize() if connection is not None else 0
    return 0


async def send_away(client_token: str, path: str) -> None:
    """Lead a tab to another page, and close its socket: nothing more is shown to it."""
    for namespace in _namespaces:
        sid = namespace.token_to_sid.get(client_token)
        if sid is not None:
            leave = Event.from_event_type(rx.redirect(path))
            await namespace.emit_update(StateUpdate(events=leave), client_token)
            await namespace.disconnect(sid)

"""Whether a tab is still there: Reflex never cancels a handler when its socket is gone."""

from __future__ import annotations

from collections.abc import Callable, Mapping

_sockets: list[Callable[[], Mapping[str, str]]] = []


def install(token_to_socket: Callable[[], Mapping[str, str]]) -> None:
    """Tell where the app keeps its sockets by client token."""
    _sockets[:] = [token_to_socket]


def is_open(client_token: str) -> bool:
    """Whether the tab with this client token has a socket (without an app, as in tests: yes)."""
    return not _sockets or client_token in _sockets[0]()

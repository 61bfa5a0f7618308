"""The client of a socket, for the audit log and rate limits."""

from __future__ import annotations

from reflex.state import BaseState

from rxchat.domain.accounts import ClientInfo


def client_info_of(state: BaseState) -> ClientInfo:
    """Return the client that opened a tab's socket.

    `rxchat/api/gateway.py` has replaced a trusted proxy's address by the client's before Reflex sees the handshake,
    so `X-Forwarded-For` is ignored here.
    """
    return ClientInfo(state.router.session.client_ip, state.router.headers.user_agent)

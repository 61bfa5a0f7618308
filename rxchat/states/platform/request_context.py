"""From where the person behind a socket calls, for the record and for limits."""

from __future__ import annotations

from reflex.state import BaseState

from rxchat.domain.accounts import ClientInfo


def client_info_of(state: BaseState) -> ClientInfo:
    """Return from where a tab's socket was opened.

    The front of the house (rxchat/api/gateway.py) has put the address that a trusted proxy speaks for in the place of
    the proxy's own before Reflex sees the handshake; `X-Forwarded-For` counts for nothing here.
    """
    return ClientInfo(state.router.session.client_ip, state.router.headers.user_agent)

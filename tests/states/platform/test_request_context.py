"""From where a socket was opened, behind a trusted proxy and without one."""

from __future__ import annotations

from reflex.app import EventNamespace
from reflex.istate.data import RouterData

from rxchat.api.trusted_proxies import TrustedProxies
from rxchat.settings import Settings

FORWARDED, SPOOFED = (b"x-forwarded-for", b"192.0.2.1, 203.0.113.7"), (b"x-real-ip", b"192.0.2.99")


def test_behind_a_trusted_proxy_a_socket_comes_from_whom_the_proxy_speaks_for() -> None:
    behind = {"type": "websocket", "scheme": "ws", "client": ("10.0.0.1", 4711), "headers": [FORWARDED, SPOOFED]}
    proxies = TrustedProxies(Settings.model_validate({"RXCHAT_TRUSTED_PROXIES": "10.0.0.1"}))
    for scope, address in ((behind, "203.0.113.7"), (behind | {"client": ("198.51.100.1", 4711)}, "198.51.100.1")):
        environ = {"asgi.scope": proxies.resolve(scope)}
        data = EventNamespace._build_static_router_data(None, "sid", environ)  # pyright: ignore[reportArgumentType]
        assert RouterData.from_router_data(data).session.client_ip == address

"""A client for servers of this machine."""

from __future__ import annotations

import ssl
from typing import Any

import httpx


def client(**options: Any) -> httpx.AsyncClient:
    """Return an HTTP client that trusts no certificate at all: what speaks plain HTTP on loopback has none.

    httpx reads all authorities for each client, which takes 50 ms; a supervisor that looks every few milliseconds whether
    its child answers would keep a processor busy with that.
    """
    return httpx.AsyncClient(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), trust_env=False, **options)

"""HTTP clients for servers of this machine."""

from __future__ import annotations

import ssl
from typing import Any

import httpx


def client(**options: Any) -> httpx.AsyncClient:
    """Return an HTTP client without certificate authorities, for servers with plain HTTP on loopback.

    httpx loads all authorities for each client, which takes 50 ms and would keep a processor busy during the
    supervisor's frequent health checks.
    """
    return httpx.AsyncClient(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), trust_env=False, **options)

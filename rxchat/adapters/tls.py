"""The trusted certificate authorities of all clients of this process."""

from __future__ import annotations

import ssl
from functools import cache

import httpx


@cache
def trusted() -> ssl.SSLContext:
    """Return the context of certifi's authorities, or of those in SSL_CERT_FILE or SSL_CERT_DIR.

    It is read once: reading takes 25 ms, which is longer than a call, and each client would do it again.
    """
    return httpx.create_ssl_context()

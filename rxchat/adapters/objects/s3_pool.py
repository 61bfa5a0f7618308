"""The connections to an S3 server: how many, how long each step may take, and what is tried again."""

from __future__ import annotations

import ssl
from types import TracebackType
from typing import Self

import certifi
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, Retry, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import ProtocolError, ReadTimeoutError
from urllib3.response import BaseHTTPResponse

_CONNECT_SECONDS = 3.0
_SEND_SECONDS = 20.0


def lines(count: int, read_seconds: float) -> PoolManager:
    """Return a pool of so many connections; certificates are checked, redirects not followed."""
    # The system's authorities (OpenSSL itself reads SSL_CERT_FILE), and certifi's where the system has none.
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    pool = PoolManager(
        maxsize=count,
        timeout=Timeout(connect=_CONNECT_SECONDS, read=read_seconds),
        retries=_FewRetries(
            total=2,
            connect=1,
            read=1,
            status=2,
            redirect=0,
            backoff_factor=0.2,
            status_forcelist=[500, 502, 503, 504],
            raise_on_status=False,
            raise_on_redirect=False,
            # A server may ask to be left alone for an hour; whoever uploads does not wait so long.
            respect_retry_after_header=False,
        ),
        ssl_context=context,
    )
    pool.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
    return pool


class _FewRetries(Retry):
    """Tries again at once when a line broke, but not when the server said nothing for the whole time already."""

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> Self:
        """Return what is left to try.

        Raises:
            HTTPError: when it is not to be tried again.
        """
        if error is not None and has_waited(error):
            raise error
        return super().increment(method, url, response, error, _pool, _stacktrace)


def has_waited(error: Exception) -> bool:
    """Whether a server that is connected took, or said, nothing while it may."""
    if isinstance(error, ProtocolError):
        return any(isinstance(reason, TimeoutError) for reason in error.args)
    return isinstance(error, ReadTimeoutError)


class _Line(HTTPConnection):
    # Until its first request has been sent, urllib3 leaves the time for connecting on a new connection: three seconds
    # would be too short for four MiB on a slow line.
    def connect(self) -> None:
        super().connect()
        self.sock.settimeout(_SEND_SECONDS)


class _SecureLine(HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        self.sock.settimeout(_SEND_SECONDS)


# urllib3 describes its connections by a protocol that its own classes do not quite fit.
class _Pool(HTTPConnectionPool):
    ConnectionCls = _Line  # pyright: ignore[reportAssignmentType]


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureLine  # pyright: ignore[reportAssignmentType]

"""The pool of connections to an S3 server: its size, timeouts and retries."""

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
    """Return a pool of `count` connections that verifies certificates and does not follow redirects."""
    # The system's certificate authorities (OpenSSL itself reads SSL_CERT_FILE), or certifi's if the system has none.
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
            # A server may demand a wait of an hour, longer than an upload can wait.
            respect_retry_after_header=False,
        ),
        ssl_context=context,
    )
    pool.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
    return pool


class _FewRetries(Retry):
    """Retries at once if a connection broke, but not after a timeout, which the caller has already waited for."""

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> Self:
        """Return the retries that are left.

        Raises:
            HTTPError: if the request is not to be retried.
        """
        if error is not None and has_waited(error):
            raise error
        return super().increment(method, url, response, error, _pool, _stacktrace)


def has_waited(error: Exception) -> bool:
    """Whether a connected server accepted or sent nothing until the timeout."""
    if isinstance(error, ProtocolError):
        return any(isinstance(reason, TimeoutError) for reason in error.args)
    return isinstance(error, ReadTimeoutError)


class _Line(HTTPConnection):
    # Until its first request has been sent, urllib3 keeps the connect timeout on a new connection: three seconds
    # are too short for four MiB over a slow connection.
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

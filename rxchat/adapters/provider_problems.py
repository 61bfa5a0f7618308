"""Says in plain words why a provider of models does not work, and what an administrator can do."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

import httpx
import httpx2

from rxchat.adapters.guarded_addresses import AddressRefused
from rxchat.domain.errors import InvalidModelResponse, ModelError, ModelHostUnavailable, ModelRefused

_REFUSED = "Its address leads to one of the machine's cloud, to which RxChat does not connect."
_UNKNOWN_NAME = "The name of its host is unknown. Check the address, and the DNS of this machine."
_TLS = "Its certificate is not trusted, or it does not speak TLS ({reason}). Check https:// and the host's certificate."
_NOBODY = "No server listens at this address. Check the port, and whether the server runs."
_SILENT = "It does not respond. Check the address, and whether a firewall is between it and RxChat."
_KEY = "It refused the key. Enter another one, or check what the key may do."
_NO_API = (
    "There is a server, but not this API (status {status}). Check the path, which often ends with /v1, and the kind."
)
_LIMITED = "It is busy, or its quota is used up (status {status})."
_BROKEN = "It has a problem of its own (status {status})."
_NOT_THIS = "What it sent is not this API. Check the kind, and the path of the address."
_REFUSED_KEY = frozenset({401, 403})
_NO_SUCH_PAGE = frozenset({301, 302, 303, 307, 308, 400, 404, 405, 406, 410})
_OVERLOADED = frozenset({402, 429, 529})
_SERVER_ERROR = 500


def plain_words(error: ModelError) -> str:
    """Return what a failed call of a provider means, without its address and without its key."""
    causes = list(_causes(error))
    for cause in causes:
        if words := _of_connection(cause):
            return words
    status = next((found for cause in causes if (found := _status(cause))), 0)
    if status in _REFUSED_KEY:
        return _KEY
    if status in _NO_SUCH_PAGE:
        return _NO_API.format(status=status)
    if status in _OVERLOADED:
        return _LIMITED.format(status=status)
    if status >= _SERVER_ERROR:
        return _BROKEN.format(status=status)
    if isinstance(error, ModelHostUnavailable):
        return _SILENT
    return _NOT_THIS if isinstance(error, (InvalidModelResponse, ModelRefused)) else error.message


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what led to it, at most twenty."""
    waiting, seen = [error], set[int]()
    while waiting and len(seen) < 20:
        found = waiting.pop(0)
        if id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        waiting += [item for item in (found.__cause__, found.__context__) if item is not None]
        os_error = getattr(found, "os_error", None)
        waiting += [os_error] if isinstance(os_error, BaseException) else []


def _of_connection(error: BaseException) -> str:
    if isinstance(error, AddressRefused):
        return _REFUSED
    if isinstance(error, socket.gaierror):
        return _UNKNOWN_NAME
    if isinstance(error, ssl.SSLError):
        return _TLS.format(reason=(getattr(error, "verify_message", "") or error.reason or "no TLS").lower())
    if isinstance(error, ConnectionRefusedError):
        return _NOBODY
    if isinstance(error, (TimeoutError, httpx.TimeoutException, httpx2.TimeoutException)):
        return _SILENT
    return ""


def _status(error: BaseException) -> int:
    response = getattr(error, "response", None)
    found = getattr(error, "status_code", None) or getattr(response, "status_code", None)
    return found if isinstance(found, int) else 0

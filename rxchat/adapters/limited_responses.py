"""Limits what servers may send to clients that keep it in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2

from rxchat.adapters.guarded_addresses import GuardedTransport2
from rxchat.adapters.outgoing_proxies import proxy_for
from rxchat.adapters.tls import trusted

EVENT_MEGABYTES, BODY_MEGABYTES = 4, 16


class TooLong(Exception):
    """An event of a stream, or a body, exceeds the limit of so many megabytes: the server is none of this kind, or broken."""


def limited_client(url: str, streamed: str, *, is_guarded: bool, connect_seconds: float = 5.0) -> httpx2.AsyncClient:
    """Return the HTTP client for a server; paths that end with `streamed` answer with events.

    Each request has a new connection: one from a pool may be dead, and a question is not sent twice. Callers limit the number
    of simultaneous answers. If `is_guarded`, it connects only to addresses of servers, and follows no redirect.
    """
    proxy = proxy_for(url)
    transport: httpx2.AsyncBaseTransport = httpx2.AsyncHTTPTransport(
        verify=trusted(), proxy=proxy, limits=httpx2.Limits(max_connections=None, max_keepalive_connections=0)
    )
    if is_guarded:
        transport = GuardedTransport2(transport, resolves=proxy is None)
    return httpx2.AsyncClient(
        transport=LimitedResponses(transport, streamed),
        timeout=httpx2.Timeout(None, connect=connect_seconds),
        # A proxy that compresses an answer buffers it until it has enough to compress.
        headers={"Accept-Encoding": "identity"},
        trust_env=False,
        follow_redirects=False,
    )


class LimitedResponses(httpx2.AsyncBaseTransport):
    """Ends responses whose events, or which themselves, would not end: the client would keep all of it in memory."""

    def __init__(self, transport: httpx2.AsyncBaseTransport, streamed: str) -> None:
        """Wrap a transport; paths that end with `streamed` answer with events."""
        self._transport, self._streamed = transport, streamed

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request, and limit its response."""
        response = await self._transport.handle_async_request(request)
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise TypeError("a compressed response, which was not asked for")
        is_stream = response.status_code == httpx2.codes.OK and request.url.path.endswith(self._streamed)
        most = EVENT_MEGABYTES if is_stream else BODY_MEGABYTES
        response.stream = _Limited(response.stream, most, has_events=is_stream)  # pyright: ignore[reportArgumentType] - an async stream
        return response

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()


class _Limited(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream, megabytes: int, *, has_events: bool) -> None:
        self._stream = stream
        self._megabytes = megabytes
        self._has_events = has_events

    async def __aiter__(self) -> AsyncIterator[bytes]:
        length, tail = 0, b""
        async for part in self._stream:
            length += len(part)
            seen = tail + part
            if self._has_events and (end := max(seen.rfind(b"\n\n"), seen.rfind(b"\n\r\n"), seen.rfind(b"\r\r"))) >= 0:
                length = len(seen) - end
            tail = seen[-3:]
            if length > self._megabytes * 1_000_000:
                raise TooLong(self._megabytes)
            yield part

    async def aclose(self) -> None:
        await self._stream.aclose()

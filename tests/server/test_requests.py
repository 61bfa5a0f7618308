"""ConnectionLimits for requests: what is held of them, for how long, and how many there may be."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from ipaddress import ip_network

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from rxchat.server import connection_limits, http
from rxchat.server.connection_limits import ConnectionLimits
from tests.server.conftest import Serve

pytestmark = pytest.mark.anyio

SLOW_HEAD = b"GET /" + b"a" * 100
ASK = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with a word."""
    await PlainTextResponse("hello")(scope, receive, send)


class Endless:
    """An answer without end, in pieces, and how much of it was taken."""

    def __init__(self, piece: int) -> None:
        self.taken = 0
        self._piece = b"x" * piece

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            message: Message = {"type": "http.response.body", "body": self._piece, "more_body": True}
            await send(message)
            self.taken += len(self._piece)
            if await ended(receive):
                return


async def ended(receive: Receive) -> bool:
    """Whether the peer is gone."""
    try:
        async with asyncio.timeout(0.001):
            return (await receive())["type"] == "http.disconnect"
    except TimeoutError:
        return False


async def read_all(reader: asyncio.StreamReader) -> bytes:
    """What still comes until the connection ends."""
    try:
        async with asyncio.timeout(60):
            return await reader.read()
    except ConnectionError:
        return b""


async def write_until_closed(writer: asyncio.StreamWriter, piece: bytes, most: int) -> int:
    """Write the same again and again; return how many bytes went out."""
    sent = 0
    try:
        while sent < most and not writer.is_closing():
            writer.write(piece)
            async with asyncio.timeout(2):
                await writer.drain()
            sent += len(piece)
            await asyncio.sleep(0)
    except (ConnectionError, TimeoutError):
        pass
    return sent


async def test_an_answer_that_is_not_read_is_held_in_part_and_its_connection_ends(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "WRITE_SECONDS", 0.5)
    endless = Endless(2_000_000)
    served = await serve(endless)
    _, writer = await served.line()
    writer.write(ASK)
    async with asyncio.timeout(60):
        while not served.connections:
            await asyncio.sleep(0.01)
        while served.connections:
            # The kernels' buffers take some megabytes; of what the application has made, there is one piece more.
            assert endless.taken < 20_000_000
            await asyncio.sleep(0.01)


async def test_a_whole_answer_that_is_not_read_keeps_no_connection(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when the server has closed it already."""
    monkeypatch.setattr(connection_limits, "CLOSE_SECONDS", 0.3)
    monkeypatch.setattr(http, "WRITE_SECONDS", 60)

    async def large(scope: Scope, receive: Receive, send: Send) -> None:
        # One slice: nothing waits for the peer before the connection is closed.
        http_answer = PlainTextResponse("x" * http.SLICE_BYTES, headers={"connection": "close"})
        await http_answer(scope, receive, send)

    served = await serve(large)
    reader, writer = await served.line()
    writer.write(ASK)
    assert b"200 OK" in await read_all(reader)
    async with asyncio.timeout(60):
        while served.connections:
            await asyncio.sleep(0.01)


async def test_an_answer_that_is_read_slowly_arrives_whole(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "WRITE_SECONDS", 0.5)
    whole = bytes(range(256)) * 40_000

    async def large(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse(whole, headers={"connection": "close"})(scope, receive, send)

    served = await serve(large)
    reader, writer = await served.line()
    writer.write(ASK)
    came = bytearray()
    began = time.monotonic()
    while piece := await reader.read(400_000):
        came += piece
        await asyncio.sleep(0.05)
    assert time.monotonic() - began > 1
    assert bytes(came).partition(b"\r\n\r\n")[2] == whole


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"GET /", b"a" * 10_000),
        (b"GET / HTTP/1.1\r\nx: ", b"a" * 10_000),
        (b"GET / HTTP/1.1\r\n", b"x: y\r\n" * 1_000),
        (b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: ", b"a" * 10_000),
        (b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n", b"x: y\r\n" * 1_000),
        (b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1;a=", b"a" * 10_000),
        (b"", ASK * 1_000),
    ],
    ids=["line", "header", "headers", "trailer", "trailers", "chunk extension", "pipeline"],
)
async def test_what_has_no_end_before_a_body_is_not_read_on(serve: Serve, start: bytes, piece: bytes) -> None:
    holding = asyncio.Event()

    async def waiting(scope: Scope, receive: Receive, send: Send) -> None:
        await holding.wait()

    served = await serve(waiting)
    reader, writer = await served.line()
    writer.write(start)
    assert await write_until_closed(writer, piece, 50_000_000) < 10_000_000
    await read_all(reader)
    holding.set()


@pytest.mark.parametrize("requests", [1, 3])
async def test_a_client_that_goes_away_ends_what_it_asked_for_without_a_word_in_the_log(
    serve: Serve, logged: list[logging.LogRecord], requests: int
) -> None:
    running = 0
    started = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal running
        running += 1
        started.set()
        try:
            await Endless(10_000)(scope, receive, send)
        finally:
            running -= 1

    served = await serve(app)
    _, writer = await served.line()
    writer.write(ASK * requests)
    await started.wait()
    writer.transport.abort()
    async with asyncio.timeout(60):
        while running or served.connections:
            await asyncio.sleep(0.01)
    assert not logged


async def test_an_answer_is_not_mixed_with_a_refusal_of_what_comes_after_it(serve: Serve) -> None:
    holding = asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"a part", "more_body": True})
        await holding.wait()

    served = await serve(slow)
    reader, writer = await served.line()
    writer.write(ASK)
    came = await reader.readuntil(b"a part")
    writer.write(b"GET /" + b"a" * 2 * http.HEAD_BYTES)
    assert b"HTTP/1.1 4" not in came + await read_all(reader)
    holding.set()


async def test_trailers_are_no_headers(serve: Serve) -> None:
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        seen.append(scope)
        await hello(scope, receive, send)

    served = await serve(app)
    reader, writer = await served.line()
    head = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    writer.write(head + b"1\r\na\r\n0\r\nx-forwarded-for: 203.0.113.1\r\n\r\n")
    assert b"200 OK" in await reader.readuntil(b"hello")
    assert [name for name, _ in seen[0]["headers"]] == [b"host", b"transfer-encoding"]
    # The connection goes on to be used.
    writer.write(ASK * 3)
    for _ in range(3):
        assert b"200 OK" in await reader.readuntil(b"hello")


async def test_a_head_that_trickles_in_is_not_waited_for(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "HEAD_SECONDS", 0.4)
    served = await serve(hello)
    for is_first in (True, False):
        reader, writer = await served.line()
        if not is_first:
            writer.write(ASK)
            assert b"200 OK" in await reader.readuntil(b"hello")
        began = time.monotonic()
        _, sent = await asyncio.gather(read_all(reader), write_slowly(writer))
        assert time.monotonic() - began > 0.3
        assert sent < len(SLOW_HEAD), "the whole head was waited for"


async def write_slowly(writer: asyncio.StreamWriter) -> int:
    """Write a byte of a head now and then; returns how many went out."""
    sent = 0
    with suppress(ConnectionError):
        while sent < len(SLOW_HEAD) and not writer.is_closing():
            writer.write(SLOW_HEAD[sent : sent + 1])
            await writer.drain()
            sent += 1
            await asyncio.sleep(0.05)
    return sent


async def test_a_silent_connection_gives_its_place_to_a_new_one_and_a_busy_one_does_not(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_limits, "REQUESTS_OF_ONE_ADDRESS", 3)
    holding = asyncio.Event()

    async def waiting(scope: Scope, receive: Receive, send: Send) -> None:
        await holding.wait()
        await hello(scope, receive, send)

    served = await serve(waiting)
    silent, _ = await served.line()
    busy = [await served.line() for _ in range(3)]
    for _, writer in busy:
        writer.write(ASK)
    assert await read_all(silent) == b""
    reader, writer = await served.line()
    refused = await read_all(reader)
    assert refused.startswith(b"HTTP/1.1 503 ") and b"retry-after: 5" in refused
    holding.set()
    for reader, _ in busy:
        assert b"200 OK" in await reader.readuntil(b"hello")


class Line:
    """A connection that is asked nothing of."""

    is_idle = False
    is_counted = True

    class transport:  # noqa: N801 - as its attribute is called
        """Nothing is below it."""

        @staticmethod
        def get_extra_info(_name: str) -> None:
            """There is no socket."""


def admitted(found: ConnectionLimits, address: str, count: int = 2_000) -> int:
    return sum(found.admit(Line(), address.format(number % 250)) for number in range(count))  # pyright: ignore[reportArgumentType]


def test_an_address_and_a_network_have_so_many_connections_and_others_have_theirs() -> None:
    found = ConnectionLimits()
    assert admitted(found, "203.0.113.7") == connection_limits.REQUESTS_OF_ONE_ADDRESS
    assert (
        admitted(found, "203.0.113.{}")
        == connection_limits.REQUESTS_OF_ONE_NETWORK - connection_limits.REQUESTS_OF_ONE_ADDRESS
    )
    assert admitted(found, "2001:db8::{:x}") == connection_limits.REQUESTS_OF_ONE_ADDRESS
    assert admitted(found, "198.51.100.1", 1) == 1


def test_all_together_have_so_many_and_what_ended_counts_no_more() -> None:
    found = ConnectionLimits()
    for number in range(20):
        admitted(found, f"10.0.{number}.{{}}")
    assert len(found) == connection_limits.CONNECTIONS
    for connection in list(found._open):
        found.release(connection)
    assert admitted(found, "10.0.0.1", 1) == 1 and len(found._counted) == 3


def test_a_proxy_brings_the_connections_of_many() -> None:
    found = ConnectionLimits([ip_network("10.0.0.0/8"), ip_network("fd00::/8")])
    assert admitted(found, "10.0.0.1", 1_500) == 1_500
    assert admitted(found, "::ffff:10.0.0.1", 1_500) == 1_500

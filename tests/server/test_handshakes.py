"""How a connection becomes a websocket: what is answered to handshakes that are none, and what their connections count for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import pytest
from starlette.types import Message, Receive, Scope, Send

from rxchat.server import connection_limits, websocket
from tests.server.conftest import Serve
from tests.server.serving import Served
from tests.server.test_requests import Endless, ended, hello, read_all
from tests.server.test_websockets import TEXT, frame

pytestmark = pytest.mark.anyio

LINE = b"GET / HTTP/1.1\r\n"
HANDSHAKE = (
    b"host: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)
UPGRADE = LINE + HANDSHAKE + b"\r\n"


class Gate:
    """An application that looks at a handshake for as long as a test wants, and then accepts or refuses it."""

    def __init__(self) -> None:
        self.asked = 0
        self.open = asyncio.Event()
        self.says: Message = {"type": "websocket.accept"}
        self.close = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await hello(scope, receive, send)
            return
        self.asked += 1
        await receive()
        await self.open.wait()
        await send(self.says)
        if self.says["type"] == "websocket.accept":
            await self.close.wait()
            await send({"type": "websocket.close"})


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds():
            await asyncio.sleep(0.01)


async def asked(served: Served, request: bytes = UPGRADE) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await served.line()
    writer.write(request)
    return reader, writer


@pytest.mark.parametrize(
    "request_bytes",
    [
        LINE + HANDSHAKE + b"content-length: 5\r\n\r\n",
        LINE + HANDSHAKE + b"content-length: 5\r\n\r\nabcde",
        LINE + HANDSHAKE + b"transfer-encoding: chunked\r\n\r\n",
        LINE + HANDSHAKE + b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        LINE + HANDSHAKE + b"x: " + b"a" * 9_000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + HANDSHAKE + b"content-length: 5\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + HANDSHAKE + b"\r\n",
        b"GET /\xff HTTP/1.1\r\n" + HANDSHAKE + b"\r\n",
        b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\n" + HANDSHAKE + b"\r\n",
        LINE + HANDSHAKE.replace(b"AAAA", b"") + b"\r\n",
    ],
    ids=["owed", "body", "chunked", "chunks", "long header", "POST, owed", "POST", "no ASCII", "long line", "bad key"],
)
async def test_a_handshake_that_is_none_is_answered_and_its_connection_ends(serve: Serve, request_bytes: bytes) -> None:
    gate = Gate()
    served = await serve(gate)
    reader, _ = await asked(served, request_bytes)
    assert (await read_all(reader)).startswith(b"HTTP/1.1 4")
    await until(lambda: not served.connections)
    assert not gate.asked


async def test_a_connection_counts_for_its_address_until_its_websocket_is_accepted_and_again_when_that_is_closed(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_limits, "REQUESTS_OF_ONE_ADDRESS", 2)
    gate = Gate()
    served = await serve(gate)
    first = [await asked(served) for _ in range(2)]
    await until(lambda: gate.asked == 2)
    reader, _ = await served.line()
    assert b" 503 " in await read_all(reader)
    gate.open.set()
    for reader, _ in first:
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
    for _ in range(2):
        reader, _ = await asked(served)
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
    gate.close.set()
    # None of the four ends its connection when the server closes the websocket: they give their places to new ones.
    await until(lambda: len(served.connections._counted) == 3 and len(served.connections._counted["all"]) == 4)
    for _ in range(2):
        reader, _ = await asked(served, LINE + b"host: x\r\n\r\n")
        assert b" 200 " in await reader.readuntil(b"hello")


async def test_a_handshake_that_the_application_does_not_answer_has_an_end(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    served = await serve(gate)
    monkeypatch.setattr(websocket, "HEAD_SECONDS", 0.3)
    reader, _ = await asked(served)
    assert await read_all(reader) == b""
    await until(lambda: not served.connections)
    assert gate.asked == 1
    gate.open.set()


async def test_a_slow_handshake_gives_its_place_to_a_new_connection(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_limits, "REQUESTS_OF_ONE_ADDRESS", 1)
    monkeypatch.setattr(websocket, "IDLE_HANDSHAKE_SECONDS", 0)
    gate = Gate()
    served = await serve(gate)
    slow, _ = await asked(served)
    await until(lambda: gate.asked == 1)
    reader, _ = await asked(served, LINE + b"host: x\r\n\r\n")
    assert b" 200 " in await reader.readuntil(b"hello")
    assert await read_all(slow) == b""
    gate.open.set()


@pytest.mark.parametrize("says", ["websocket.close", "nothing"])
async def test_a_handshake_that_is_refused_keeps_no_connection(serve: Serve, says: str) -> None:
    gate = Gate()
    gate.says = {"type": says}
    served = await serve(gate)
    gate.open.set()
    reader, _ = await asked(served)
    assert (await read_all(reader)).startswith(b"HTTP/1.1 403 " if says == "websocket.close" else b"HTTP/1.1 500 ")
    await until(lambda: not served.connections)


@pytest.mark.parametrize("requests", [1, 3])
async def test_a_connection_becomes_no_websocket_while_an_answer_is_made_on_it(
    serve: Serve, logged: list[logging.LogRecord], requests: int
) -> None:
    sockets = 0
    endless = Endless(2_000_000)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal sockets
        if scope["type"] == "http":
            await endless(scope, receive, send)
        else:
            sockets += 1

    served = await serve(app)
    lines = [await served.line() for _ in range(5)]
    for _, writer in lines:
        writer.write((LINE + b"host: x\r\n\r\n") * requests + UPGRADE)
    for reader, _ in lines:
        came = await read_all(reader)
        assert b" 101 " not in came and came.count(b"HTTP/1.1 ") <= 1
    await until(lambda: not served.connections)
    assert endless.taken < 20_000_000 and not sockets
    assert not [record for record in logged if record.exc_info]


async def test_a_connection_becomes_no_websocket_before_its_last_answer_is_read(serve: Serve) -> None:
    """What the answer fills of the buffer would be nobody's, and the websocket would write without end behind it."""
    done = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        size = 0
        # As much as the kernels take, so that the last piece waits in the server.
        while connection.transport.get_write_buffer_size() == 0:  # pyright: ignore[reportAttributeAccessIssue]
            await send({"type": "http.response.body", "body": b"x" * 60_000, "more_body": True})
            size += 60_000
            assert size < 50_000_000 and not await ended(receive)
        done.set()
        await send({"type": "http.response.body", "body": b""})

    served = await serve(app)
    reader, writer = await served.line()
    reader._transport.pause_reading()  # pyright: ignore[reportAttributeAccessIssue]
    await until(lambda: bool(served.connections))
    connection = next(iter(served.connections._open))
    writer.write(LINE + b"host: x\r\n\r\n")
    await done.wait()
    writer.write(UPGRADE)
    await until(connection.transport.is_closing)
    reader._transport.resume_reading()  # pyright: ignore[reportAttributeAccessIssue]
    came = await read_all(reader)
    assert b" 101 " not in came and b"0\r\n\r\nHTTP/1.1 400 " in came


async def test_a_connection_becomes_a_websocket_after_answers_that_were_read(serve: Serve) -> None:
    gate = Gate()
    gate.open.set()
    served = await serve(gate)
    reader, writer = await asked(served, (LINE + b"host: x\r\n\r\n") * 2)
    for _ in range(2):
        assert b" 200 " in await reader.readuntil(b"hello")
    writer.write(UPGRADE)
    assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
    writer.write(frame(TEXT, b"x"))
    gate.close.set()
    async with asyncio.timeout(60):
        assert await reader.readexactly(4) == b"\x88\x02\x03\xe8"

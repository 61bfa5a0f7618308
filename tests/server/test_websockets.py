"""Websockets: what is held of messages that are not finished, not taken, or not read."""

from __future__ import annotations

import asyncio
import base64
import os
import struct
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from starlette.types import Receive, Scope, Send

from rxchat.api.websockets import HELD_BYTES_OF_ONE_USER, SocketLimits
from rxchat.asgi_extensions import LIMIT_MESSAGES
from rxchat.domain.ids import new_id
from rxchat.server import websocket
from tests.server.conftest import Serve
from tests.server.serving import Served

pytestmark = pytest.mark.anyio

TEXT, CONTINUATION, PING = 1, 0, 9
DEFLATED = 0x40


async def quiet(scope: Scope, receive: Receive, send: Send) -> None:
    """Accept a socket, and take nothing of what it sends."""
    await receive()
    await send({"type": "websocket.accept"})
    await asyncio.sleep(30)


def frame(kind: int, data: bytes, *, fin: bool = True, bits: int = 0) -> bytes:
    """A frame as clients send it."""
    size = len(data)
    length = (
        bytes([size | 0x80])
        if size < 126
        else struct.pack("!BH" if size < 65_536 else "!BQ", (126 if size < 65_536 else 127) | 0x80, size)
    )
    return bytes([(0x80 if fin else 0) | bits | kind]) + length + bytes(4) + data


async def opened(served: Served, *, deflate: bool = False) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a websocket."""
    reader, writer = await served.line()
    key = base64.b64encode(os.urandom(16)).decode()
    offer = "sec-websocket-extensions: permessage-deflate\r\n" if deflate else ""
    writer.write(
        f"GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
        f"sec-websocket-key: {key}\r\n{offer}\r\n".encode()
    )
    head = await reader.readuntil(b"\r\n\r\n")
    assert b" 101 " in head and (b"permessage-deflate" in head) is deflate
    return reader, writer


async def close_code(reader: asyncio.StreamReader) -> int:
    """The code with which the socket was closed; 1006 when it was without one."""
    try:
        async with asyncio.timeout(60):
            came = await reader.read()
    except ConnectionError:
        return 1006
    while came and came[0] != 0x88:
        came = came[2 + came[1] :]
    return struct.unpack("!H", came[2:4])[0] if came else 1006


async def sent_until_closed(writer: asyncio.StreamWriter, pieces: Callable[[int], bytes], most: int) -> int:
    """Send frames until the connection is closed; return how many bytes went out."""
    sent = 0
    try:
        for number in range(most):
            piece = pieces(number)
            writer.write(piece)
            async with asyncio.timeout(1):
                await writer.drain()
            sent += len(piece)
            await asyncio.sleep(0)
            if writer.is_closing():
                break
    except (ConnectionError, TimeoutError):
        pass
    return sent


def fragment(size: int) -> Callable[[int], bytes]:
    return lambda number: frame(CONTINUATION if number else TEXT, b"x" * size, fin=False)


@pytest.mark.parametrize(("size", "code"), [(20_000, 1009), (1, 1008), (0, 1008), (50_000_000, 1009)])
async def test_a_message_in_fragments_that_does_not_end_is_held_up_to_its_limit(
    serve: Serve, size: int, code: int
) -> None:
    served = await serve(quiet)
    reader, writer = await opened(served)
    sent, found = await asyncio.gather(
        sent_until_closed(writer, fragment(size), 2_000 if size < 1_000_000 else 1), close_code(reader)
    )
    assert found in {code, 1006} and sent < 8_000_000


async def test_a_message_that_is_large_only_when_inflated_is_refused(serve: Serve) -> None:
    served = await serve(quiet)
    reader, writer = await opened(served, deflate=True)
    packed = deflated(b"x" * 20_000_000)
    assert len(packed) < 40_000
    writer.write(packed)
    assert await close_code(reader) == 1009


async def test_many_small_messages_at_once_wait_on_their_line(serve: Serve) -> None:
    served = await serve(quiet)
    _, writer = await opened(served)
    assert await sent_until_closed(writer, lambda _: frame(TEXT, b"2") * 5_000, 2_000) < 20_000_000
    found = socket_of(served)
    assert found.queue.qsize() == websocket.WAITING_MESSAGES and not found.transport.is_closing()


def deflated(data: bytes) -> bytes:
    """A message that is small until it is inflated."""
    packing = zlib.compressobj(wbits=-12)
    return frame(TEXT, (packing.compress(data) + packing.flush(zlib.Z_SYNC_FLUSH))[:-4], bits=DEFLATED)


def socket_of(served: Served) -> websocket.WebSocketProtocol:
    """The one that is open."""
    (found,) = served.connections._open
    assert isinstance(found, websocket.WebSocketProtocol)
    return found


@pytest.mark.parametrize("is_signed_in", [False, True])
async def test_compressed_messages_that_wait_are_inflated_up_to_a_limit_and_count_until_they_are_taken(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, is_signed_in: bool
) -> None:
    monkeypatch.setattr(websocket, "MESSAGE_EVERY_SECONDS", 0.001)
    limits, user = SocketLimits(), new_id()
    taking = asyncio.Event()
    taken: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        limits.limit_messages(scope, user if is_signed_in else None)
        await receive()
        await send({"type": "websocket.accept"})
        await taking.wait()
        while (message := await receive())["type"] == "websocket.receive":
            taken.append(len(message["text"]))
            # None is parsed behind the limits' back.
            assert limits._held[user] <= HELD_BYTES_OF_ONE_USER

    size = 1_900_000 if is_signed_in else 60_000
    sizes = [size - number for number in range(40)]
    served = await serve(app)
    _, writer = await opened(served, deflate=True)
    writer.write(b"".join(deflated(b" " * size) for size in sizes))
    async with asyncio.timeout(60):
        while not served.connections or not socket_of(served).read_paused:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        found = socket_of(served)
        assert found.queue.qsize() <= 2 and found._waiting_bytes <= 2 * size
        assert (limits._held[user] >= size) is is_signed_in
        taking.set()
        while len(taken) < len(sizes):
            await asyncio.sleep(0.01)
    assert taken == sizes and not +limits._held


async def test_messages_that_nobody_took_count_no_more_when_their_socket_has_ended(serve: Serve) -> None:
    limits, user = SocketLimits(), new_id()
    ending = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        limits.limit_messages(scope, user)
        await receive()
        await send({"type": "websocket.accept"})
        await ending.wait()

    served = await serve(app)
    _, writer = await opened(served)
    writer.write(frame(TEXT, b"x" * 1_000) * 2 + frame(TEXT, b"x" * 200)[:-1])
    async with asyncio.timeout(60):
        while limits._held[user] < 2_100:
            await asyncio.sleep(0.01)
        # The application still has them to take when the peer is gone.
        socket_of(served).transport.abort()
        while served.connections:
            await asyncio.sleep(0.01)
        assert limits._held[user] == 2_000
        ending.set()
        while limits._held:
            await asyncio.sleep(0.01)


async def test_nothing_is_kept_of_a_message_that_was_taken(serve: Serve) -> None:
    taken = 0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal taken
        scope["extensions"][LIMIT_MESSAGES](4_000_000, lambda _size: True)
        await receive()
        await send({"type": "websocket.accept"})
        while (await receive())["type"] == "websocket.receive":
            taken += 1

    served = await serve(app)
    lines = [await opened(served, deflate=True) for _ in range(5)]
    packed = deflated(b" " * 3_000_000)
    tracemalloc.start()
    try:
        for _, writer in lines:
            writer.write(packed)
        async with asyncio.timeout(60):
            while taken < 5:
                await asyncio.sleep(0.01)
        assert tracemalloc.get_traced_memory()[0] < 3_000_000
    finally:
        tracemalloc.stop()


async def test_what_comes_faster_than_a_socket_may_speak_waits_on_its_line(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "MESSAGE_EVERY_SECONDS", 1_000)
    taken = 0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal taken
        await receive()
        await send({"type": "websocket.accept"})
        while (await receive())["type"] == "websocket.receive":
            taken += 1

    served = await serve(app)
    reader, writer = await opened(served, deflate=True)
    writer.write(deflated(b" " * 50_000) * 100)
    assert await code_soon(reader) == 0
    # Two of the largest ones: 64 kB.
    assert taken == 3 and socket_of(served).read_paused


async def test_frames_before_the_application_has_accepted_are_parsed_afterwards(serve: Serve) -> None:
    accepting = asyncio.Event()
    taken: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await accepting.wait()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            taken.append(message["text"])

    served = await serve(app)
    reader, writer = await served.line()
    writer.write(
        b"GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
        b"sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    async with asyncio.timeout(60):
        while not any(isinstance(found, websocket.WebSocketProtocol) for found in served.connections._open):
            await asyncio.sleep(0.01)
        writer.write(frame(TEXT, b"early"))
        while not socket_of(served).read_paused:
            await asyncio.sleep(0.01)
        assert socket_of(served).queue.empty()
        accepting.set()
        await reader.readuntil(b"\r\n\r\n")
        while not taken:
            await asyncio.sleep(0.01)
        writer.write(frame(TEXT, b"late"))
        while len(taken) < 2:
            await asyncio.sleep(0.01)
    assert taken == ["early", "late"]


async def test_a_message_that_takes_too_long_ends_its_socket(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "MESSAGE_SECONDS", 0.3)
    served = await serve(quiet)
    unfinished = (frame(TEXT, b"x", fin=False), frame(TEXT, b"x" * 100)[:-1], frame(TEXT, b"x")[:1])
    lines = [await opened(served) for _ in unfinished]
    alive, _ = await opened(served)
    for (_, writer), beginning in zip(lines, unfinished, strict=True):
        writer.write(beginning)
    for reader, writer in lines:
        # Pings between the fragments do not make it younger.
        with_pings = sent_until_closed(writer, lambda _: frame(PING, b""), 3)
        _, code = await asyncio.gather(with_pings, close_code(reader))
        assert code in {1006, 1002}
    # One on which nothing is owed stays.
    assert not alive.at_eof() and len(served.connections) == 1


@pytest.mark.parametrize("what", ["messages", "pongs"])
async def test_what_a_socket_does_not_read_is_held_in_part_and_ends_it(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(websocket, "WRITE_SECONDS", 0.5)
    made = 0

    async def talking(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal made
        await receive()
        await send({"type": "websocket.accept"})
        while what == "messages":
            await send({"type": "websocket.send", "text": "x" * 10_000})
            made += 10_000
        await asyncio.sleep(30)

    served = await serve(talking)
    reader, writer = await opened(served)
    # Nothing is read any more.
    reader._transport.pause_reading()  # pyright: ignore[reportAttributeAccessIssue]
    pinging = asyncio.create_task(
        sent_until_closed(writer, lambda _: frame(PING, b"x" * 100) * 500, 10_000 if what == "pongs" else 0)
    )
    async with asyncio.timeout(60):
        while served.connections:
            for connection in served.connections._open:
                assert connection.transport.get_write_buffer_size() < 1_000_000
            await asyncio.sleep(0.01)
    assert made < 20_000_000 and await pinging < 50_000_000


async def test_messages_may_be_as_large_as_the_application_says(serve: Serve) -> None:
    taken: list[int] = []

    async def generous(scope: Scope, receive: Receive, send: Send) -> None:
        scope["extensions"][LIMIT_MESSAGES](1_000_000, lambda _size: True)
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            taken.append(len(message["text"]))

    served = await serve(generous)
    reader, writer = await opened(served)
    writer.write(frame(TEXT, b"x" * 900_000) + fragment(400_000)(0) + frame(CONTINUATION, b"x" * 400_000))
    async with asyncio.timeout(60):
        while len(taken) < 2:
            await asyncio.sleep(0.01)
    writer.write(frame(TEXT, b"x" * 1_000_001))
    # 1006 where the connection was gone before all that was sent had been read.
    assert await close_code(reader) in {1009, 1006}
    assert taken == [900_000, 800_000]


async def test_unfinished_messages_of_one_user_share_a_limit_and_others_have_theirs(serve: Serve) -> None:
    limits, users = SocketLimits(), [new_id(), new_id()]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        limits.limit_messages(scope, users[served_sockets[0]])
        await quiet(scope, receive, send)

    served_sockets = [0]
    served = await serve(app)
    piece = fragment(3_900_000)(0)
    codes: list[asyncio.Task[int]] = []
    for served_sockets[0] in (0, 0, 0, 1):
        reader, writer = await opened(served)
        writer.write(piece)
        codes.append(asyncio.create_task(close_code(reader)))
    (code,), others = await asyncio.wait(codes, return_when=asyncio.FIRST_COMPLETED)
    assert code.result() in {1013, 1006} and code is not codes[3]
    assert not (await asyncio.wait(others, timeout=1))[0], "the others stay open"
    assert limits._held[users[0]] <= HELD_BYTES_OF_ONE_USER
    for line in served.lines:
        line.transport.abort()
    async with asyncio.timeout(60):
        while served.connections:
            await asyncio.sleep(0.01)
    assert not limits._held


async def code_soon(reader: asyncio.StreamReader) -> int:
    """The code with which a socket is closed soon, or 0 when it is not."""
    try:
        async with asyncio.timeout(1):
            return await close_code(reader)
    except TimeoutError:
        return 0


async def test_sockets_are_told_when_the_server_ends(serve: Serve) -> None:
    async def listening(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass

    served = await serve(listening)
    reader, _ = await opened(served)
    async with asyncio.timeout(60):
        await served.stop()
    assert await close_code(reader) == 1012

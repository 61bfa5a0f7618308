"""Websockets that the server refuses or closes by itself: what a stranger can cause is counted, and is no error in the log."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from prometheus_client import REGISTRY
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from tests.server.conftest import Serve
from tests.server.test_websockets import CONTINUATION, TEXT, close_code, frame, opened, quiet

pytestmark = pytest.mark.anyio

HANDSHAKE = (
    b"GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
    b"sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


@pytest.fixture
def errors() -> Iterator[list[str]]:
    """What the server logs as an error meanwhile."""
    found: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(record.getMessage())

    logger, kept = logging.getLogger("uvicorn.error"), Kept(logging.ERROR)
    logger.addHandler(kept)
    yield found
    logger.removeHandler(kept)


def refused_packets() -> float:
    return REGISTRY.get_sample_value("rxchat_socket_packets_refused_total") or 0


@pytest.mark.parametrize("data", [b"\xff\xfe", b"\xed\xa0\x80", b"\xc0\xaf", b"4\xe2\x82"])
@pytest.mark.parametrize("pieces", [1, 2])
async def test_text_that_is_no_utf8_closes_the_socket_and_is_counted_not_logged(
    serve: Serve, errors: list[str], data: bytes, pieces: int
) -> None:
    served, before = await serve(quiet), refused_packets()
    reader, writer = await opened(served)
    if pieces == 1:
        writer.write(frame(TEXT, data))
    else:
        writer.write(frame(TEXT, data[:1], fin=False) + frame(CONTINUATION, data[1:]))
    assert await close_code(reader) == 1007
    assert refused_packets() == before + 1 and errors == []


async def test_a_refused_handshake_is_no_error_in_the_log(serve: Serve, errors: list[str]) -> None:
    async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("Too many tabs are open.", status_code=429)(scope, receive, send)

    served = await serve(refuse)
    reader, writer = await served.line()
    writer.write(HANDSHAKE)
    answer = await reader.read()
    assert b" 429 " in answer.split(b"\r\n")[0] and answer.endswith(b"Too many tabs are open.")
    assert errors == []

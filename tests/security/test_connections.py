"""Connections that hold places, and what comes over them that is no request: on a real server."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from aiohttp import ClientConnectionResetError, ClientSession, WSMsgType
from reflex.constants import Endpoint

from rxchat.states.chat.context_sources import ContextSourcesState
from tests.journeys.server import RxChat

pytestmark = pytest.mark.anyio

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"


def log_of(web_server: RxChat) -> Path:
    return web_server.data / "logs" / "web.log"


def test_http_2_is_not_spoken(web_server: RxChat) -> None:
    """Its bodies need no Content-Length, and nothing here wants it."""
    with socket.create_connection(("127.0.0.1", web_server.port), timeout=10) as line:
        line.sendall(PREFACE)
        answer = line.recv(1_000)
        assert not answer or answer.startswith(b"HTTP/1.1 4")


def test_a_body_without_a_length_is_not_read_into_memory(web_server: RxChat) -> None:
    with socket.create_connection(("127.0.0.1", web_server.port), timeout=10) as line:
        line.sendall(
            b"POST /api/auth/sign-in HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nTransfer-Encoding: chunked\r\n\r\n"
            % web_server.port
        )
        sent = 0
        try:
            while sent < 5_000_000:
                line.sendall(b"2710\r\n" + b"x" * 10_000 + b"\r\n")
                sent += 10_000
        except OSError:
            pass
        try:
            answer = line.recv(1_000)
        except OSError:
            answer = b"HTTP/1.1 413"
        assert answer.startswith(b"HTTP/1.1 413")
        assert sent < 5_000_000


async def sent_until_closed(session: ClientSession, web_server: RxChat, greeting: str, packet: str) -> int:
    """Send the same packet again and again, and return with which code the server closed the socket."""
    address = f"ws://127.0.0.1:{web_server.port}/_event/?EIO=4&transport=websocket&token=mine"
    async with session.ws_connect(address) as line, asyncio.timeout(60):
        with suppress(ClientConnectionResetError):
            for text in (greeting, *[packet] * 50):
                await line.send_str(text)
        async for message in line:
            assert message.type is WSMsgType.TEXT
        assert line.close_code
        return line.close_code


HYDRATE = "reflex___state____state.hydrate_and_load"
BOOTS = [
    {"event": 7},
    {"event": {"name": HYDRATE, "payload": 7, "router_data": 7}},
    {"event": {"name": HYDRATE, "payload": {"x": {}}}},
    {"event": {"name": HYDRATE, "payload": {"vars": {"x": {}}, "hashes": []}, "router_data": {}}},
    {"event": {"name": HYDRATE, "payload": {}, "router_data": {"pathname": 7, "query": []}}},
    {"event": {"name": HYDRATE, "payload": {}, "router_data": {"asPath": {}, "query": {"conversation_id": {}}}}},
    {"event": {"name": HYDRATE, "payload": {}, "router_data": {"headers": 7, "sid": {}, "token": []}}},
]


async def test_how_a_socket_begins_fills_no_log_either(web_server: RxChat) -> None:
    """What comes with the connection is an event, too."""
    before = log_of(web_server).stat().st_size
    address = f"ws://127.0.0.1:{web_server.port}/_event/?EIO=4&transport=websocket&token="
    async with ClientSession() as session:
        for number, boot in enumerate(BOOTS):
            async with session.ws_connect(f"{address}{number}") as line, asyncio.timeout(60):
                await line.send_str("40/_event," + json.dumps(boot))
                assert "40/_event" in (await line.receive_str()) + (await line.receive_str())
                await line.send_str('42/_event,["ping"]')
                while "pong" not in await line.receive_str():
                    pass
    text = log_of(web_server).read_text()
    assert log_of(web_server).stat().st_size - before < 3_000 and "Traceback" not in text


NO_EVENT = "42/_event," + json.dumps(["event", {"name": "no.such.handler", "payload": {}}])


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("x\ud800y", "x\ufffdy"),
        ("\udfff\ud800", "\ufffd\ufffd"),
        ("z" * 1_500_000, "This text has 1,500,000 characters; the maximum is 10,000. Shorten it."),
    ],
    ids=["surrogate", "turned pair", "long"],
)
async def test_what_a_signed_in_page_says_leaves_its_socket_open(
    web_server: RxChat, member: httpx.Client, words: str, shown: str
) -> None:
    token = "tab of the words"
    address = f"ws://127.0.0.1:{web_server.port}/_event/?EIO=4&transport=websocket&token={token}"
    headers = {
        "cookie": "; ".join(f"{name}={value}" for name, value in member.cookies.items()),
        "origin": web_server.url,
    }
    place = {"pathname": "/", "asPath": "/", "query": {}}
    boot = {"event": {"name": HYDRATE, "payload": {}, "router_data": place}}
    event = {"name": f"{ContextSourcesState.get_full_name()}.find", "payload": {"words": words}, "router_data": place}
    async with ClientSession() as session, session.ws_connect(address, headers=headers) as line, asyncio.timeout(60):
        await line.send_str("40/_event," + json.dumps(boot))
        await line.send_str("42/_event," + json.dumps(["event", event]))
        while json.dumps(shown, ensure_ascii=False) not in (said := await line.receive_str()):
            assert "sign-in" not in said
        await line.send_str('42/_event,["ping"]')
        while "pong" not in await line.receive_str():
            pass


@pytest.mark.parametrize(("packet", "code"), [("42/_event,{", 1008), (NO_EVENT, 1000)])
async def test_what_is_no_event_ends_the_socket_and_fills_no_log(web_server: RxChat, packet: str, code: int) -> None:
    before = log_of(web_server).stat().st_size
    async with ClientSession() as session:
        codes = [await sent_until_closed(session, web_server, "40/_event,", packet) for _ in range(20)]
    # 1006 where the line was gone before all of ours was read.
    assert set(codes) <= {code, 1006}
    assert log_of(web_server).stat().st_size - before < 20_000


@pytest.mark.parametrize("path", ["/_event/?EIO=4&transport=polling", *(f"/{name.value}" for name in Endpoint)])
def test_routes_of_reflex_that_nothing_here_uses_are_not_there(web_server: RxChat, path: str) -> None:
    for method in ("GET", "POST", "PUT", "DELETE"):
        answer = httpx.request(method, web_server.url + path, headers={"origin": web_server.url}, trust_env=False)
        assert answer.status_code == 404, (method, answer.text[:200])


@pytest.mark.slow
def test_a_connection_that_says_nothing_is_closed(web_server: RxChat) -> None:
    began = time.monotonic()
    lines = [socket.create_connection(("127.0.0.1", web_server.port), timeout=60) for _ in range(100)]
    for number, line in enumerate(lines):
        if number % 2:
            line.sendall(b"GET /healthz HTT")
    for line in lines:
        assert line.recv(100) in {b"", b"HTTP/1.1 408 Request Timeout\r\n"}
        line.close()
    assert 15 < time.monotonic() - began < 45


def memory_of(pid: int) -> int:
    """The bytes that a process has in memory."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def test_unfinished_messages_fill_no_memory(web_server: RxChat) -> None:
    """20 sockets, each with 40 MB of fragments that do not end."""
    worker = web_server.web_worker()
    before = memory_of(worker)
    sent = 0
    lines = [upgraded(web_server) for _ in range(20)]
    for line in lines:
        fragment = b"\x01\xff" + (1_000_000).to_bytes(8) + bytes(4) + b"x" * 1_000_000
        with suppress(OSError):
            for _ in range(40):
                line.sendall(fragment)
                sent += len(fragment)
                fragment = b"\x00" + fragment[1:]
    most = memory_of(worker)
    for line in lines:
        line.close()
    assert sent < 100_000_000 and most - before < 30_000_000


def upgraded(web_server: RxChat) -> socket.socket:
    """A websocket of somebody who is not signed in."""
    line = socket.create_connection(("127.0.0.1", web_server.port), timeout=10)
    line.sendall(
        b"GET /_event/?EIO=4&transport=websocket&token=mine HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: Upgrade\r\n"
        b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        % web_server.port
    )
    assert line.recv(1_000).startswith(b"HTTP/1.1 101 ")
    return line

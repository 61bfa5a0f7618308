"""The websocket before Reflex sees it: what a packet is, what happens to what is none, and how many sockets there are."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from contextlib import ExitStack

import pytest
from starlette.types import Message, Receive, Scope, Send

from rxchat.api import websockets
from rxchat.api.websockets import SocketLimits, is_packet, serve_checked
from rxchat.asgi_extensions import LONGEST_PACKET
from rxchat.domain.errors import TooManyAttempts
from rxchat.domain.ids import new_id

pytestmark = pytest.mark.anyio

PACKETS = [
    "3",
    "2",
    "2probe",
    "3probe",
    "5",
    "1",
    "40/_event,",
    '40/_event,{"token": "x"}',
    '42/_event,["event",{"name": "x"}]',
    '42/_event,7["ping"]',
    '42/_event,["client_error",{}]',
    '40/_event,{"event": {"name": "x"}, "state_schema": "abc"}',
    "41/_event,",
    '42/_event,["event",' + '{"a":' * 62 + "1" + "}" * 62 + "]",
]
NO_PACKETS = [
    "",
    "0",
    "7",
    "nonsense",
    "2" * 100,
    "4",
    "42/_event,{",
    "42/_event,",
    "42/_event,[",
    "42/_event,[]",
    "42/_event,[7]",
    '42/_event,["event"]',
    '42/_event,["event",7]',
    '42/_event,["event",{},{}]',
    '42/_event,["ping",{}]',
    '42/_event,["connect",{}]',
    '42/_event,["disconnect"]',
    '42/_event,["__class__"]',
    '42/_event,["link_token_to_sid","a","b"]',
    '40/_event,{"state_schema": []}',
    '42/_event,{"a": 1}',
    '42["event",{}]',
    '42/other,["event",{}]',
    "40",
    "40/other,",
    "40/_event,[]",
    "43/_event,[]",
    "43/_event,7[]",
    '42/_event,["event",' + '{"a":' * 64 + "1" + "}" * 64 + "]",
    '42/_event,["event",{"name":"x","y":' + "[" * 970 + "]" * 970 + "}]",
    '40/_event,{"event":' + '{"a":' * 970 + "1" + "}" * 970 + "}",
    "44/_event,{}",
    '451-/_event,["event",{"_placeholder":true,"num":0}]',
    "42/_event," + "[" * 100_000,
    "42/_event,99999999999999999999[]",
]


@pytest.mark.parametrize("text", PACKETS)
def test_what_browsers_send_comes_through(text: str) -> None:
    assert is_packet(text)


@pytest.mark.parametrize("text", NO_PACKETS)
def test_what_is_no_packet_does_not(text: str) -> None:
    assert not is_packet(text)


def test_a_packet_is_not_endless() -> None:
    assert is_packet("42/_event," + json.dumps(["event", {"text": "x" * 400_000}]))
    assert not is_packet("42/_event," + json.dumps(["event", {"text": "x" * LONGEST_PACKET}]))


@pytest.mark.parametrize("many", [[[]], [0], [{"a": {}}], ["x"]])
def test_a_packet_of_very_many_values_is_none(many: list[object]) -> None:
    """Half a million empty lists are two megabytes, and take a second to handle."""
    event = {"name": "a.b", "payload": {"form": many * 1_000}}
    assert is_packet("42/_event," + json.dumps(["event", event]))
    assert not is_packet("42/_event," + json.dumps(["event", {**event, "payload": {"form": many * 5_001}}]))
    assert not is_packet(
        "42/_event," + json.dumps(["event", {**event, "payload": dict.fromkeys(map(str, range(5_001)))}])
    )


async def heard(frames: Iterable[Message]) -> tuple[list[Message], list[Message]]:
    """Return what the application is told of these frames, and what the client is sent."""
    coming, told, sent = iter(frames), [], []

    async def receive() -> Message:
        return next(coming, {"type": "websocket.disconnect", "code": 1005})

    async def send(message: Message) -> None:
        sent.append(message)

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        while True:
            told.append(await receive())
            await send({"type": "websocket.send", "text": "6"})
            if told[-1]["type"] == "websocket.disconnect":
                return

    await serve_checked(app, {"type": "websocket", "client": ("203.0.113.7", 1)}, receive, send)
    return told, sent


def said(text: str) -> Message:
    return {"type": "websocket.receive", "text": text}


async def test_malformed_packets_are_dropped_and_after_a_few_the_socket_is_closed() -> None:
    told, sent = await heard([{"type": "websocket.connect"}, said("3"), *[said("42/_event,{")] * 100, said("3")])
    assert [message["type"] for message in told] == [
        "websocket.connect", "websocket.receive", "websocket.disconnect",
    ]  # fmt: skip
    assert sent[-1] == {"type": "websocket.close", "code": 1008, "reason": "Invalid packets."}


async def test_events_outside_of_the_namespaces_connection_are_malformed() -> None:
    event, join, leave = said('42/_event,["event",{"name":"x"}]'), said("40/_event,"), said("41/_event,")
    told, _ = await heard([event, join, event, leave, event, event, join, event])
    assert [message.get("text") for message in told[:-1]] == [
        it["text"] for it in (join, event, leave, join, event)
    ]  # fmt: skip


async def test_binary_frames_are_no_packets() -> None:
    told, _ = await heard([{"type": "websocket.receive", "bytes": b"\x04\x00"}] * 2)
    assert [message["type"] for message in told] == ["websocket.disconnect"]


async def test_a_few_malformed_packets_among_good_ones_cost_nothing() -> None:
    frames = [said("nonsense"), said("3")] * (websockets.MALFORMED_PACKETS - 1)
    told, _ = await heard(frames)
    assert [message.get("text") for message in told[:-1]] == ["3"] * (websockets.MALFORMED_PACKETS - 1)


async def test_what_cannot_be_encoded_is_replaced_before_it_is_sent() -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.disconnect", "code": 1005}

    async def send(message: Message) -> None:
        sent.append(message)

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        for text in ("4a\ud800b🙂", "4a🙂"):
            await send({"type": "websocket.send", "text": text})

    await serve_checked(app, {"type": "websocket"}, receive, send)
    assert [message["text"] for message in sent] == ["4a\ufffdb🙂", "4a🙂"]


def taken(limits: SocketLimits, stack: ExitStack, count: int, user=None, address: str = "203.0.113.7") -> int:
    """Take up to so many places, and return how many there were."""
    for number in range(count):
        try:
            stack.enter_context(limits.place(user, address))
        except TooManyAttempts:
            return number
    return count


def test_a_user_and_an_address_have_so_many_sockets_and_others_are_not_kept_out() -> None:
    limits = SocketLimits()
    with ExitStack() as stack:
        assert taken(limits, stack, 1_000, user=new_id()) == websockets.SOCKETS_OF_ONE_USER
        assert taken(limits, stack, 1_000) == websockets.SOCKETS_OF_ONE_ADDRESS
        assert taken(limits, stack, 1, user=new_id()) == 1
        assert taken(limits, stack, 1, address="203.0.113.8") == 1
    with ExitStack() as stack:
        assert taken(limits, stack, 1) == 1


def test_one_subscriber_of_ipv6_is_one_address() -> None:
    limits = SocketLimits()
    with ExitStack() as stack:
        places = [taken(limits, stack, 1, address=f"2001:db8::{number:x}") for number in range(200)]
    assert sum(places) == websockets.SOCKETS_OF_ONE_ADDRESS


def test_those_who_are_not_signed_in_leave_room_for_those_who_are() -> None:
    limits = SocketLimits()
    with ExitStack() as stack:
        strangers = sum(
            taken(limits, stack, 1, address=f"10.{number // 250}.{number % 250}.1") for number in range(5_000)
        )
        assert strangers == websockets.SIGNED_OUT_SOCKETS
        users = sum(taken(limits, stack, 1, user=new_id()) for _ in range(5_000))
        assert users == websockets.SOCKETS - websockets.SIGNED_OUT_SOCKETS


@pytest.mark.parametrize("address", ["203.0.113.{}", "2001:db8:1:{:x}::1", "::ffff:203.0.113.{}"])
def test_the_addresses_of_one_network_share_its_places_and_other_networks_have_theirs(address: str) -> None:
    limits = SocketLimits()
    with ExitStack() as stack:
        places = [taken(limits, stack, 1, address=address.format(number % 250)) for number in range(2_000)]
        assert sum(places) == websockets.SOCKETS_OF_ONE_NETWORK < websockets.SIGNED_OUT_SOCKETS
        assert taken(limits, stack, 1, user=new_id(), address=address.format(1)) == 1
        assert taken(limits, stack, 1, address="198.51.100.1") == 1
        assert taken(limits, stack, 1, address="2001:db8:2::1") == 1
    with ExitStack() as stack:
        # What was closed has its place again, and nothing else is remembered.
        assert taken(limits, stack, 1, address=address.format(1)) == 1
    assert not limits._open


async def test_what_comes_faster_than_a_page_sends_waits_on_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websockets, "PACKETS_AT_ONCE", 5)
    monkeypatch.setattr(websockets, "PACKETS_A_SECOND", 50)
    loop = asyncio.get_running_loop()
    began = loop.time()
    told, _ = await heard([said("3")] * 30)
    # Five at once, the others one after another: however busy the machine is, not before their time.
    assert loop.time() - began >= (30 - 5) / 50 - 0.05
    assert len(told) == 31

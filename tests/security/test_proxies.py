"""Whose address counts: what anybody can write into X-Forwarded-For, and what a trusted proxy says."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from starlette.responses import PlainTextResponse
from starlette.types import Scope

from rxchat.api.gateway import Gateway
from rxchat.api.trusted_proxies import TrustedProxies
from rxchat.settings import Settings

pytestmark = pytest.mark.anyio

PROXIES = "10.0.0.0/24, 192.0.2.7, fd00::/64"
PROXY, STRANGER = "10.0.0.1", "203.0.113.9"


def settings(host: str = "0.0.0.0", proxies: str = PROXIES) -> Settings:
    return Settings.model_validate({"RXCHAT_HOST": host, "RXCHAT_TRUSTED_PROXIES": proxies})


def scope(peer: str | None, *headers: tuple[str, str], kind: str = "http") -> Scope:
    return {
        "type": kind,
        "scheme": "http" if kind == "http" else "ws",
        "client": (peer, 4711) if peer else None,
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
        "path": "/",
    }


def client_of(peer: str, *forwarded: str, host: str = "0.0.0.0") -> str:
    headers = [("X-Forwarded-For", value) for value in forwarded]
    found = TrustedProxies(settings(host)).resolve(scope(peer, *headers))
    assert found is not None
    return found["client"][0]


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        (["198.51.100.4"], "198.51.100.4"),
        # What is left of the first stranger was written by that stranger.
        (["1.1.1.1, 198.51.100.4"], "198.51.100.4"),
        (["127.0.0.1, 198.51.100.4"], "198.51.100.4"),
        (["10.0.0.9, 198.51.100.4"], "198.51.100.4"),
        (["1.1.1.1", "198.51.100.4"], "198.51.100.4"),
        # Several hops of ours.
        (["198.51.100.4, 10.0.0.2, 192.0.2.7"], "198.51.100.4"),
        (["1.1.1.1, 198.51.100.4, 10.0.0.2", "10.0.0.3"], "198.51.100.4"),
        (["10.0.0.5, 10.0.0.6"], "10.0.0.5"),
        # IPv6, in all of its clothes.
        (["2001:db8::1"], "2001:db8::1"),
        (["2001:DB8:0::0001, fd00::2"], "2001:db8::1"),
        (["[2001:db8::1]"], "2001:db8::1"),
        (["::ffff:198.51.100.4"], "198.51.100.4"),
        (["198.51.100.4, ::ffff:10.0.0.2"], "198.51.100.4"),
        # Nonsense behind the first stranger is that stranger's.
        (["nonsense, 198.51.100.4"], "198.51.100.4"),
    ],
)
def test_a_trusted_proxy_speaks_for_the_first_stranger_from_the_right(forwarded: list[str], expected: str) -> None:
    assert client_of(PROXY, *forwarded) == expected
    assert client_of("::ffff:" + PROXY, *forwarded) == expected
    assert client_of("fd00::1", *forwarded) == expected


@pytest.mark.parametrize(
    "forwarded",
    [
        [],
        [""],
        [" "],
        [","],
        ["unknown"],
        ["198.51.100.4,"],
        ["198.51.100.4, nonsense"],
        ["198.51.100.4:4711"],
        ["198.51.100.256"],
        ["0x7f000001"],
        ["2130706433"],
        ["010.0.0.1"],
        ["127.1"],
        ["[2001:db8::1"],
        ["fe80::1%<script>"],
        ['"198.51.100.4"'],
        ["198.51.100.4\x00"],
        ["for=198.51.100.4"],
        ["x" * 100_000],
        [", ".join(["nonsense"] * 10_000)],
    ],
    ids=lambda values: repr(values)[:40],
)
def test_of_what_makes_no_sense_nothing_is_believed(forwarded: list[str]) -> None:
    assert client_of(PROXY, *forwarded) == PROXY


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "127.9.9.9"])
def test_whoever_is_not_trusted_is_itself_whatever_it_writes(peer: str) -> None:
    for host in ("0.0.0.0", "127.0.0.1"):
        assert client_of(peer, "198.51.100.4", host=host) == peer


def test_the_hearsay_of_strangers_goes_no_further() -> None:
    written = ["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded", "X-Real-IP", "CF-Connecting-IP"]
    headers = [(name, "1.1.1.1") for name in written]
    found = TrustedProxies(settings()).resolve(scope("127.0.0.1", *headers, ("Cookie", "mine=1")))
    assert found is not None and found["headers"] == [(b"cookie", b"mine=1")] and found["scheme"] == "http"


@pytest.mark.parametrize(
    ("kind", "told", "scheme"),
    [
        ("http", "https", "https"),
        ("http", "http", "http"),
        ("http", "HTTPS", "https"),
        ("http", "http, https", "https"),
        ("http", "gopher", "http"),
        ("websocket", "https", "wss"),
        ("websocket", "nonsense", "ws"),
    ],
)
def test_a_trusted_proxy_says_how_people_came(kind: str, told: str, scheme: str) -> None:
    sent = scope(PROXY, ("X-Forwarded-Proto", told), ("Cookie", "mine=1"), kind=kind)
    found = TrustedProxies(settings()).resolve(sent)
    assert found is not None and found["scheme"] == scheme
    assert {**found, "scheme": sent["scheme"], "client": sent["client"]} == sent


@pytest.mark.parametrize("peer", [STRANGER, "10.0.1.1", "2001:db8::1", "nonsense", None])
def test_where_others_can_connect_only_proxies_and_this_machine_may(peer: str | None) -> None:
    assert TrustedProxies(settings()).resolve(scope(peer)) is None
    assert TrustedProxies(settings(proxies="")).resolve(scope(peer)) is None
    assert TrustedProxies(settings("127.0.0.1")).resolve(scope(peer)) is not None


def test_this_machine_may_connect_at_the_address_where_it_listens() -> None:
    assert TrustedProxies(settings("192.168.1.5")).resolve(scope("192.168.1.5")) is not None
    assert TrustedProxies(settings("192.168.1.5")).resolve(scope("192.168.1.6")) is None


def make_gateway(of: Settings) -> Gateway:
    """Our front, with an API that says who called, as what is recorded and limited knows it."""
    api = FastAPI()

    @api.get("/api/client_info")
    def client_info(request: Request) -> str:
        return request.client.host if request.client else ""

    return Gateway(PlainTextResponse("a page"), api, of)


async def asked(peer: str, path: str, **headers: str) -> httpx.Response:
    transport = httpx.ASGITransport(app=make_gateway(settings()), client=(peer, 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://chat.example.org") as client:
        return await client.get(path, headers=headers)


async def test_what_is_recorded_and_limited_is_the_address_of_who_really_asks() -> None:
    spoofed = {"x-forwarded-for": "1.1.1.1, 198.51.100.4"}
    assert (await asked(PROXY, "/api/client_info", **spoofed)).json() == "198.51.100.4"
    assert (await asked("127.0.0.1", "/api/client_info", **spoofed)).json() == "127.0.0.1"


@pytest.mark.parametrize("path", ["/", "/sign-in", "/api/client_info", "/healthz", "/assets/x.js", "/_event"])
async def test_a_stranger_is_refused_at_every_door(path: str) -> None:
    answer = await asked(STRANGER, path, **{"x-forwarded-for": PROXY})
    assert answer.status_code == 403 and "RXCHAT_TRUSTED_PROXIES" in answer.text
    assert answer.headers["cache-control"] == "no-store" and "content-security-policy" in answer.headers


@pytest.mark.parametrize(
    ("extensions", "said"),
    [({}, "websocket.close"), ({"websocket.http.response": {}}, "websocket.http.response.start")],
)
async def test_a_strangers_websocket_is_closed_before_it_opens(extensions: dict[str, Any], said: str) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    opening = {**scope(STRANGER, kind="websocket"), "path": "/_event/", "extensions": extensions}
    await make_gateway(settings())(opening, None, send)  # pyright: ignore[reportArgumentType] - nothing is received
    assert sent[0]["type"] == said and not any(message["type"] == "websocket.accept" for message in sent)
    assert sent[0].get("status", 403) == 403

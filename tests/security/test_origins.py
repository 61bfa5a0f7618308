"""Pages of other sites: what they may not open or change, although the browser sends our cookie along."""

from __future__ import annotations

import http.client

import httpx
import pytest

from rxchat.api.gateway import Gateway
from rxchat.settings import Settings
from tests.journeys.server import RxChat
from tests.security.conftest import EXTRA_ORIGIN

FOREIGN = [
    "https://evil.example",
    "null",
    "",
    "http://127.0.0.1",
    "http://127.0.0.1:1",
    "https://127.0.0.1:{port}",
    "http://127.0.0.1:{port}.evil.example",
    "http://127.0.0.1:{port}@evil.example",
    "http://127.0.0.1:{port}/",
    "HTTP://127.0.0.1:{port}",
    "*",
    f"{EXTRA_ORIGIN}.evil.example",
    f"{EXTRA_ORIGIN}:8443",
    "http://chat.internal",
]


def opened(web_server: RxChat, origin: str | None, cookie: str = "", path: str = "/_event/") -> int:
    """The status with which the server answers a websocket's handshake from a page of this origin."""
    connection = http.client.HTTPConnection("127.0.0.1", web_server.port, timeout=10)
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Cookie": cookie,
    }
    try:
        connection.request(
            "GET",
            f"{path}?EIO=4&transport=websocket&token=mine",
            headers=headers if origin is None else headers | {"Origin": origin},
        )
        answer = connection.getresponse()
        if answer.status == 403:
            assert answer.headers["content-security-policy"].startswith("default-src 'none'")
            assert answer.headers["cache-control"] == "no-store"
        return answer.status
    finally:
        connection.close()


@pytest.mark.parametrize("origin", FOREIGN)
def test_another_sites_page_cannot_open_the_websocket(web_server: RxChat, member: httpx.Client, origin: str) -> None:
    cookie = "; ".join(f"{name}={value}" for name, value in member.cookies.items())
    assert opened(web_server, origin.format(port=web_server.port), cookie) == 403


@pytest.mark.parametrize("origin", ["http://127.0.0.1:{port}", "http://localhost:{port}", EXTRA_ORIGIN, None], ids=str)
def test_our_own_pages_and_those_that_are_named_can(web_server: RxChat, origin: str | None) -> None:
    assert opened(web_server, origin and origin.format(port=web_server.port)) == 101


@pytest.mark.parametrize("path", ["/", "/c/x", "/api/auth/sign-in", "/healthz", "/assets/x.js"])
def test_there_is_a_websocket_at_one_place_only(web_server: RxChat, path: str) -> None:
    assert opened(web_server, web_server.url, path=path) == 403
    assert "Traceback" not in web_server.web_log()


@pytest.mark.parametrize("origin", [origin for origin in FOREIGN if origin not in {"", "http://127.0.0.1:{port}/"}])
def test_another_sites_page_changes_nothing(web_server: RxChat, member: httpx.Client, origin: str) -> None:
    answer = member.post("/api/auth/sign-out", headers={"origin": origin.format(port=web_server.port)})
    assert answer.status_code == 403 and "set-cookie" not in answer.headers
    assert member.get("/").status_code == 200


def test_a_browser_that_says_no_origin_but_where_it_comes_from_changes_nothing(member: httpx.Client) -> None:
    del member.headers["origin"]
    assert member.post("/api/auth/sign-out", headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert member.get("/").status_code == 200


def test_a_named_origins_page_may_sign_out(member: httpx.Client) -> None:
    assert member.post("/api/auth/sign-out", headers={"origin": EXTRA_ORIGIN}).status_code == 204
    assert member.get("/").status_code == 303


@pytest.mark.parametrize("path", ["/", "/sign-in", "/healthz", "/api/openapi.json", "/api/auth/sign-in", "/_event/"])
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_no_answer_can_be_read_by_another_sites_page(member: httpx.Client, method: str, path: str) -> None:
    headers = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    answer = member.request(method, path, headers=headers)
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.anyio
async def test_a_front_that_knows_no_origin_lets_no_page_in() -> None:
    sent = []

    async def page(scope, receive, send) -> None:
        await send({"type": "websocket.accept"})

    async def send(message) -> None:
        sent.append(message["type"])

    for headers in ([(b"origin", b"http://127.0.0.1:8000")], []):
        scope = {"type": "websocket", "scheme": "ws", "path": "/_event/", "headers": headers, "client": ("::1", 1)}
        await Gateway(page, page, Settings.model_validate({}))(scope, None, send)  # pyright: ignore[reportArgumentType]
    assert sent == ["websocket.close", "websocket.accept"]

"""Door 2: sign-in, health and the front of the house, over HTTP and on real services."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from itertools import product
from urllib.parse import quote

import httpx
import pytest
from starlette.responses import PlainTextResponse

from rxchat.api.gateway import Gateway
from rxchat.api.routes import build_api
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.peers.scripted_ollama import ScriptedOllama
from tests.security.http import Open, api_of, http_clients

pytestmark = pytest.mark.anyio

ORIGIN = "http://127.0.0.1:8000"
PERSON = {"name": "Ada", "email": "ada@example.org", "password": "correct horse battery"}


@pytest.fixture
async def http(services: Services, settings: Settings) -> AsyncGenerator[httpx.AsyncClient]:
    """A browser's view of the whole house; the pages are a stand-in, everything else is real."""
    assert services
    front = Gateway(PlainTextResponse("a page"), api_of(settings), settings)
    transport = httpx.ASGITransport(app=front, client=("10.1.2.3", 1234))
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers={"origin": ORIGIN}) as client:
        yield client


@pytest.fixture
async def clients(services: Services, settings: Settings) -> AsyncGenerator[Open]:
    """The same from several addresses."""
    assert services
    async with http_clients(settings) as opened:
        yield opened


@pytest.fixture
async def operator(services: Services, settings: Settings) -> AsyncGenerator[httpx.AsyncClient]:
    """The machine itself, which asks how things are."""
    assert services
    front = Gateway(PlainTextResponse("a page"), api_of(settings), settings)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=front), base_url=ORIGIN) as client:
        yield client


async def set_up(http: httpx.AsyncClient, services: Services) -> httpx.Response:
    return await http.post(
        "/api/auth/setup", json={"token": await services.accounts.registration.setup_token(), **PERSON}
    )


async def test_the_first_administrator_gets_a_cookie_that_scripts_cannot_read(http, services: Services) -> None:
    answer = await set_up(http, services)
    assert answer.json() == {"next": "in"}
    cookie = answer.headers.get_list("set-cookie")[0]
    assert cookie.startswith("rxchat_session=v4.local.")
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
    assert (await http.get("/")).text == "a page"


async def test_over_https_the_cookie_belongs_to_this_host_alone(services: Services, settings: Settings) -> None:
    public = settings.model_copy(update={"public_url": "https://chat.example.org"})
    front = Gateway(PlainTextResponse("a page"), build_api(public, ["https://chat.example.org"]), public)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=front), base_url="https://chat.example.org"
    ) as client:
        cookies = (await set_up(client, services)).headers.get_list("set-cookie")
    cookie = cookies[0]
    assert all(item.startswith("__Host-") for item in cookies)
    assert cookie.startswith("__Host-rxchat_session=") and "Secure" in cookie and "Domain" not in cookie


async def test_signing_out_ends_the_session_on_the_server_too(http, services: Services) -> None:
    await set_up(http, services)
    stolen = http.cookies["rxchat_session"]
    answer = await http.post("/api/auth/sign-out")
    assert answer.status_code == 204 and 'rxchat_session=""' in answer.headers["set-cookie"]
    http.cookies.set("rxchat_session", stolen)
    assert (await http.get("/")).headers["location"] == "/sign-in"
    assert (await http.post("/api/auth/sign-out")).status_code == 204


async def test_the_administration_begins_with_people(http, services: Services) -> None:
    await set_up(http, services)
    for path in ("/admin", "/admin/"):
        answer = await http.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/admin/users")
    assert (await http.get("/admin/users")).text == "a page"


async def test_signing_in_again_is_a_new_session(http, services: Services) -> None:
    await set_up(http, services)
    first = http.cookies["rxchat_session"]
    http.cookies.clear()
    answer = await http.post("/api/auth/sign-in", json={"email": "ADA@example.org", "password": PERSON["password"]})
    assert answer.json() == {"next": "in"} and http.cookies["rxchat_session"] != first


@pytest.mark.parametrize(
    "body",
    [{"email": "ada@example.org", "password": "wrong"}, {"email": "eve@example.org", "password": "wrong"}],
    ids=["wrong password", "no such account"],
)
async def test_a_refused_sign_in_says_the_same_whoever_it_is(http, services: Services, body) -> None:
    await set_up(http, services)
    http.cookies.clear()
    answer = await http.post("/api/auth/sign-in", json=body)
    assert answer.status_code == 401 and "set-cookie" not in answer.headers
    assert answer.json() == {"error": {"code": "not_signed_in", "message": "Wrong e-mail address or password."}}


async def test_what_cannot_be_read_is_refused_with_a_sentence(clients: Open, subtests: pytest.Subtests) -> None:
    contents = (
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"email": 1, "password": []}',
        b'{"email": "a"}',
        b"\xff\xfe",
        b'{"email":"\\ud800","password":"\\u0000"}',
    )
    for number, (path, content) in enumerate(product(("/api/auth/sign-in", "/api/auth/setup"), contents)):
        with subtests.test(path=path, content=content):
            client = clients(f"10.1.{number}.3")
            answer = await client.post(path, content=content, headers={"content-type": "application/json"})
            assert answer.status_code in {401, 422} and answer.json()["error"]["message"].endswith(".")


async def test_another_sites_page_changes_nothing(http, services: Services, subtests: pytest.Subtests) -> None:
    await set_up(http, services)
    paths = ("/api/auth/sign-in", "/api/auth/sign-out", "/api/auth/setup")
    origins = ("https://evil.example", "null", "http://127.0.0.1:8001", "http://127.0.0.1:8000.evil.example")
    for path, origin in product(paths, origins):
        with subtests.test(path=path, origin=origin):
            answer = await http.post(path, json={}, headers={"origin": origin})
            assert answer.status_code == 403 and answer.json()["error"]["code"] == "not_allowed"
            assert (await http.get("/")).status_code == 200


async def test_an_address_that_is_none_leads_nowhere_the_host_header_names(http) -> None:
    answer = await http.get("/api/collections/", headers={"host": "evil.example"})
    assert answer.status_code == 404 and "location" not in answer.headers


@pytest.mark.parametrize("path", ["/", "/c/0190", "/c/x?y=1"])
async def test_a_chat_page_is_only_for_who_is_signed_in(http, path: str) -> None:
    answer = await http.get(path)
    assert answer.status_code == 303
    assert answer.headers["location"] == ("/sign-in" if path == "/" else f"/sign-in?next={quote(path, safe='/')}")
    for cookie in ("", "nonsense", "v4.local.AAAA"):
        assert (await http.get(path, headers={"cookie": f"rxchat_session={cookie}"})).status_code == 303


async def test_the_odd_cookies_of_other_programs_on_this_host_are_in_nobodys_way(http, services: Services) -> None:
    await set_up(http, services)
    own = http.cookies["rxchat_session"]
    http.cookies.clear()
    for odd in ('a={"b": "c"}', 'x="', "=", "[1]=2", "né=1"):
        cookie = f"{odd}; rxchat_session={own}; {odd}".encode()
        assert (await http.get("/", headers=[(b"cookie", cookie)])).status_code == 200, odd


async def test_every_answer_forbids_framing_and_sniffing_and_private_ones_are_not_kept(
    http, services: Services
) -> None:
    await set_up(http, services)
    for path in ("/", "/sign-in", "/assets/x.js", "/healthz", "/readyz", "/metrics", "/api/nothing"):
        headers = (await http.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"
    assert (await http.get("/assets/x.js")).headers["cache-control"].endswith("immutable")
    assert (await http.get("/readyz")).headers["cache-control"] == "no-store"


async def test_it_is_alive_and_ready_and_counts(operator) -> None:
    assert (await operator.get("/healthz")).json()["status"] == "ok"
    ready = await operator.get("/readyz")
    assert ready.status_code == 200
    assert ready.json() == {
        "ready": True,
        "parts": {"models": "ok", "database": "ok", "migrations": "ok", "redis": "ok", "files": "ok"},
    }
    assert "rxchat_runs_active" in (await operator.get("/metrics")).text


async def test_operators_alone_see_metrics_and_what_is_missing(
    services: Services, settings: Settings, subtests: pytest.Subtests
) -> None:
    assert services
    for values, address, sent, is_shown in (
        ({}, "127.0.0.1", "", True),
        ({}, "203.0.113.7", "", False),
        ({"RXCHAT_METRICS_TOKEN": "a long token"}, "203.0.113.7", "Bearer a long token", True),
        ({"RXCHAT_METRICS_TOKEN": "a long token"}, "127.0.0.1", "", False),
        ({"RXCHAT_METRICS_TOKEN": "a long token"}, "203.0.113.7", "Bearer another", False),
        ({"RXCHAT_METRICS_TOKEN": "a long token"}, "203.0.113.7", "Bearer \u00e4", False),
        ({"RXCHAT_PUBLIC_URL": "https://chat.example.org"}, "127.0.0.1", "", False),
    ):
        chosen = Settings.model_validate(settings.model_dump(by_alias=True, exclude_unset=True) | values)
        front = Gateway(PlainTextResponse("a page"), api_of(chosen), chosen)
        transport = httpx.ASGITransport(app=front, client=(address, 1))
        headers = [(b"authorization", sent.encode())] if sent else []
        with subtests.test(values=values, address=address, sent=sent):
            async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers) as client:
                assert (await client.get("/metrics")).status_code == (200 if is_shown else 404)
                ready = await client.get("/readyz")
                assert ready.status_code == 200 and ("parts" in ready.json()) == is_shown


async def test_what_is_missing_is_named(operator, ollama: ScriptedOllama) -> None:
    await ollama.stop()
    answer = await operator.get("/readyz")
    assert answer.status_code == 503
    parts = answer.json()["parts"]
    assert "does not respond" in parts["models"] and parts["database"] == "ok"
    # The machine itself asks: an operator is told which host it is.
    assert ollama.host in parts["models"]


@pytest.mark.parametrize("announced", [None, "2", "64001", "nonsense", "-1", "9" * 30])
async def test_a_body_that_is_too_large_is_not_read_whatever_is_said_of_its_length(http, announced: str | None) -> None:
    read = 0

    async def endless() -> AsyncGenerator[bytes]:
        nonlocal read
        while read < 10_000_000:
            read += 10_000
            yield b"x" * 10_000

    headers = {} if announced is None else {"content-length": announced}
    answer = await http.post("/api/auth/sign-in", content=endless(), headers=headers)
    assert answer.status_code == 413 and "64,000 bytes" in answer.json()["error"]["message"]
    assert read < 100_000


async def test_a_body_without_a_length_is_read_when_it_is_small(http) -> None:
    async def small() -> AsyncGenerator[bytes]:
        yield b'{"email": "ada@example.org",'
        yield b' "password": "x"}'

    answer = await http.post("/api/auth/sign-in", content=small(), headers={"content-type": "application/json"})
    assert answer.status_code == 401


async def test_a_body_that_trickles_in_is_given_up(http, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rxchat.api.bodies._BODY_SECONDS", 0.1)

    async def slow() -> AsyncGenerator[bytes]:
        while True:
            await asyncio.sleep(0.02)
            yield b"x"

    answer = await http.post("/api/auth/sign-in", content=slow())
    assert (answer.status_code, answer.json()["error"]["code"]) == (408, "too_slow")


async def test_whatever_is_wrong_with_a_request_has_one_form(clients: Open, subtests: pytest.Subtests) -> None:
    wrong = (
        ("GET", "/api/nothing", b""),
        ("PUT", "/api/auth/sign-in", b""),
        ("POST", "/api/auth/sign-in", b"{"),
        ("POST", "/api/auth/sign-in", b"\xff\xfe{"),
        ("POST", "/api/auth/sign-in", b'{"email": "' + b"\xed\xa0\x80" + b'"}'),
        ("POST", "/api/auth/sign-in", b"[" * 60_000),
    )
    for number, (method, path, content) in enumerate(wrong):
        with subtests.test(method=method, path=path, content=content[:20]):
            client = clients(f"10.1.{number}.3")
            answer = await client.request(method, path, content=content, headers={"content-type": "application/json"})
            assert 400 <= answer.status_code < 500
            assert set(answer.json()) == {"error"} and set(answer.json()["error"]) == {"code", "message"}
            assert answer.json()["error"]["message"].endswith((".", "?"))


async def test_an_unknown_address_of_the_api_is_not_a_page(http) -> None:
    assert (await http.get("/api/nothing")).status_code == 404

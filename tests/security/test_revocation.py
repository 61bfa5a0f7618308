"""Rows 11 and 16: whoever is signed out, suspended, demoted or has a new password is out at every door, with Redis or not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from itertools import product

import httpx
import psycopg
import pytest
from reflex.utils.token_manager import LocalTokenManager

from rxchat.connections import Connections
from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.lifespan import running
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from rxchat.states.chat.thread import ThreadState
from rxchat.states.platform import session_watchdog
from rxchat.states.platform.tab_registry import tabs
from tests.factories import PASSWORD
from tests.security.http import Open, create_user, http_clients, sign_in
from tests.tab import open_tab

pytestmark = pytest.mark.anyio

WITHIN_SECONDS = 5.0
Event = Callable[[Services, str, CurrentUser, httpx.AsyncClient, Open], Awaitable[object]]


async def suspend(
    services: Services, owner_url: str, current_user: CurrentUser, _client: httpx.AsyncClient, _more: Open
) -> None:
    admin = await create_user(services, owner_url, "Admin", "admin")
    await services.access.user_admin.suspend(admin, current_user.user_id, ClientInfo(), is_suspended=True)


async def demote(
    services: Services, owner_url: str, current_user: CurrentUser, _client: httpx.AsyncClient, _more: Open
) -> None:
    admin = await create_user(services, owner_url, "Admin", "admin")
    await services.access.user_admin.set_role(admin, current_user.user_id, "guest", ClientInfo())


async def end_sessions(
    services: Services, owner_url: str, current_user: CurrentUser, _client: httpx.AsyncClient, _more: Open
) -> None:
    admin = await create_user(services, owner_url, "Admin", "admin")
    await services.access.user_admin.end_sessions(admin, current_user.user_id, ClientInfo())


async def sign_out(
    _services: Services, _owner_url: str, _current_user: CurrentUser, client: httpx.AsyncClient, _more: Open
) -> None:
    kept = dict(client.cookies)
    assert (await client.post("/api/auth/sign-out")).status_code == 204
    client.cookies.update(kept)


async def change_password_elsewhere(
    services: Services, owner_url: str, current_user: CurrentUser, client: httpx.AsyncClient, more: Open
) -> None:
    other = more("198.51.100.9")
    await sign_in(other, current_user)
    body = {"present": PASSWORD, "wanted": "another long sentence"}
    assert (await other.post("/api/me/password", json=body)).status_code == 204


async def suspend_in_the_database(
    services: Services, owner_url: str, current_user: CurrentUser, _client: httpx.AsyncClient, _more: Open
) -> None:
    """Somebody with a database shell, or another process."""
    await asyncio.to_thread(_suspend, owner_url, current_user)


def _suspend(owner_url: str, current_user: CurrentUser) -> None:
    with psycopg.connect(owner_url) as connection:
        connection.execute("UPDATE user_account SET suspended_at = now() WHERE id = %s", (current_user.user_id,))


EVENTS: list[Event] = [suspend, demote, end_sessions, sign_out, change_password_elsewhere, suspend_in_the_database]


@pytest.fixture(params=["redis", "no redis"])
async def running_services(
    request: pytest.FixtureRequest, settings: Settings, at: Connections
) -> AsyncGenerator[Services]:
    where = at if request.param == "redis" else replace(at, redis_url=None)
    async with running(settings, where) as services:
        await services.platform.pg_listener.listening.wait()
        yield services


async def is_out(client: httpx.AsyncClient, headers: dict[str, str] | None = None) -> float:
    """Return after how many seconds the door was shut."""
    began = time.monotonic()
    while (answer := await client.get("/api/me", headers=headers)).status_code != 401:
        assert answer.status_code == 200
        assert time.monotonic() - began < WITHIN_SECONDS, "the door is still open"
        await asyncio.sleep(0.02)
    return time.monotonic() - began


async def test_the_cookie_stops_working(
    running_services: Services, settings: Settings, owner_url: str, subtests: pytest.Subtests
) -> None:
    for number, event in enumerate(EVENTS):
        with subtests.test(event=event.__name__):
            async with http_clients(settings) as clients:
                client, current_user = clients(f"10.0.{number}.1"), await create_user(running_services, owner_url)
                await sign_in(client, current_user)
                assert (await client.get("/api/me")).status_code == 200
                await event(running_services, owner_url, current_user, client, clients)
                await is_out(client)
                assert (await client.get("/")).headers["location"] == "/sign-in"


async def test_a_programs_tokens_stop_working(
    running_services: Services, settings: Settings, owner_url: str, subtests: pytest.Subtests
) -> None:
    for number, event in enumerate(item for item in EVENTS if item is not sign_out):
        with subtests.test(event=event.__name__):
            async with http_clients(settings) as clients:
                program, current_user = clients(f"10.0.{number}.1"), await create_user(running_services, owner_url)
                body = {"email": current_user.email, "password": PASSWORD}
                pair = (await program.post("/api/auth/token", json=body)).json()
                headers = {"authorization": f"Bearer {pair['access_token']}"}
                assert (await program.get("/api/me", headers=headers)).status_code == 200
                await event(running_services, owner_url, current_user, program, clients)
                await is_out(program, headers)
                refresh = await program.post("/api/auth/token/refresh", json={"refresh_token": pair["refresh_token"]})
                assert refresh.status_code == 401


async def test_an_api_key_stops_working(
    running_services: Services, settings: Settings, owner_url: str, subtests: pytest.Subtests
) -> None:
    events = (suspend, suspend_in_the_database, change_password_elsewhere)
    for number, (event, header) in enumerate(product(events, ("authorization", "x-api-key"))):
        with subtests.test(event=event.__name__, header=header):
            async with http_clients(settings) as clients:
                program, current_user = clients(f"10.0.{number}.1"), await create_user(running_services, owner_url)
                _, key = await running_services.accounts.api_credentials.create_key(
                    current_user, name="k", scopes=["read"], days=None, client_info=ClientInfo()
                )
                headers = {header: f"Bearer {key}" if header == "authorization" else key}
                assert (await program.get("/api/me", headers=headers)).status_code == 200
                await event(running_services, owner_url, current_user, program, clients)
                await is_out(program, headers)


async def test_a_demoted_administrators_key_administers_no_more(
    running_services: Services, settings: Settings, owner_url: str
) -> None:
    boss = await create_user(running_services, owner_url, "Boss", "admin")
    current_user = await create_user(running_services, owner_url, "Deputy", "admin")
    _, key = await running_services.accounts.api_credentials.create_key(
        current_user, name="k", scopes=["read", "admin"], days=None, client_info=ClientInfo()
    )
    async with http_clients(settings) as clients:
        program = clients()
        headers = {"x-api-key": key}
        assert (await program.get("/api/admin/users", headers=headers)).status_code == 200
        await running_services.access.user_admin.set_role(boss, current_user.user_id, "member", ClientInfo())
        assert (await program.get("/api/admin/users", headers=headers)).status_code in {401, 403}


class Socket:
    """A browser's socket as Reflex's namespace knows it: what was sent over it, and whether it is still there."""

    def __init__(self, token: str) -> None:
        self._token_manager = LocalTokenManager()
        self._token = token
        self.sent: list[str] = []

    async def open(self) -> None:
        await self._token_manager.link_token_to_sid(self._token, "sid")

    @property
    def is_open(self) -> bool:
        return self._token in self._token_manager.token_to_socket

    async def emit_update(self, update: object, token: str) -> None:
        self.sent.append(f"{token} {update}")

    async def disconnect(self, sid: str) -> None:
        await self._token_manager.disconnect_token(self._token, sid)


async def test_an_open_socket_is_led_away_and_closed(
    running_services: Services,
    settings: Settings,
    owner_url: str,
    monkeypatch: pytest.MonkeyPatch,
    subtests: pytest.Subtests,
) -> None:
    for number, event in enumerate(EVENTS):
        with subtests.test(event=event.__name__):
            current_user = await create_user(running_services, owner_url)
            async with http_clients(settings) as clients:
                client = clients(f"10.0.{number}.1")
                await sign_in(client, current_user)
                async with session_watchdog.watching(), open_tab(client.cookies["rxchat_session"]) as tab:
                    await tab.send_event(ThreadState, "open")
                    await tab.until(lambda tab=tab: tab.patches)
                    socket = Socket(tab.token)
                    await socket.open()
                    monkeypatch.setattr(tabs, "_namespace", socket)
                    await event(running_services, owner_url, current_user, client, clients)
                    async with asyncio.timeout(WITHIN_SECONDS):
                        while socket.is_open:
                            await asyncio.sleep(0.02)
                    assert "/sign-in?next=/" in socket.sent[0]


async def test_a_cookie_counts_no_more_while_nobody_tells_of_changes(
    running_services: Services, settings: Settings, owner_url: str
) -> None:
    current_user = await create_user(running_services, owner_url)
    async with http_clients(settings) as clients:
        client = clients()
        await sign_in(client, current_user)
        assert (await client.get("/api/me")).status_code == 200
        await running_services.platform.pg_listener.stop()
        running_services.platform.pg_listener.listening.clear()
        await suspend_in_the_database(running_services, owner_url, current_user, client, clients)
        assert (await client.get("/api/me")).status_code == 401


async def test_a_session_has_a_new_id_each_day_and_after_a_new_password(
    running_services: Services, settings: Settings, owner_url: str
) -> None:
    current_user = await create_user(running_services, owner_url)
    async with http_clients(settings) as clients:
        client, thief = clients(), clients()
        await sign_in(client, current_user)
        first = client.cookies["rxchat_session"]
        assert (await client.get("/")).headers.get("set-cookie") is None
        age(owner_url, "25 hours")
        assert (await client.get("/api/me")).headers.get("set-cookie") is None, "only a page brings a new one"
        assert (await client.get("/c/x")).status_code == 200
        second = client.cookies["rxchat_session"]
        assert second != first
        thief.cookies.set("rxchat_session", first)
        assert (await thief.get("/api/me")).status_code == 200, "for the pages that were on their way"
        age(owner_url, "31 seconds")
        assert await is_out(thief) < WITHIN_SECONDS
        assert (await client.get("/api/me")).status_code == 200
        assert [item["is_this"] for item in (await client.get("/api/me/sessions")).json()] == [True]
        await client.post("/api/me/password", json={"present": PASSWORD, "wanted": "another long sentence"})
        await client.get("/")
        assert client.cookies["rxchat_session"] not in {first, second}
        assert (await client.get("/api/me")).status_code == 200


def age(owner_url: str, by: str) -> None:
    with psycopg.connect(owner_url) as connection:
        connection.execute("UPDATE user_session SET rotated_at = rotated_at - %s::interval", (by,))

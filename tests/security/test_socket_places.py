"""Whose places sockets take: a cookie that does not count (any more) takes none of its user's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
import pytest
from starlette.types import Message, Receive, Scope, Send

from rxchat.api.gateway import Gateway
from rxchat.api.requests import cookie_name
from rxchat.db.accounts import sessions as session_rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.errors import DatabaseUnavailable
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.factories import add_user, signed_in_as

pytestmark = pytest.mark.anyio

CALLER = ClientInfo("203.0.113.7", "a browser")


class Places:
    """For whom places were taken."""

    def __init__(self) -> None:
        self.taken: list[UUID | None] = []

    @contextmanager
    def place(self, user_id: UUID | None, address: str) -> Iterator[None]:
        assert address
        self.taken.append(user_id)
        yield

    def limit_messages(self, scope: Scope, user_id: UUID | None) -> None:
        """No server is there that could hold anything."""


async def closing(scope: Scope, receive: Receive, send: Send) -> None:
    """A page that takes the socket, and closes it."""
    assert (scope["type"], (await receive())["type"]) == ("websocket", "websocket.connect")
    await send({"type": "websocket.close", "code": 1000})


async def taken_for(settings: Settings, *cookies: str) -> list[UUID | None]:
    """Open a socket with each cookie, and return for whom they took a place."""
    front, places = Gateway(closing, closing, settings), Places()
    front._sockets = places  # pyright: ignore[reportAttributeAccessIssue]

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        assert message["type"] == "websocket.close"

    for cookie in cookies:
        headers = [(b"cookie", f"{cookie_name(settings)}={cookie}".encode())] if cookie else []
        scope = {
            "type": "websocket", "scheme": "ws", "path": "/_event/", "headers": headers, "client": ("203.0.113.7", 1),
        }  # fmt: skip
        await front(scope, receive, send)
    return places.taken


async def test_a_cookie_whose_sign_in_has_ended_counts_as_none(
    services: Services, settings: Settings, current_user: CurrentUser
) -> None:
    living, ended = await signed_in_as(services, current_user), await signed_in_as(services, current_user)
    await services.accounts.sessions.sign_out(await services.accounts.sessions.current_user(ended), CALLER)
    found = await taken_for(settings, living, ended, "", "made up")
    assert found == [current_user.user_id, None, None, None]


async def test_a_suspended_users_cookie_counts_as_none(
    services: Services, settings: Settings, current_user: CurrentUser, owner_url: str
) -> None:
    cookie = await signed_in_as(services, current_user)
    assert await taken_for(settings, cookie) == [current_user.user_id]
    admin = add_user(owner_url, "Root", "admin")
    await services.access.user_admin.suspend(admin, current_user.user_id, CALLER, is_suspended=True)
    assert await taken_for(settings, cookie) == [None]


async def test_a_thousand_sockets_cost_a_read_of_the_database_and_not_a_thousand(
    services: Services, settings: Settings, current_user: CurrentUser, owner_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    living, ended = await signed_in_as(services, current_user), await signed_in_as(services, current_user)
    with psycopg.connect(owner_url) as connection:
        connection.execute(
            "UPDATE user_session SET expires_at = now() WHERE id = %s",
            (services.accounts.sessions._tokens.open_session(ended).session_id,),
        )
    reads, behind = [], session_rows.load

    async def counted(*facts):
        reads.append(facts[2])
        return await behind(*facts)

    monkeypatch.setattr(session_rows, "load", counted)
    monkeypatch.setattr("rxchat.services.accounts.sessions._REMEMBER_SECONDS", 3_600.0)
    assert await taken_for(settings, *[ended] * 500, *[living] * 500) == [None] * 500 + [current_user.user_id] * 500
    assert len(reads) == 2


async def test_while_the_database_is_away_a_socket_is_its_cookies_users(
    services: Services, settings: Settings, current_user: CurrentUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    cookie = await signed_in_as(services, current_user)

    def away(*_: object, **__: object) -> None:
        raise DatabaseUnavailable

    monkeypatch.setattr(Database, "begin", away)
    monkeypatch.setattr(Database, "_read", away)
    assert await taken_for(settings, cookie, "made up") == [current_user.user_id, None]
    monkeypatch.undo()

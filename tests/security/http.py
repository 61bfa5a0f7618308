"""The whole house as browsers and programs reach it over HTTP, and people who live in it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
from fastapi import FastAPI
from pyotp.totp import TOTP
from starlette.responses import PlainTextResponse

from rxchat.api.gateway import Gateway
from rxchat.api.routes import build_api
from rxchat.domain.accounts import CurrentUser, password_version
from rxchat.services.accounts.passwords import Passwords
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.factories import PASSWORD, add_user

ORIGIN = "http://127.0.0.1:8000"
Open = Callable[..., httpx.AsyncClient]
_API = build_api(Settings.model_validate({}), [])


def api_of(settings: Settings) -> FastAPI:
    """The HTTP API with other settings: one for all tests, since its routes are worked out at their first requests."""
    _API.state.settings, _API.state.own_origins = settings, frozenset(settings.own_origins)
    return _API


@asynccontextmanager
async def http_clients(settings: Settings) -> AsyncGenerator[Open]:
    """Make clients, each with cookies and an address of its own; the pages are a stand-in, everything else is real."""
    front = Gateway(PlainTextResponse("a page"), api_of(settings), settings)
    async with AsyncExitStack() as clients:

        def open_client(address: str = "203.0.113.7", **headers: str) -> httpx.AsyncClient:
            client = httpx.AsyncClient(
                transport=httpx.ASGITransport(app=front, client=(address, 1234)),
                base_url=ORIGIN,
                headers={"origin": ORIGIN} | headers,
            )
            clients.push_async_callback(client.aclose)
            return client

        yield open_client


async def give_password(services: Services, current_user: CurrentUser, password: str = PASSWORD) -> CurrentUser:
    """Set a user's password, hashed as cheaply as in the tests' settings, and return the user with a later sign-in."""
    from rxchat.db.accounts import accounts as rows

    passwords: Passwords = services.accounts.sign_in._passwords
    hashed = await passwords.hash(password)
    async with services.accounts.sign_in._database.begin(current_user.user_id) as session:
        await rows.set_password_hash(session, current_user.user_id, hashed)
        user = await rows.get_own(session, current_user.user_id)
    assert user
    return replace(current_user, password_version=password_version(user.password_changed_at))


async def create_user(services: Services, owner_url: str, name: str = "Ada", role: str = "member") -> CurrentUser:
    """Add a member with an account and the tests' password."""
    return await give_password(services, add_user(owner_url, name, role))


async def sign_in(client: httpx.AsyncClient, current_user: CurrentUser, password: str = PASSWORD) -> httpx.Response:
    """Sign a user in with their password."""
    return await client.post("/api/auth/sign-in", json={"email": current_user.email, "password": password})


async def set_up_totp(client: httpx.AsyncClient, password: str = PASSWORD) -> tuple[TOTP, list[str]]:
    """Set up an authenticator app for the signed-in user, and return it with the recovery codes."""
    begun = await client.post("/api/me/totp/begin", json={"password": password})
    assert begun.status_code == 200, begun.text
    app = TOTP(begun.json()["secret"])
    confirmed = await client.post("/api/me/totp/confirm", json={"code": app.now()})
    assert confirmed.status_code == 200, confirmed.text
    return app, confirmed.json()["codes"]


def error_of(answer: httpx.Response) -> str:
    """Return the code of an answer's error; Ollama's API has none, and says it in words."""
    found: dict[str, Any] = answer.json()
    error = found.get("error", found)
    return error if isinstance(error, str) else error["code"]


def sentence_of(answer: httpx.Response) -> str:
    """Return the sentence of an answer's error, in the form of its API."""
    found: dict[str, Any] = answer.json()
    error = found.get("error", found)
    return error if isinstance(error, str) else error.get("message") or error["detail"]

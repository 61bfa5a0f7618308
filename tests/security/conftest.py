"""A real server to get into, with an account and a session."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator

import httpx
import pytest

from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.journeys.browser import EMAIL, PASSWORD
from tests.journeys.conftest import create_account
from tests.journeys.server import RxChat
from tests.security.http import Open, http_clients

EXTRA_ORIGIN = "https://chat.internal"


@pytest.fixture(scope="package")
def web_server() -> Iterator[RxChat]:
    """A server with its first administrator, and one more origin than its own."""
    found = RxChat("http://127.0.0.1:9", RXCHAT_EXTRA_ORIGINS=EXTRA_ORIGIN)
    try:
        found.start()
        create_account(found)
        yield found
    finally:
        found.remove()


@pytest.fixture
def stranger(web_server: RxChat) -> Iterator[httpx.Client]:
    """An HTTP client without credentials."""
    with httpx.Client(base_url=web_server.url, trust_env=False) as client:
        yield client


@pytest.fixture
def member(web_server: RxChat) -> Iterator[httpx.Client]:
    """A browser in which the administrator is signed in."""
    with httpx.Client(base_url=web_server.url, trust_env=False, headers={"origin": web_server.url}) as client:
        client.post("/api/auth/sign-in", json={"email": EMAIL, "password": PASSWORD}).raise_for_status()
        yield client


@pytest.fixture
async def clients(services: Services, settings: Settings) -> AsyncGenerator[Open]:
    """Create HTTP clients of the server."""
    assert services
    async with http_clients(settings) as made:
        yield made

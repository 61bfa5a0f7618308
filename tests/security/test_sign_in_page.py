"""What the sign-in page is told: where signing in stands, and why somebody was signed out."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
from pyotp.totp import TOTP

from rxchat.domain.accounts import ClientInfo
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.factories import PASSWORD, add_user
from tests.security.http import Open, create_user, http_clients, sign_in

pytestmark = pytest.mark.anyio

CALLER = ClientInfo("127.0.0.1", "a browser")


@pytest.fixture
async def clients(services: Services, settings: Settings) -> AsyncGenerator[Open]:
    assert services
    async with http_clients(settings) as made:
        yield made


async def offered(client) -> dict[str, str]:
    return (await client.get("/api/auth/offer")).json()


async def test_before_the_first_account_the_page_is_told_so(clients: Open, owner_url: str) -> None:
    client = clients()
    assert (await client.get("/api/auth/offer")).json()["is_set_up"] is False
    add_user(owner_url, "Ada")
    assert (await client.get("/api/auth/offer")).json()["is_set_up"] is True


async def test_a_page_that_is_loaded_again_at_the_code_step_keeps_the_step(
    services: Services, clients: Open, owner_url: str
) -> None:
    current_user, client = await create_user(services, owner_url), clients()
    assert (await offered(client))["step"] == "password"
    await sign_in(client, current_user)
    seen = await services.accounts.sessions.current_user(client.cookies["rxchat_session"])
    offer = await services.accounts.second_factors.begin_totp(seen)
    await services.accounts.second_factors.confirm_totp(seen, TOTP(offer.secret).now(), CALLER)
    second = clients()
    assert (await sign_in(second, current_user)).json() == {"next": "second-factor"}
    assert (await offered(second))["step"] == "second-factor"
    await second.post("/api/auth/start-over", json={})
    assert (await offered(second))["step"] == "password"


async def test_who_was_signed_out_by_others_is_told_why(services: Services, clients: Open, owner_url: str) -> None:
    admin = add_user(owner_url, "Grace", role="admin")
    current_user, client, other = await create_user(services, owner_url), clients(), clients("203.0.113.8")

    async def told() -> str:
        services.accounts.sessions._known.clear()
        return (await offered(client))["ended"]

    await sign_in(client, current_user)
    assert await told() == ""
    await services.access.user_admin.end_sessions(admin, current_user.user_id, CALLER)
    assert await told() == "administrator"
    await sign_in(client, current_user)
    await sign_in(other, current_user)
    seen = await services.accounts.sessions.current_user(other.cookies["rxchat_session"])
    await services.accounts.sessions.end_others(seen, CALLER)
    assert await told() == "elsewhere"
    await sign_in(client, current_user)
    await services.accounts.password_reset.change(
        seen, present=PASSWORD, wanted="an entirely new one", client_info=CALLER
    )
    assert await told() == "password"


async def test_who_signed_out_by_themselves_is_told_nothing(services: Services, clients: Open, owner_url: str) -> None:
    current_user, client = await create_user(services, owner_url), clients()
    await sign_in(client, current_user)
    assert (await client.post("/api/auth/sign-out", json={})).status_code == 204
    assert (await offered(client))["ended"] == ""

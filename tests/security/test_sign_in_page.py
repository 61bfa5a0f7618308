"""What the sign-in page is told: where signing in stands, and why somebody was signed out."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
from pyotp.totp import TOTP

from rxchat.domain.accounts import Caller
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.factories import PASSWORD, add_viewer
from tests.security.house import Open, doors, person, sign_in

pytestmark = pytest.mark.anyio

CALLER = Caller("127.0.0.1", "a browser")


@pytest.fixture
async def clients(services: Services, settings: Settings) -> AsyncGenerator[Open]:
    assert services
    async with doors(settings) as made:
        yield made


async def offered(client) -> dict[str, str]:
    return (await client.get("/api/auth/offer")).json()


async def test_a_page_that_is_loaded_again_at_the_code_step_keeps_the_step(
    services: Services, clients: Open, owner_url: str
) -> None:
    viewer, client = await person(services, owner_url), clients()
    assert (await offered(client))["step"] == "password"
    await sign_in(client, viewer)
    seen = await services.sessions.viewer(client.cookies["rxchat_session"])
    offer = await services.second_factors.begin_totp(seen)
    await services.second_factors.confirm_totp(seen, TOTP(offer.secret).now(), CALLER)
    second = clients()
    assert (await sign_in(second, viewer)).json() == {"next": "second-factor"}
    assert (await offered(second))["step"] == "second-factor"
    await second.post("/api/auth/start-over", json={})
    assert (await offered(second))["step"] == "password"


async def test_who_was_signed_out_by_others_is_told_why(services: Services, clients: Open, owner_url: str) -> None:
    admin = add_viewer(owner_url, "Grace", role="admin")
    viewer, client, other = await person(services, owner_url), clients(), clients("203.0.113.8")

    async def told() -> str:
        services.sessions._known.clear()
        return (await offered(client))["ended"]

    await sign_in(client, viewer)
    assert await told() == ""
    await services.people.end_sessions(admin, viewer.user_id, CALLER)
    assert await told() == "administrator"
    await sign_in(client, viewer)
    await sign_in(other, viewer)
    seen = await services.sessions.viewer(other.cookies["rxchat_session"])
    await services.sessions.end_others(seen, CALLER)
    assert await told() == "elsewhere"
    await sign_in(client, viewer)
    await services.password_changes.change(seen, present=PASSWORD, wanted="an entirely new one", caller=CALLER)
    assert await told() == "password"


async def test_who_signed_out_by_themselves_is_told_nothing(services: Services, clients: Open, owner_url: str) -> None:
    viewer, client = await person(services, owner_url), clients()
    await sign_in(client, viewer)
    assert (await client.post("/api/auth/sign-out", json={})).status_code == 204
    assert (await offered(client))["ended"] == ""

"""Who has to set up a second factor first gets to the pages where that is done, and to nothing else."""

from __future__ import annotations

import pytest

from rxchat.domain.accounts import ClientInfo
from rxchat.services.app.container import Services
from tests.factories import add_user
from tests.security.http import Open, create_user, error_of, set_up_totp, sign_in

pytestmark = [pytest.mark.anyio, pytest.mark.without_engine]

PAGES = (
    "/account",
    "/account/security",
    "/account/sessions",
    "/account/keys",
    "/account/quotas",
    "/account/import",
    "/account/data",
)


@pytest.fixture
async def strict(services: Services, owner_url: str) -> None:
    """Everybody needs a second factor."""
    admin = add_user(owner_url, "Root", "admin")
    await services.platform.instance_settings.change(
        admin, ClientInfo("127.0.0.1", "a browser"), second_factor="everybody"
    )


@pytest.mark.parametrize("page", [*PAGES, "/admin/users", "/admin"])
async def test_a_stranger_is_asked_to_sign_in_first(clients: Open, page: str) -> None:
    answer = await clients().get(page)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/sign-in?next={page}")


@pytest.mark.parametrize(
    "page", ["/accounts", "/administration", "/register", "/join", "/forgot", "/reset", "/confirm"]
)
async def test_other_pages_are_for_strangers_too(clients: Open, page: str) -> None:
    assert (await clients().get(page)).status_code == 200


@pytest.mark.usefixtures("strict")
async def test_all_but_the_account_waits_for_the_second_factor(
    services: Services, clients: Open, owner_url: str
) -> None:
    current_user = await create_user(services, owner_url)
    client = clients()
    await sign_in(client, current_user)
    for page in ("/", "/c/anything", "/admin/users"):
        answer = await client.get(page)
        assert (answer.status_code, answer.headers["location"]) == (303, "/account/security")
    for page in PAGES:
        assert (await client.get(page)).status_code == 200
    assert error_of(await client.get("/api/conversations")) == "second_factor_needed"
    await set_up_totp(client)
    assert (await client.get("/")).status_code == 200


async def test_the_sign_in_page_learns_whether_it_is_needed(services: Services, clients: Open, owner_url: str) -> None:
    client = clients()
    assert (await client.get("/api/auth/offer")).json()["is_signed_in"] is False
    await sign_in(client, await create_user(services, owner_url))
    assert (await client.get("/api/auth/offer")).json()["is_signed_in"] is True

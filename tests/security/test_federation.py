"""Rows 18-21: an account elsewhere opens its own account here and no other, and leads nowhere else."""

from __future__ import annotations

import unicodedata
from collections.abc import AsyncGenerator, Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import psycopg
import pytest

from rxchat.connections import Connections
from rxchat.domain.accounts import ClientInfo
from rxchat.domain.text import same_site_path
from rxchat.lifespan import running
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.conftest import empty
from tests.peers.sign_in_provider import SignInProviderHost, visit
from tests.security.http import Open, create_user, set_up_totp, sign_in

pytestmark = [pytest.mark.anyio, pytest.mark.without_engine]

KEYS = ["github", "apple", "oidc"]


@pytest.fixture
def provider(running_providers: SignInProviderHost) -> Iterator[SignInProviderHost]:
    yield running_providers
    running_providers.calm()


@pytest.fixture
async def services(provider: SignInProviderHost, settings: Settings, at: Connections) -> AsyncGenerator[Services]:
    values = (
        settings.model_dump(by_alias=True, exclude_unset=True) | provider.environment | {"RXCHAT_REGISTRATION": "open"}
    )
    async with running(Settings.model_validate(values), at) as found:
        await found.platform.pg_listener.listening.wait()
        # Somebody was there first: a provider never makes the first account.
        yield found
    empty(at.database_owner_url, at.redis_url)


async def visit_with(client: httpx.AsyncClient, address: str, login: str) -> dict[str, str]:
    """Open an address that leads to a provider, sign in there, and return the fields with which the browser comes back."""
    url = (await client.get(address)).headers["location"]
    return await visit(url, login, redirect_uri=parse_qs(urlsplit(url).query)["redirect_uri"][0])


async def away(client: httpx.AsyncClient, key: str, login: str, **wanted: str | bool) -> dict[str, str]:
    """Leave for a provider, sign in there, and return the fields with which the browser comes back."""
    if wanted.keys() & {"link", "invitation"}:
        answer = await client.post(f"/api/auth/providers/{key}", json=wanted)
        assert answer.status_code == 200, answer.text
        url = answer.json()["url"]
    else:
        answer = await client.get(f"/api/auth/providers/{key}", params=wanted)
        assert answer.status_code == 303
        url = answer.headers["location"]
    redirect_uri = parse_qs(urlsplit(url).query)["redirect_uri"][0]
    return await visit(url, login, redirect_uri=redirect_uri)


async def back(client: httpx.AsyncClient, key: str, answer: dict[str, str]) -> str:
    """Come back with these fields, and return where that leads."""
    path = f"/api/auth/providers/{key}/callback"
    if key == "apple":
        posted = await client.post(path, data=answer, headers={"origin": "https://appleid.apple.com"})
        assert posted.status_code == 303 and "set-cookie" not in posted.headers
        path, answer = posted.headers["location"], {}
    found = await client.get(path, params=answer or None)
    assert found.status_code == 303, found.text
    return found.headers["location"]


async def round_trip(client: httpx.AsyncClient, key: str, login: str, **wanted: str | bool) -> str:
    return await back(client, key, await away(client, key, login, **wanted))


def accounts(owner_url: str) -> list[tuple[str, int]]:
    with psycopg.connect(owner_url) as connection:
        return connection.execute(
            "SELECT email, (SELECT count(*) FROM identity WHERE user_id = user_account.id) FROM user_account ORDER BY id"
        ).fetchall()


@pytest.mark.parametrize("key", KEYS)
async def test_it_makes_an_account_and_signs_in_to_it_the_next_time(
    services: Services, clients: Open, owner_url: str, key: str
) -> None:
    await create_user(services, owner_url, "First")
    for _ in range(2):
        client = clients()
        assert await round_trip(client, key, "ada", next="/c/x?y=1") == "/c/x?y=1"
        me = (await client.get("/api/me")).json()
        assert me["email"] == "ada@example.org"
    assert accounts(owner_url)[1:] == [("ada@example.org", 1)]


@pytest.mark.parametrize("key", KEYS)
async def test_the_same_address_never_links_by_itself(
    services: Services, clients: Open, owner_url: str, key: str
) -> None:
    victim = await create_user(services, owner_url, "Bob")
    with psycopg.connect(owner_url) as connection:
        connection.execute("UPDATE user_account SET email = 'bob@example.org' WHERE id = %s", (victim.user_id,))
    for login in ("bob", "mallory+as=bob"):
        client = clients()
        assert await round_trip(client, key, login) == "/sign-in?problem=address_taken"
        assert "rxchat_session" not in client.cookies
    assert accounts(owner_url) == [("bob@example.org", 0)]


@pytest.mark.parametrize("key", ["github", "oidc"])
async def test_an_address_that_is_not_confirmed_there_makes_nothing(
    services: Services, clients: Open, owner_url: str, key: str
) -> None:
    await create_user(services, owner_url, "First")
    missing = "address_unconfirmed" if key == "github" else "address_missing"
    for login, problem in (("eve+unverified", "address_unconfirmed"), ("eve+noemail", missing)):
        assert await round_trip(clients(), key, login) == f"/sign-in?problem={problem}"
    assert len(accounts(owner_url)) == 1


@pytest.mark.parametrize("key", KEYS)
async def test_by_invitation_nobody_makes_an_account_without_one(
    services: Services, clients: Open, owner_url: str, key: str
) -> None:
    admin = await create_user(services, owner_url, "Admin", "admin")
    await services.platform.instance_settings.change(admin, ClientInfo(), registration="invitation")
    assert await round_trip(clients(), key, "carol") == "/sign-in?problem=no_account"
    link, _ = await services.access.user_admin.invite(
        admin, email="carol@team.example", role="guest", client_info=ClientInfo()
    )
    token = link.partition("token=")[2]
    # Another site's page has planted an invitation, and sends the browser off: it is worth nothing.
    victim = clients()
    victim.cookies.set("rxchat_invitation", token)
    elsewhere = await visit_with(victim, f"/api/auth/providers/{key}?invitation=true", "dave")
    assert await back(victim, key, elsewhere) == "/sign-in?problem=no_account"
    posted = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    answer = await victim.post(f"/api/auth/providers/{key}", json={"invitation": True}, headers=posted)
    assert answer.status_code == 403
    browser = clients()
    assert (await browser.post("/api/auth/invitation", json={"token": token})).json() == {"email": "carol@team.example"}
    assert await round_trip(browser, key, "carol", invitation=True) == "/"
    assert ("carol@team.example", 1) in accounts(owner_url)
    late = clients()
    late.cookies.set("rxchat_invitation", token)
    assert await round_trip(late, key, "dave", invitation=True) == "/sign-in?problem=no_account"


@pytest.mark.parametrize("key", KEYS)
async def test_who_comes_without_the_link_uses_the_invitation_of_that_address_however_it_is_written(
    services: Services, clients: Open, owner_url: str, key: str
) -> None:
    admin = await create_user(services, owner_url, "Admin", "admin")
    await services.platform.instance_settings.change(admin, ClientInfo(), registration="invitation")
    composed = "j\u00f6rg"
    await services.access.user_admin.invite(
        admin, email=f"{composed}@example.org", role="guest", client_info=ClientInfo()
    )
    decomposed = unicodedata.normalize("NFD", composed).upper().replace("O\u0308", "o\u0308")
    for _ in range(2):
        # The same person again, with the same account.
        browser = clients()
        assert await round_trip(browser, key, f"subject+as={decomposed}") == "/"
        me = (await browser.get("/api/me")).json()
        assert (me["email"], me["role"]) == (f"{composed}@example.org", "guest")
    assert len(accounts(owner_url)) == 2 and await services.access.user_admin.invitations(admin) == []


@pytest.mark.parametrize("key", KEYS)
async def test_what_one_browser_left_with_is_worth_nothing_in_another(
    services: Services, clients: Open, owner_url: str, key: str
) -> None:
    await create_user(services, owner_url, "First")
    attacker, victim, bystander = clients(), clients(), clients()
    answer = await away(attacker, key, "mallory")
    assert await back(bystander, key, answer) == "/sign-in?problem=provider_broke"
    await away(victim, key, "ada")
    # The victim is on the way, and is handed the attacker's way back.
    assert await back(victim, key, answer) == "/sign-in?problem=provider_broke"
    assert "rxchat_session" not in victim.cookies and "rxchat_session" not in bystander.cookies
    assert len(accounts(owner_url)) == 1


@pytest.mark.parametrize("key", KEYS)
async def test_a_way_back_is_gone_once(services: Services, clients: Open, owner_url: str, key: str) -> None:
    await create_user(services, owner_url, "First")
    client = clients()
    answer = await away(client, key, "ada")
    departure = client.cookies["rxchat_departure"]
    assert await back(client, key, answer) == "/"
    client.cookies.delete("rxchat_session")
    client.cookies.set("rxchat_departure", departure)
    assert "problem=provider_broke" in await back(client, key, answer)


async def test_a_departure_to_one_provider_is_none_from_another(
    services: Services, clients: Open, owner_url: str
) -> None:
    await create_user(services, owner_url, "First")
    client = clients()
    answer = await away(client, "oidc", "ada")
    assert await back(client, "github", answer) == "/sign-in?problem=provider_broke"


@pytest.mark.parametrize("key", KEYS)
async def test_connecting_takes_the_session_that_left(
    services: Services, clients: Open, owner_url: str, key: str
) -> None:
    ada, bob = await create_user(services, owner_url, "Ada"), await create_user(services, owner_url, "Bob")
    client = clients()
    await sign_in(client, ada)
    answer = await away(client, key, "ada", link=True, next="/account/security")
    session = client.cookies["rxchat_session"]
    client.cookies.delete("rxchat_session")
    other = clients()
    await sign_in(other, bob)
    client.cookies.set("rxchat_session", other.cookies["rxchat_session"])
    assert await back(client, key, answer) == "/account?problem=provider_broke"
    client.cookies.set("rxchat_session", session)
    assert await round_trip(client, key, "ada", link=True, next="/account/security") == "/account/security"
    [tied] = await services.accounts.external_login.mine(ada)
    assert tied.provider == key
    # What is one person's is not connected to a second one.
    assert await round_trip(other, key, "ada", link=True) == "/account?problem=conflict"


@pytest.mark.parametrize("key", KEYS)
async def test_the_last_way_to_sign_in_stays(services: Services, clients: Open, owner_url: str, key: str) -> None:
    await create_user(services, owner_url, "First")
    client = clients()
    await round_trip(client, key, "ada")
    current_user = await services.accounts.sessions.current_user(client.cookies["rxchat_session"])
    [tied] = await services.accounts.external_login.mine(current_user)
    answer = await client.post(f"/api/me/identities/{tied.id}/remove", json={})
    assert answer.status_code == 409 and "only way" in answer.json()["error"]["message"]


@pytest.mark.parametrize("key", KEYS)
async def test_it_does_not_walk_around_the_second_factor_or_a_suspension(
    services: Services, clients: Open, owner_url: str, key: str
) -> None:
    await create_user(services, owner_url, "First")
    client = clients()
    await round_trip(client, key, "ada")
    current_user = await services.accounts.sessions.current_user(client.cookies["rxchat_session"])
    app, _ = await set_up_totp(client, "")
    again = clients()
    assert await round_trip(again, key, "ada", next="/c/1") == "/sign-in?step=second-factor&next=/c/1"
    assert "rxchat_session" not in again.cookies
    with psycopg.connect(owner_url) as connection:
        connection.execute("UPDATE totp_secret SET last_step = 0")
    assert (await again.post("/api/auth/second-factor", json={"code": app.now()})).json() == {"next": "in"}
    with psycopg.connect(owner_url) as connection:
        connection.execute("UPDATE user_account SET suspended_at = now() WHERE id = %s", (current_user.user_id,))
    assert "problem=not_signed_in" in await round_trip(clients(), key, "ada")


async def test_no_address_begins_to_connect_an_account_however_one_was_led_there(
    services: Services, clients: Open, owner_url: str
) -> None:
    """As by another site's link to /sign-in?next=/api/auth/providers/oidc?link=true, which makes it a step from our own page."""
    victim = await create_user(services, owner_url)
    client = clients(**{"sec-fetch-site": "same-origin", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"})
    await sign_in(client, victim)
    path = "/api/auth/providers/oidc?link=true&next=/account/security"
    assert same_site_path(path) == "/"
    await back(client, "oidc", await visit_with(client, path, "mallory"))
    assert (victim.email, 0) in accounts(owner_url)
    other = clients()
    assert "problem" not in await round_trip(other, "oidc", "mallory")
    assert (await other.get("/api/me")).json()["email"] != victim.email


@pytest.mark.parametrize("key", KEYS)
async def test_whoever_says_no_is_led_back(services: Services, clients: Open, owner_url: str, key: str) -> None:
    await create_user(services, owner_url, "First")
    client = clients()
    answer = await client.get(f"/api/auth/providers/{key}")
    url = answer.headers["location"]
    redirect_uri = parse_qs(urlsplit(url).query)["redirect_uri"][0]
    refused = await visit(url, "ada", redirect_uri=redirect_uri, refuses="consent")
    assert await back(client, key, refused) == "/sign-in?problem=provider_refused"


async def test_apples_name_comes_once_and_a_relay_address_is_an_address(
    services: Services, clients: Open, owner_url: str
) -> None:
    await create_user(services, owner_url, "First")
    client = clients()
    await round_trip(client, "apple", "grace+private")
    me = (await client.get("/api/me")).json()
    assert me["name"] and "@" in me["email"]
    again = clients()
    await round_trip(again, "apple", "grace+private")
    assert (await again.get("/api/me")).json()["name"] == me["name"]


async def test_a_provider_that_is_not_switched_on_is_not_there(services: Services, clients: Open) -> None:
    answer = await clients().get("/api/auth/providers/google")
    assert answer.headers["location"] == "/sign-in?problem=not_found"


EVIL = [
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https:evil.example",
    "https://evil.example",
    "https:/evil.example",
    "javascript:alert(1)",
    "/\tevil.example",
    "/\n/evil.example",
    "/%09/evil.example/\x00",
    "///evil.example",
    " //evil.example",
    "",
    "c/1",
    "/c\\..\\..\\evil",
    "/" + "x" * 2000,
]


async def test_it_leads_to_no_other_site(
    services: Services, clients: Open, owner_url: str, subtests: pytest.Subtests
) -> None:
    await create_user(services, owner_url, "First")
    for number, path in enumerate(EVIL):
        with subtests.test(path=path[:40]):
            assert same_site_path(path) == "/" or urlsplit(same_site_path(path)).netloc == ""
            # Everybody for the first time, and from elsewhere, as if nobody had come before.
            client = clients(f"198.51.{number}.1")
            target = await round_trip(client, "oidc", f"ada+as=ada{number}", next=path)
            assert target.startswith("/") and urlsplit(f"http://here{target}").netloc == "here"
            assert "problem" not in target
            assert "evil" not in target or target.startswith("/%09")

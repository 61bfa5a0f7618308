"""What was proved with a password ends with it, also what is under way while the password is changed."""

from __future__ import annotations

import asyncio
import re

import httpx
import psycopg
import pytest

from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.errors import NotAllowed, NotSignedIn
from rxchat.domain.ids import new_id
from rxchat.services.app.container import Services
from tests.factories import PASSWORD
from tests.security.http import Open, create_user, error_of, give_password, set_up_totp, sign_in

pytestmark = pytest.mark.anyio

NEW = "another horse entirely"
CALLER = ClientInfo("203.0.113.7", "a browser")


@pytest.fixture
def changed_meanwhile(services: Services, monkeypatch: pytest.MonkeyPatch) -> list[CurrentUser]:
    """Change the passwords of users in this list just after the one before was found to be right."""
    users: list[CurrentUser] = []
    passwords = services.accounts.sign_in._passwords
    matches = passwords.matches

    async def slow_matches(password: str, hashed: str | None) -> bool:
        found = await matches(password, hashed)
        while users:
            await give_password(services, users.pop(), NEW)
        return found

    monkeypatch.setattr(passwords, "matches", slow_matches)
    return users


def count(owner_url: str, table: str, user: CurrentUser, condition: str = "true") -> int:
    with psycopg.connect(owner_url) as connection:
        row = connection.execute(
            f"SELECT count(*) FROM {table} WHERE user_id = %s AND {condition}",  # pyright: ignore[reportArgumentType]
            (user.user_id,),
        ).fetchone()
    assert row
    return row[0]


async def test_a_sign_in_with_a_password_that_is_changed_meanwhile_opens_no_session(
    services: Services, clients: Open, owner_url: str, changed_meanwhile: list[CurrentUser]
) -> None:
    ada = await create_user(services, owner_url)
    changed_meanwhile.append(ada)
    assert (await sign_in(clients(), ada)).status_code == 401
    assert count(owner_url, "user_session", ada) == 0
    assert (await sign_in(clients(), ada, NEW)).status_code == 200


async def test_an_account_that_is_suspended_meanwhile_gets_no_session(services: Services, owner_url: str) -> None:
    ada, admin = await create_user(services, owner_url), await create_user(services, owner_url, "Grace", "admin")
    account = await services.accounts.sign_in._password_checked(ada.email, PASSWORD, CALLER)
    await services.access.user_admin.suspend(admin, ada.user_id, CALLER, is_suspended=True)
    with pytest.raises(NotSignedIn):
        await services.accounts.sign_in.admit(account, CALLER, method="password")
    assert count(owner_url, "user_session", ada) == 0


async def test_a_first_step_ends_with_the_password_that_it_took(
    services: Services, clients: Open, owner_url: str
) -> None:
    dave = await create_user(services, owner_url, "Dave")
    mine, other = clients(), clients()
    await sign_in(mine, dave)
    _, codes = await set_up_totp(mine)
    assert (await sign_in(other, dave)).json() == {"next": "second-factor"}
    changed = await mine.post("/api/me/password", json={"present": PASSWORD, "wanted": NEW})
    assert changed.status_code == 204, changed.text
    assert (await other.post("/api/auth/second-factor", json={"code": codes[0]})).status_code == 401
    assert (await other.get("/api/me")).status_code == 401


ACTIONS = {
    "an API key": ("/api/me/keys", {"name": "k", "scopes": ["read"]}),
    "an authenticator app": ("/api/me/totp/begin", {}),
    "no authenticator app any more": ("/api/me/totp/remove", {}),
    "a passkey less": (f"/api/me/passkeys/{new_id()}/remove", {}),
    "an account elsewhere less": (f"/api/me/identities/{new_id()}/remove", {}),
    "recovery codes": ("/api/me/recovery-codes", {}),
    "the account's deletion": ("/api/me/delete", {}),
    "a new password": ("/api/me/password", {"present": PASSWORD, "wanted": "a third horse entirely"}),
}


@pytest.mark.parametrize("name", ACTIONS)
async def test_what_takes_a_password_is_refused_if_it_is_changed_meanwhile(
    services: Services, clients: Open, owner_url: str, changed_meanwhile: list[CurrentUser], name: str
) -> None:
    ada, client = await create_user(services, owner_url), clients()
    await sign_in(client, ada)
    if "any more" in name:
        await set_up_totp(client)
    address, body = ACTIONS[name]
    changed_meanwhile.append(ada)
    refused = await client.post(address, json=body if "present" in body else {"password": PASSWORD} | body)
    assert (refused.status_code, refused.json()["error"]["message"]) == (403, "Wrong password.")
    assert count(owner_url, "api_key", ada) == 0
    assert count(owner_url, "totp_secret", ada) == ("any more" in name)
    assert count(owner_url, "recovery_code", ada) == (10 if "any more" in name else 0)
    assert (await sign_in(clients(), ada, NEW)).status_code == 200


async def test_an_administrator_whose_password_is_changed_meanwhile_deletes_no_account(
    services: Services, clients: Open, owner_url: str, changed_meanwhile: list[CurrentUser]
) -> None:
    admin, ada = await create_user(services, owner_url, "Grace", "admin"), await create_user(services, owner_url)
    client = clients()
    await sign_in(client, admin)
    changed_meanwhile.append(admin)
    refused = await client.post(f"/api/admin/users/{ada.user_id}/delete", json={"password": PASSWORD})
    assert refused.status_code == 403
    assert (await client.get("/api/me")).status_code == 200


async def test_a_session_that_is_ended_meanwhile_makes_no_key(
    services: Services, clients: Open, owner_url: str
) -> None:
    ada, client = await create_user(services, owner_url), clients()
    await sign_in(client, ada)
    current_user = await _current_user(services, client)
    await services.accounts.sign_in.reauthenticate(current_user, PASSWORD, CALLER)
    await services.accounts.sessions.sign_out(current_user, CALLER)
    with pytest.raises(NotSignedIn):
        await services.accounts.api_credentials.create_key(
            current_user, name="k", scopes=["read"], days=None, client_info=CALLER
        )
    assert count(owner_url, "api_key", ada) == 0


async def _current_user(services: Services, client: httpx.AsyncClient) -> CurrentUser:
    for cookie in client.cookies.values():
        try:
            return await services.accounts.sessions.current_user(cookie)
        except NotSignedIn:
            continue
    raise AssertionError("nobody is signed in")


async def _change(client: httpx.AsyncClient) -> None:
    changed = await client.post("/api/me/password", json={"present": PASSWORD, "wanted": NEW})
    assert changed.status_code == 204, changed.text


async def test_what_was_begun_with_a_password_is_not_finished_after_its_change(
    services: Services, clients: Open, owner_url: str
) -> None:
    """Neither a passkey nor an authenticator app nor a download, by the session that changes it and stays."""
    ada, client = await create_user(services, owner_url), clients()
    await sign_in(client, ada)
    begun = await client.post("/api/me/totp/begin", json={"password": PASSWORD})
    assert begun.status_code == 200, begun.text
    ticket = (await client.post("/api/me/export", json={"password": PASSWORD})).json()["url"]
    current_user = await _current_user(services, client)
    _, challenge = await services.accounts.passkeys.registration_options(current_user, "http://localhost:8000")
    await _change(client)
    assert count(owner_url, "totp_secret", ada) == 0
    assert (await client.get(ticket)).status_code == 403
    later = await _current_user(services, client)
    assert later.password_version != current_user.password_version
    with pytest.raises(NotSignedIn):
        await services.accounts.passkeys._challenged("add", challenge, later.user_id, later.password_version)


def _token(link: str) -> str:
    found = re.search(r"token=(.+)", link)
    assert found
    return found[1]


async def _link(services: Services, user: CurrentUser, *, created_by: CurrentUser | None = None) -> str:
    from rxchat.services.accounts.one_time_links import LinkKind

    async with services.accounts.sign_in._database.begin((created_by or user).user_id) as session:
        return _token(
            await services.accounts.sign_in._one_time_links.make(
                session, LinkKind.RESET, email=user.email, user_id=user.user_id, is_mailed=created_by is None,
                created_by=created_by.user_id if created_by else None,
            )
        )  # fmt: skip


@pytest.mark.parametrize("is_handed_over", [False, True])
async def test_links_for_a_new_password_end_when_it_is_changed(
    services: Services, clients: Open, owner_url: str, is_handed_over: bool
) -> None:
    ada, client = await create_user(services, owner_url), clients()
    admin = await create_user(services, owner_url, "Grace", "admin") if is_handed_over else None
    await sign_in(client, ada)
    token = await _link(services, ada, created_by=admin)
    assert (await client.post("/api/auth/link", json={"kind": "reset", "token": token})).status_code == 204
    await _change(client)
    assert (await client.post("/api/auth/link", json={"kind": "reset", "token": token})).status_code == 403
    refused = await clients().post("/api/auth/reset", json={"token": token, "password": PASSWORD})
    assert (refused.status_code, error_of(refused)) == (403, "not_allowed")


async def test_of_links_for_a_new_password_that_are_asked_for_at_once_one_works_and_once(
    services: Services, owner_url: str
) -> None:
    ada = await create_user(services, owner_url)
    tokens = await asyncio.gather(*(_link(services, ada) for _ in range(5)))
    assert count(owner_url, "account_token", ada, "used_at IS NULL") == 1
    done = await asyncio.gather(
        *(
            services.accounts.password_reset.reset(token, f"{NEW} {number}", ClientInfo(f"203.0.113.{number}"))
            for number, token in enumerate(tokens * 2)
        ),
        return_exceptions=True,
    )
    assert done.count(None) == 1
    assert sum(isinstance(item, NotAllowed) for item in done) == 9


async def test_a_reset_ends_all_other_links_of_the_account_even_those_that_are_used_at_the_same_time(
    services: Services, owner_url: str
) -> None:
    ada = await create_user(services, owner_url)
    # As if they had been made at once, before links of one account waited for each other.
    tokens = [await _link(services, ada) for _ in range(3)]
    with psycopg.connect(owner_url) as connection:
        links = services.accounts.sign_in._one_time_links
        for token in tokens[:2]:
            connection.execute(
                "INSERT INTO account_token (id, kind, hash, user_id, email, role, group_ids, is_mailed, expires_at)"
                " VALUES (gen_random_uuid(), 'reset', %s, %s, %s, '', '{}', true, now() + interval '1 hour')",
                (links._digest("reset", token), ada.user_id, ada.email),  # pyright: ignore[reportArgumentType]
            )
    done = await asyncio.gather(
        *(services.accounts.password_reset.reset(token, f"{NEW} {token[:4]}", CALLER) for token in tokens),
        return_exceptions=True,
    )
    assert [type(item) for item in done if item is not None] == [NotAllowed] * 2
    assert count(owner_url, "account_token", ada, "used_at IS NULL") == 0


async def test_a_hash_that_is_made_again_leaves_a_new_password_alone(services: Services, owner_url: str) -> None:
    from rxchat.db.accounts import accounts as rows

    ada = await create_user(services, owner_url)
    database = services.accounts.sign_in._database
    async with database.begin(ada.user_id) as session:
        account = await rows.find_by_email(session, ada.email)
    assert account
    assert account.password_hash
    await give_password(services, ada, NEW)
    async with database.begin(ada.user_id) as session:
        await rows.replace_password_hash(session, ada.user_id, account.password_hash, account.password_hash)
    assert await services.accounts.sign_in._password_checked(ada.email, NEW, CALLER)


async def test_nothing_is_left_of_loops_with_the_old_password_while_it_is_reset(
    services: Services, clients: Open, owner_url: str
) -> None:
    ada, browser = await create_user(services, owner_url), clients()
    await sign_in(browser, ada)
    token = await _link(services, ada)
    is_over = asyncio.Event()

    async def keep_trying(client: httpx.AsyncClient, *, wants_keys: bool) -> None:
        client.cookies.update(browser.cookies)
        while not is_over.is_set():
            if wants_keys:
                body = {"name": "k", "scopes": ["read"], "password": PASSWORD}
                await client.post("/api/me/keys", json=body)
            else:
                await sign_in(client, ada)

    loops = [
        asyncio.create_task(keep_trying(clients(f"198.51.100.{number}"), wants_keys=number % 2 == 0))
        for number in range(6)
    ]
    await asyncio.sleep(0.2)
    await services.accounts.password_reset.reset(token, NEW, CALLER)
    await asyncio.sleep(0.2)
    is_over.set()
    await asyncio.gather(*loops)
    assert count(owner_url, "user_session", ada, "ended_at IS NULL") == 0
    assert count(owner_url, "api_key", ada, "revoked_at IS NULL") == 0

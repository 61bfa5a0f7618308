"""Rows 12, 14 and 15: nothing opens a door but our own seal for that door, in its time, and each refresh once."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import timedelta
from typing import Any

import psycopg
import pyseto
import pytest
from pyseto import Key, KeyInterface

from rxchat.domain.errors import NotSignedIn
from rxchat.domain.ids import new_id
from rxchat.services.app.container import Services
from rxchat.services.platform.session_tokens import Purpose, SessionToken, SessionTokens
from tests.factories import PASSWORD
from tests.security.http import Open, create_user, error_of, sign_in
from tests.security.test_routes_walk import ROUTES, filled

pytestmark = [pytest.mark.anyio, pytest.mark.without_engine]

SECRET = b"k" * 32
FACTS = {"uid": str(new_id()), "sid": str(new_id())}


def sealed(
    purpose: Purpose = Purpose.SESSION, *, key: KeyInterface | None = None, exp: Any = None, **changes: Any
) -> str:
    """Seal facts with our own key, changed in one way."""
    tokens = SessionTokens(SECRET)
    facts = FACTS | {"iat": int(time.time()), "exp": exp or "2999-01-01T00:00:00+00:00"} | changes
    facts = {name: value for name, value in facts.items() if value is not None}
    return pyseto.encode(
        key or tokens._keys[purpose], payload=facts, serializer=json, implicit_assertion=purpose.value
    ).decode()


def test_the_seal_that_is_changed_below_would_open() -> None:
    assert SessionTokens(SECRET).open_session(sealed()) == SessionToken(*map(type(new_id()), FACTS.values()))


def misuses() -> dict[str, str]:
    """Return tokens that are almost right."""
    key = SessionTokens(SECRET)._keys[Purpose.SESSION]
    v3 = Key.new(version=3, purpose="local", key=SECRET)
    own = sealed()
    version, purpose, payload = own.split(".")
    with_footer = pyseto.encode(
        key, payload=FACTS | {"iat": 1, "exp": "2999-01-01T00:00:00+00:00"}, serializer=json,
        implicit_assertion=Purpose.SESSION.value, footer=b'{"kid":"x"}',
    ).decode()  # fmt: skip
    without_assertion = pyseto.encode(
        key, payload=FACTS | {"exp": "2999-01-01T00:00:00+00:00"}, serializer=json
    ).decode()
    return {
        "another installation's": SessionTokens(b"o" * 32).session(SessionToken(new_id(), new_id()), timedelta(days=1)),
        "expired": sealed(exp="2020-01-01T00:00:00+00:00"),
        "never expiring": _without_exp(key),
        "from the future": sealed(iat=int(time.time()) + 3600),
        "without its time": sealed(iat=None),
        "with a time that is none": sealed(iat="now"),
        "not yet valid": sealed(nbf="2998-01-01T00:00:00+00:00"),
        "another version": pyseto.encode(v3, payload=FACTS, serializer=json).decode(),
        "version said otherwise": f"v3.{purpose}.{payload}",
        "purpose said otherwise": f"{version}.public.{payload}",
        "with a footer": with_footer,
        "a footer glued on": f"{own}.eyJraWQiOiJ4In0",
        "without our assertion": without_assertion,
        "altered": own[:-6] + ("AAAAAA" if not own.endswith("AAAAAA") else "BBBBBB"),
        "cut": own[:-10],
        "no id": sealed(uid="me"),
        "a list for an id": sealed(sid=[FACTS["sid"]]),
        "a JWT": "eyJhbGciOiJub25lIn0.eyJ1aWQiOiJ4In0.",
        "empty": "",
        "endless": "v4.local." + "A" * 100_000,
        "not ASCII": "v4.local.ünïcode",
    }


def _without_exp(key: Any) -> str:
    return pyseto.encode(
        key, payload=FACTS | {"iat": 1}, serializer=json, implicit_assertion=Purpose.SESSION.value
    ).decode()


@pytest.mark.parametrize("name", misuses())
def test_a_misused_token_opens_nothing(name: str) -> None:
    with pytest.raises(NotSignedIn):
        SessionTokens(SECRET).open_session(misuses()[name])


@pytest.mark.parametrize("made", list(Purpose), ids=lambda purpose: purpose.name.lower())
def test_a_token_of_one_purpose_opens_that_alone(made: Purpose) -> None:
    tokens = SessionTokens(SECRET)
    token = tokens.seal(made, FACTS, timedelta(hours=1))
    assert tokens.open(made, token)["uid"] == FACTS["uid"]
    for used in set(Purpose) - {made}:
        with pytest.raises(NotSignedIn):
            tokens.open(used, token)


async def pair_of(client, current_user, **more: Any) -> dict[str, Any]:
    answer = await client.post("/api/auth/token", json={"email": current_user.email, "password": PASSWORD, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_no_token_passes_at_a_door_of_another_kind(services: Services, clients: Open, owner_url: str) -> None:
    client, current_user = clients(), await create_user(services, owner_url)
    pair = await pair_of(clients(), current_user)
    await sign_in(client, current_user)
    cookie, device = client.cookies["rxchat_session"], client.cookies["rxchat_device"]
    for credential in (pair["refresh_token"], cookie, device, "", "rxc_" + "a" * 40, "v4.local.AAAA"):
        for headers in ({"authorization": f"Bearer {credential}"}, {"x-api-key": credential}):
            assert (await clients().get("/api/me", headers=headers)).status_code == 401, credential[:20]
    for credential in (pair["access_token"], pair["refresh_token"], device):
        stranger = clients()
        stranger.cookies.set("rxchat_session", credential)
        assert (await stranger.get("/api/me")).status_code == 401
    for credential in (pair["access_token"], cookie):
        answer = await clients().post("/api/auth/token/refresh", json={"refresh_token": credential})
        assert answer.status_code == 401


async def test_a_made_up_header_makes_nobody(
    services: Services, clients: Open, owner_url: str, subtests: pytest.Subtests
) -> None:
    await create_user(services, owner_url)
    made_up = (
        {"x-user-id": "1"},
        {"x-forwarded-user": "ada@example.org"},
        {"x-remote-user": "ada"},
        {"remote-user": "ada"},
        {"x-auth-request-email": "ada@example.org"},
        {"authorization": "Basic YWRhOmFkYQ=="},
        {"authorization": "Bearer"},
        {"authorization": "Bearer null"},
        {"authorization": "bearer undefined"},
        {"authorization": "Token x"},
        {"x-api-key": "null"},
        {"cookie": "rxchat_session=null"},
        {"cookie": "rxchat_session=; rxchat_session=x"},
    )
    for number, headers in enumerate(made_up):
        with subtests.test(headers=headers):
            client = clients(f"198.51.{number}.1")
            assert (await client.get("/api/me", headers=headers)).status_code == 401


async def test_a_program_that_sends_a_bad_token_is_not_let_in_by_its_cookie(
    services: Services, clients: Open, owner_url: str
) -> None:
    client = clients()
    await sign_in(client, await create_user(services, owner_url))
    assert (await client.get("/api/me")).status_code == 200
    assert (await client.get("/api/me", headers={"authorization": "Bearer nonsense"})).status_code == 401


async def test_a_refresh_token_works_once_and_its_replay_ends_the_family(
    services: Services, clients: Open, owner_url: str
) -> None:
    program, current_user = clients(), await create_user(services, owner_url)
    first = await pair_of(program, current_user)
    refreshed = await program.post("/api/auth/token/refresh", json={"refresh_token": first["refresh_token"]})
    second = refreshed.json()
    headers = {"authorization": f"Bearer {second['access_token']}"}
    assert (await program.get("/api/me", headers=headers)).status_code == 200
    replayed = await program.post("/api/auth/token/refresh", json={"refresh_token": first["refresh_token"]})
    assert (replayed.status_code, error_of(replayed)) == (401, "not_signed_in")
    assert (await program.get("/api/me", headers=headers)).status_code == 401
    again = await program.post("/api/auth/token/refresh", json={"refresh_token": second["refresh_token"]})
    assert again.status_code == 401
    with psycopg.connect(owner_url) as connection:
        rows = connection.execute("SELECT actor_id FROM audit_event WHERE action = 'refresh_token_replayed'").fetchall()
    assert rows == [(current_user.user_id,)]


async def test_of_twenty_who_refresh_at_once_one_gets_a_pair(services: Services, clients: Open, owner_url: str) -> None:
    program, current_user = clients(), await create_user(services, owner_url)
    pair = await pair_of(program, current_user)
    answers = await asyncio.gather(
        *(
            clients(f"10.0.0.{number}").post("/api/auth/token/refresh", json={"refresh_token": pair["refresh_token"]})
            for number in range(20)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 19


async def test_a_token_does_what_its_scopes_say(services: Services, clients: Open, owner_url: str) -> None:
    current_user = await create_user(services, owner_url, "Boss", "admin")
    reads = await pair_of(clients(), current_user, scopes=["read"])
    chats = await pair_of(clients(), current_user, scopes=["chat"])
    reading, chatting = ({"authorization": f"Bearer {pair['access_token']}"} for pair in (reads, chats))
    path = f"/api/conversations/{new_id()}"
    assert (await clients().get("/api/conversations", headers=reading)).status_code == 200
    assert (await clients().get("/api/conversations", headers=chatting)).status_code == 403
    assert (await clients().post(f"{path}/stop", headers=reading)).status_code == 403
    assert (await clients().post(f"{path}/stop", headers=chatting)).status_code == 200
    for headers in (reading, chatting):
        assert (await clients().get("/api/admin/users", headers=headers)).status_code == 403


@pytest.mark.parametrize("role", ["member", "guest"])
async def test_a_token_to_administer_is_for_administrators_in_the_words_of_keys(
    services: Services, clients: Open, owner_url: str, role: str
) -> None:
    current_user, boss = (
        await create_user(services, owner_url, "Mem", role),
        await create_user(services, owner_url, "Boss", "admin"),
    )
    body = {"email": current_user.email, "password": PASSWORD, "scopes": ["read", "admin"]}
    refused = await clients().post("/api/auth/token", json=body)
    assert (refused.status_code, error_of(refused)) == (403, "not_allowed") and "token" not in refused.text
    client = clients()
    await sign_in(client, await create_user(services, owner_url, "Keys", "member"))
    key = await client.post("/api/me/keys", json={"name": "k", "scopes": ["admin"], "password": PASSWORD})
    assert key.status_code == 403 and key.json() == refused.json()
    with psycopg.connect(owner_url) as connection:
        ended = "SELECT count(*) FROM user_session WHERE user_id = %s AND ended_at IS NULL"
        assert connection.execute(ended, (current_user.user_id,)).fetchone() == (0,)
    assert (await clients().post("/api/auth/token", json=body | {"scopes": ["read"]})).status_code == 200
    assert (await pair_of(clients(), boss, scopes=["admin"]))["access_token"]


async def test_a_token_to_administer_does_nothing_once_its_user_administers_nothing(
    services: Services, clients: Open, owner_url: str, subtests: pytest.Subtests
) -> None:
    """As it was given to members before, and as a demotion in another way than through the use case leaves it."""
    current_user = await create_user(services, owner_url, "Boss", "admin")
    token = await pair_of(clients(), current_user, scopes=["read", "admin"])
    with psycopg.connect(owner_url) as connection:
        connection.execute("UPDATE user_account SET role = 'member' WHERE id = %s", (current_user.user_id,))
    services.accounts.sessions._known.clear()
    program = clients(authorization=f"Bearer {token['access_token']}")
    assert (await program.get("/api/me")).json()["permissions"]
    body = {"email": "x@example.org", "role": "admin"}
    for method, path in [item for item in ROUTES if "/admin/" in item[1]]:
        with subtests.test(route=f"{method} {path}"):
            answer = await program.request(method, filled(path, new_id()), json=body)
            assert (answer.status_code, error_of(answer)) == (403, "not_allowed")


async def test_no_program_does_what_is_the_persons_own_to_do(
    services: Services, clients: Open, owner_url: str, subtests: pytest.Subtests
) -> None:
    for number, (method, path, body) in enumerate(
        (
            ("POST", "/api/me/password", {"present": PASSWORD, "wanted": "another long sentence"}),
            ("POST", "/api/me/keys", {"name": "k", "scopes": ["admin"], "password": PASSWORD}),
            ("POST", "/api/me/totp/begin", {"password": PASSWORD}),
            ("POST", "/api/me/delete", {"password": PASSWORD}),
            ("POST", "/api/me/export", {"password": PASSWORD}),
            ("GET", "/api/me/export/v4.local.AAAA", None),
        )
    ):
        with subtests.test(route=f"{method} {path}"):
            current_user, program = (
                await create_user(services, owner_url, "Boss", "admin"),
                clients(f"198.51.{number}.1"),
            )
            pair = await pair_of(program, current_user, scopes=["read", "chat", "files", "admin"])
            headers = {"authorization": f"Bearer {pair['access_token']}"}
            answer = await program.request(method, path, json=body, headers=headers)
            assert (answer.status_code, error_of(answer)) == (403, "not_allowed")


async def test_a_key_is_shown_once_kept_as_a_hash_and_expires(
    services: Services, clients: Open, owner_url: str
) -> None:
    client, current_user = clients(), await create_user(services, owner_url)
    await sign_in(client, current_user)
    made = (
        await client.post("/api/me/keys", json={"name": "ci", "scopes": ["read"], "days": 30, "password": PASSWORD})
    ).json()
    key = made["key"]
    assert key.startswith(made["prefix"]) and len(key) == 44
    listed = (await client.get("/api/me/keys")).json()
    assert [item["prefix"] for item in listed] == [made["prefix"]] and key not in json.dumps(listed)
    program = {"x-api-key": key}
    assert (await clients().get("/api/me", headers=program)).json()["scopes"] == ["read"]
    assert (await client.get("/api/me/keys")).json()[0]["last_used_at"]
    with psycopg.connect(owner_url) as connection:
        stored = str(connection.execute("SELECT * FROM api_key").fetchall())
        assert key not in stored and key[4:] not in stored
        connection.execute("UPDATE api_key SET expires_at = now() - interval '1 second'")
    async with asyncio.timeout(60):
        while (await clients().get("/api/me", headers=program)).status_code != 401:
            await asyncio.sleep(0.05)

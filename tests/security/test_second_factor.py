"""Row 24: the second factor cannot be guessed, replayed or walked around."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from uuid import UUID

import httpx
import psycopg
import pytest
from pyotp.totp import TOTP

from rxchat.connections import Connections
from rxchat.domain.accounts import ClientInfo, CurrentUser, SecondFactorPolicy
from rxchat.lifespan import running
from rxchat.services.app.container import Services
from rxchat.services.platform.encryption import DecryptionFailed, SecretBox
from rxchat.settings import Settings
from rxchat.states.chat.sidebar import SidebarState
from rxchat.states.chat.thread import ThreadState
from tests.conftest import empty
from tests.factories import PASSWORD, signed_in_as
from tests.security.http import Open, create_user, error_of, http_clients, set_up_totp, sign_in
from tests.tab import open_tab

pytestmark = [pytest.mark.anyio, pytest.mark.without_engine]


@pytest.fixture
async def enrolled(services: Services, clients: Open, owner_url: str) -> tuple[CurrentUser, TOTP, list[str]]:
    """Somebody with an authenticator app, whose codes of now are all unused."""
    return await enrol(services, clients("192.0.2.1"), owner_url)


async def enrol(services: Services, client: httpx.AsyncClient, owner_url: str) -> tuple[CurrentUser, TOTP, list[str]]:
    current_user = await create_user(services, owner_url)
    await sign_in(client, current_user)
    app, codes = await set_up_totp(client)
    forget_steps(owner_url)
    return current_user, app, codes


def forget_steps(owner_url: str) -> None:
    with psycopg.connect(owner_url) as connection:
        connection.execute("UPDATE totp_secret SET last_step = 0")


async def code(client, words: str):
    return await client.post("/api/auth/second-factor", json={"code": words})


async def test_the_password_alone_opens_nothing(services: Services, clients: Open, enrolled) -> None:
    current_user, app, _ = enrolled
    client = clients()
    answer = await sign_in(client, current_user)
    assert answer.json() == {"next": "second-factor"} and "rxchat_session" not in client.cookies
    assert (await client.get("/api/me")).status_code == 401
    assert (await client.get("/")).headers["location"] == "/sign-in"
    for cookie in ("rxchat_session", "rxchat_pending"):
        async with open_tab() as tab:
            tab.cookie = f"{cookie}={client.cookies['rxchat_pending']}"
            for state, handler in ((ThreadState, "open"), (SidebarState, "load")):
                await tab.send_event(state, handler)
            await tab.until(lambda tab=tab: tab.redirects)
            assert tab.patches == []
    assert (await code(client, app.now())).json() == {"next": "in"}
    assert (await client.get("/api/me")).status_code == 200


async def test_a_sign_in_with_the_password_is_proof_for_an_app_for_five_minutes(
    services: Services, clients: Open, owner_url: str
) -> None:
    current_user, client = await create_user(services, owner_url), clients()
    await sign_in(client, current_user)
    assert (await client.post("/api/me/totp/begin", json={})).status_code == 200
    # What would lock its owner out, or let a stolen cookie sign in for ever, wants the password all the same.
    for path in ("passkeys/begin", "recovery-codes", "export", "delete"):
        assert (await client.post(f"/api/me/{path}", json={})).status_code == 403, path
    with psycopg.connect(owner_url) as connection:
        connection.execute("UPDATE user_session SET created_at = created_at - interval '301 seconds'")
    assert (await client.post("/api/me/totp/begin", json={})).status_code == 403
    assert (await client.post("/api/me/totp/begin", json={"password": PASSWORD})).status_code == 200


async def test_a_session_without_its_second_factor_is_no_proof(services: Services, enrolled) -> None:
    current_user, _, _ = enrolled
    cookie = await signed_in_as(services, current_user)
    seen = await services.accounts.sessions.current_user(cookie, enrolling=True)
    assert seen.owes_second_factor
    assert await services.accounts.sign_in.confirmed_until(seen) is None


async def test_a_code_works_once(services: Services, clients: Open, enrolled) -> None:
    current_user, app, _ = enrolled
    now = app.now()
    first, second = clients(), clients()
    await sign_in(first, current_user)
    await sign_in(second, current_user)
    assert (await code(first, now)).status_code == 200
    assert (await code(second, now)).status_code == 401
    assert (await code(second, app.at(time.time() - 30))).status_code == 401, "nor does an older one"


async def test_of_ten_who_use_a_code_at_once_one_gets_in(services: Services, clients: Open, enrolled) -> None:
    current_user, app, _ = enrolled
    browsers = [clients(f"10.9.{number}.1") for number in range(10)]
    for browser in browsers:
        await sign_in(browser, current_user)
    answers = await asyncio.gather(*(code(browser, app.now()) for browser in browsers))
    assert [answer.status_code for answer in answers].count(200) == 1


async def test_codes_are_guessed_slowly_from_wherever(services: Services, clients: Open, enrolled) -> None:
    current_user, app, _ = enrolled
    answers = []
    for number in range(8):
        browser = clients(f"10.8.{number}.1")
        await sign_in(browser, current_user)
        answers.append((await code(browser, "000000")).status_code)
    assert answers == [401] * 6 + [429] * 2
    browser = clients("10.8.99.1")
    await sign_in(browser, current_user)
    assert (await code(browser, app.now())).status_code == 429


async def test_what_is_no_code_is_refused_with_a_sentence(
    services: Services, clients: Open, owner_url: str, subtests: pytest.Subtests
) -> None:
    no_codes = ("", "12345", "1234567", "abcdef", "٠١٢٣٤٥", "00 00 00", "-00000", "0x0000", "\x00", "9" * 90)
    for number, words in enumerate(no_codes):
        with subtests.test(words=words):
            # Wrong codes are counted by person and address: each value has its own.
            current_user, *_ = await enrol(services, clients(f"10.0.{number}.1"), owner_url)
            client = clients(f"10.1.{number}.1")
            assert (await sign_in(client, current_user)).json() == {"next": "second-factor"}
            answer = await code(client, words)
            assert answer.status_code == 401 and "Wrong code" in answer.json()["error"]["message"]


async def test_a_recovery_code_works_once_however_it_is_typed(clients: Open, enrolled) -> None:
    current_user, _, codes = enrolled
    assert len(codes) == len(set(codes)) == 10
    client = clients()
    await sign_in(client, current_user)
    assert (await code(client, f" {codes[0].upper().replace('-', ' ')} ")).status_code == 200
    again = clients()
    await sign_in(again, current_user)
    assert (await code(again, codes[0])).status_code == 401
    assert (await code(again, codes[1])).status_code == 200


async def test_somebody_elses_codes_are_nothing_worth(
    services: Services, clients: Open, enrolled, owner_url: str
) -> None:
    current_user, _, _ = enrolled
    other, attacker = await create_user(services, owner_url, "Mallory"), clients("192.0.2.2")
    await sign_in(attacker, other)
    app, codes = await set_up_totp(attacker)
    client = clients()
    await sign_in(client, current_user)
    for words in (codes[0], app.now()):
        assert (await code(client, words)).status_code == 401


async def test_the_first_step_of_one_person_is_none_of_anothers(
    services: Services, clients: Open, enrolled, owner_url: str
) -> None:
    current_user, app, _ = enrolled
    mallory, attacker = await create_user(services, owner_url, "Mallory"), clients("192.0.2.2")
    await sign_in(attacker, mallory)
    for cookie in (attacker.cookies["rxchat_session"], attacker.cookies["rxchat_device"], "v4.local.AAAA", ""):
        client = clients()
        client.cookies.set("rxchat_pending", cookie)
        assert (await code(client, app.now())).status_code == 401
    forget = clients()
    await sign_in(forget, current_user)
    pending = forget.cookies["rxchat_pending"]
    assert (await code(forget, app.now())).status_code == 200
    thief = clients()
    thief.cookies.set("rxchat_pending", pending)
    assert (await code(thief, app.at(time.time() + 30))).status_code == 401


async def test_a_program_needs_it_too(clients: Open, enrolled) -> None:
    current_user, app, _ = enrolled
    body = {"email": current_user.email, "password": PASSWORD}
    refused = await clients().post("/api/auth/token", json=body)
    assert (refused.status_code, "two-factor authentication" in refused.json()["error"]["message"]) == (401, True)
    assert (await clients().post("/api/auth/token", json=body | {"code": "000000"})).status_code == 401
    assert (await clients().post("/api/auth/token", json=body | {"code": app.now()})).status_code == 200


async def test_a_new_password_leaves_it_where_it_is(
    services: Services, clients: Open, enrolled, owner_url: str
) -> None:
    current_user, *_ = enrolled
    admin = await create_user(services, owner_url, "Admin", "admin")
    link = await services.access.user_admin.reset_link(admin, current_user.user_id, ClientInfo())
    client = clients()
    token = link.partition("token=")[2]
    reset = await client.post("/api/auth/reset", json={"token": token, "password": "another long sentence"})
    assert reset.status_code == 204 and "rxchat_session" not in client.cookies
    assert (await sign_in(client, current_user, "another long sentence")).json() == {"next": "second-factor"}
    assert (await client.get("/api/me")).status_code == 401


async def test_it_is_taken_away_with_the_password_alone_and_audited(clients: Open, enrolled, owner_url: str) -> None:
    current_user, app, _ = enrolled
    client = clients()
    await sign_in(client, current_user)
    await code(client, app.now())
    wrong = await client.post("/api/me/totp/remove", json={"password": "wrong"})
    assert (wrong.status_code, error_of(wrong)) == (403, "not_allowed")
    again = await client.post("/api/me/totp/begin", json={"password": PASSWORD})
    assert error_of(again) == "conflict", "a secret that is in force is not replaced by asking for one"
    assert (await client.post("/api/me/totp/remove", json={"password": PASSWORD})).status_code == 204
    assert (await sign_in(clients(), current_user)).json() == {"next": "in"}
    with psycopg.connect(owner_url) as connection:
        actions = [row[0] for row in connection.execute("SELECT action FROM audit_event ORDER BY seq").fetchall()]
    assert "totp_added" in actions and "totp_removed" in actions


async def test_a_secret_that_waits_for_its_first_code_asks_nobody(
    services: Services, clients: Open, owner_url: str
) -> None:
    current_user, client = await create_user(services, owner_url), clients()
    await sign_in(client, current_user)
    begun = await client.post("/api/me/totp/begin", json={"password": PASSWORD})
    assert (await client.post("/api/me/totp/confirm", json={"code": "000000"})).status_code == 422
    assert (await sign_in(clients(), current_user)).json() == {"next": "in"}
    assert begun.json()["picture"].startswith("<svg") and "script" not in begun.json()["picture"]


async def test_the_secret_is_sealed_for_its_owner(services: Services, enrolled, owner_url: str) -> None:
    current_user, app, codes = enrolled
    with psycopg.connect(owner_url) as connection:
        [(sealed,)] = connection.execute("SELECT encrypted_secret FROM totp_secret").fetchall()
        stored = str(connection.execute("SELECT * FROM recovery_code").fetchall())
    assert app.secret.encode() not in sealed and not any(words.replace("-", "") in stored for words in codes)
    vault = SecretBox(b"k" * 32)
    assert vault.open("totp", str(current_user.user_id), sealed).decode() == app.secret
    for broken in (
        lambda: vault.open("totp", str(UUID(int=0)), sealed),
        lambda: SecretBox(b"o" * 32).open("totp", str(current_user.user_id), sealed),
    ):
        with pytest.raises(DecryptionFailed):
            broken()


@pytest.fixture(params=list(SecondFactorPolicy), ids=lambda policy: policy.value)
async def ruled(
    request: pytest.FixtureRequest, settings: Settings, at: Connections
) -> AsyncGenerator[tuple[Services, SecondFactorPolicy]]:
    strict = settings.model_copy(update={"second_factor": request.param})
    async with running(strict, at) as services:
        await services.platform.pg_listener.listening.wait()
        yield services, request.param
    empty(at.database_owner_url, at.redis_url)


async def test_who_needs_one_can_do_nothing_that_needs_it_before(
    ruled: tuple[Services, SecondFactorPolicy], settings: Settings, owner_url: str, subtests: pytest.Subtests
) -> None:
    services, policy = ruled
    for role in ("admin", "moderator", "member"):
        with subtests.test(role=role):
            async with http_clients(settings) as clients:
                current_user, client = await create_user(services, owner_url, "Somebody", role), clients()
                assert (await sign_in(client, current_user)).json() == {"next": "in"}
                administers = role != "member"
                chat, users = await client.get("/api/conversations"), await client.get("/api/admin/users")
                expected = {
                    SecondFactorPolicy.NOBODY: (200, 200 if administers else 403),
                    SecondFactorPolicy.ADMINS: (200, 403),
                    SecondFactorPolicy.EVERYBODY: (403, 403),
                }[policy]
                assert (chat.status_code, users.status_code) == expected
                if policy is SecondFactorPolicy.EVERYBODY:
                    assert error_of(chat) == "second_factor_needed"
                body = {"email": current_user.email, "password": PASSWORD, "scopes": ["read", "admin"]}
                program = await clients().post("/api/auth/token", json=body)
                # A token for administering is given to those alone who may administer now.
                assert program.status_code == expected[1]
                if program.is_success:
                    headers = {"authorization": f"Bearer {program.json()['access_token']}"}
                    assert (await clients().get("/api/admin/users", headers=headers)).status_code == 200
                reading = await clients().post("/api/auth/token", json=body | {"scopes": ["read"]})
                headers = {"authorization": f"Bearer {reading.json()['access_token']}"}
                assert (await clients().get("/api/conversations", headers=headers)).status_code == expected[0]
                assert (await clients().get("/api/admin/users", headers=headers)).status_code == 403
                await set_up_totp(client)
                assert (await client.get("/api/conversations")).status_code == 200
                assert (await client.get("/api/admin/users")).status_code == (200 if administers else 403)


async def test_a_key_made_with_a_second_factor_is_worth_nothing_without_it(
    settings: Settings, at: Connections, owner_url: str
) -> None:
    strict = settings.model_copy(update={"second_factor": SecondFactorPolicy.ADMINS})
    async with running(strict, at) as services, http_clients(settings) as clients:
        await services.platform.pg_listener.listening.wait()
        boss, current_user = (
            await create_user(services, owner_url, "Boss", "admin"),
            await create_user(services, owner_url, "Deputy", "admin"),
        )
        client = clients()
        await sign_in(client, current_user)
        body = {"name": "k", "scopes": ["admin"], "password": PASSWORD}
        assert (await client.post("/api/me/keys", json=body)).status_code == 403
        await set_up_totp(client)
        key = (await client.post("/api/me/keys", json=body)).json()["key"]
        headers = {"x-api-key": key}
        assert (await clients().get("/api/admin/users", headers=headers)).status_code == 200
        await services.access.user_admin.reset_second_factor(boss, current_user.user_id, ClientInfo())
        async with asyncio.timeout(60):
            while (await clients().get("/api/admin/users", headers=headers)).status_code != 401:
                await asyncio.sleep(0.05)
    empty(at.database_owner_url, at.redis_url)

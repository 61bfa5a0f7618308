"""Rows 17, 22 and 25: one first administrator, nobody learns who has an account, and passwords count to the last byte."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from dataclasses import replace

import bcrypt
import psycopg
import pytest

from rxchat.connections import Connections
from rxchat.domain.accounts import ClientInfo, RegistrationMode
from rxchat.lifespan import running
from rxchat.services.accounts.breached_passwords import is_breached, packed
from rxchat.services.accounts.passwords import Passwords
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.conftest import empty
from tests.factories import PASSWORD
from tests.peers.mailbox import Mailbox, mailbox
from tests.security.http import Open, create_user, error_of, http_clients, sign_in

pytestmark = pytest.mark.anyio

NEW = {"name": "New", "password": "a long enough sentence"}


@pytest.fixture
def inbox() -> Iterator[Mailbox]:
    with mailbox() as found:
        yield found


@pytest.fixture(params=["mail", "no mail"])
async def web_server(
    request: pytest.FixtureRequest, settings: Settings, at: Connections, inbox: Mailbox
) -> AsyncGenerator[Services]:
    changed = {"RXCHAT_REGISTRATION": "open"} | ({"RXCHAT_SMTP_URL": inbox.url} if request.param == "mail" else {})
    values = settings.model_dump(by_alias=True, exclude_unset=True) | changed
    async with running(Settings.model_validate(values), at) as services:
        yield services
    empty(at.database_owner_url, at.redis_url)


@pytest.fixture
async def clients(web_server: Services, settings: Settings) -> AsyncGenerator[Open]:
    assert web_server
    async with http_clients(settings) as made:
        yield made


async def test_registering_an_address_that_is_taken_looks_the_same(
    web_server: Services, clients: Open, owner_url: str, inbox: Mailbox
) -> None:
    current_user = await create_user(web_server, owner_url)
    answers = []
    for email in (current_user.email.upper(), "new@example.org"):
        answer = await clients().post("/api/auth/register", json=NEW | {"email": email})
        answers.append((answer.status_code, answer.json(), sorted(answer.headers)))
    if web_server.platform.mail_sender.is_configured:
        assert answers[0] == answers[1] and answers[0][0] == 202
    else:
        # Without mail nothing else can tell the owner of an address that there is an account; the new one is signed in.
        assert (answers[0][0], answers[0][1]["error"]["code"]) == (409, "conflict")
        assert (answers[1][0], answers[1][1]) == (202, {"next": "in"})
    await web_server.platform.mail_sender.drain()
    if web_server.platform.mail_sender.is_configured:
        assert {(to, "already" in subject) for to, subject, _ in inbox.mails} == {
            (current_user.email.upper().replace("EXAMPLE.ORG", "example.org"), True),
            ("new@example.org", False),
        }
    # And whoever tried has not changed a thing.
    assert (await sign_in(clients(), current_user)).status_code == 200
    answer = await clients().post("/api/auth/sign-in", json={"email": current_user.email, "password": NEW["password"]})
    assert answer.status_code == 401


async def test_a_forgotten_password_is_asked_for_alike_by_everyone(
    web_server: Services, clients: Open, owner_url: str, inbox: Mailbox
) -> None:
    current_user, gone = await create_user(web_server, owner_url), await create_user(web_server, owner_url, "Gone")
    with psycopg.connect(owner_url) as connection:
        connection.execute("UPDATE user_account SET suspended_at = now() WHERE id = %s", (gone.user_id,))
    answers = []
    for email in (current_user.email, gone.email, "nobody@example.org", "", "x" * 300, "\x00"):
        answer = await clients().post("/api/auth/forgot", json={"email": email})
        answers.append((answer.status_code, answer.json()))
    assert all(answer == answers[0] for answer in answers) and answers[0][0] == 202
    await web_server.platform.mail_sender.drain()
    assert [to for to, _, _ in inbox.mails] == (
        [current_user.email] if web_server.platform.mail_sender.is_configured else []
    )


async def test_signing_in_fails_alike_for_everyone_but_an_owner_with_their_password(
    web_server: Services, clients: Open, owner_url: str
) -> None:
    wrong, gone, elsewhere = [await create_user(web_server, owner_url, name) for name in ("Wrong", "Gone", "Elsewhere")]
    with psycopg.connect(owner_url) as connection:
        connection.execute("UPDATE user_account SET suspended_at = now() WHERE id = %s", (gone.user_id,))
        connection.execute("UPDATE user_account SET password_hash = NULL WHERE id = %s", (elsewhere.user_id,))
    answers = []
    for email, password in (
        (wrong.email, "wrong"),
        (gone.email, PASSWORD),
        (elsewhere.email, PASSWORD),
        ("nobody@example.org", PASSWORD),
    ):
        answer = await clients().post("/api/auth/sign-in", json={"email": email, "password": password})
        answers.append((answer.status_code, answer.json(), sorted(answer.headers), answer.cookies))
    assert all(answer == answers[0] for answer in answers) and answers[0][0] == 401


async def test_the_same_work_is_done_to_say_no_to_nobody(
    services: Services, owner_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[bytes] = []
    check = bcrypt.checkpw

    def noted(password: bytes, hashed: bytes) -> bool:
        checked.append(hashed)
        return check(password, hashed)

    monkeypatch.setattr(bcrypt, "checkpw", noted)
    current_user = await create_user(services, owner_url)
    for email in (current_user.email, "nobody@example.org"):
        with pytest.raises(Exception, match="Wrong e-mail address or password"):
            await services.accounts.sign_in.sign_in(email, "wrong", ClientInfo("192.0.2.1"))
    # The head of a hash says how costly it is.
    (known, unknown) = (hashed[: len(b"$2b$04$")] for hashed in checked)
    assert known == unknown and known.startswith(b"$2")


async def test_an_address_is_confirmed_by_the_mail_alone(
    web_server: Services, clients: Open, inbox: Mailbox, owner_url: str
) -> None:
    await create_user(web_server, owner_url)
    client = clients()
    await client.post("/api/auth/register", json=NEW | {"email": "new@example.org"})
    await web_server.platform.mail_sender.drain()
    body = {"email": "new@example.org", "password": NEW["password"]}
    early = await client.post("/api/auth/sign-in", json=body)
    if not web_server.platform.mail_sender.is_configured:
        assert early.json() == {"next": "in"}
        return
    wrong = await client.post("/api/auth/sign-in", json=body | {"password": "wrong"})
    assert early.status_code == 401 and early.json() == wrong.json(), (
        "nobody learns from it whether the address was free"
    )
    assert "not confirmed your address yet" in early.json()["error"]["message"]
    await web_server.platform.mail_sender.drain()
    token = inbox.link("confirm")
    assert len({text for _, _, text in inbox.mails}) == 2, (
        "signing in too early sends another link, which replaces the first"
    )
    assert (await client.post("/api/auth/confirm", json={"token": token + "x"})).status_code == 403
    assert (await client.post("/api/auth/confirm", json={"token": token})).status_code == 204
    assert (await client.post("/api/auth/confirm", json={"token": token})).status_code == 403
    assert (await client.post("/api/auth/sign-in", json=body)).json() == {"next": "in"}


async def test_a_link_for_a_new_password_works_once_for_its_person_and_its_purpose(
    web_server: Services, clients: Open, inbox: Mailbox, owner_url: str
) -> None:
    if not web_server.platform.mail_sender.is_configured:
        pytest.skip("links go by mail here")
    current_user, client = await create_user(web_server, owner_url), clients()
    for _ in range(2):
        await client.post("/api/auth/forgot", json={"email": current_user.email})
        await web_server.platform.mail_sender.drain()
    older = next(text for _, _, text in inbox.mails).partition("/reset#token=")[2].split()[0]
    newer = inbox.link("reset")
    wanted = {"password": "another long sentence"}
    assert (await client.post("/api/auth/reset", json={"token": older, **wanted})).status_code == 403
    assert (await client.post("/api/auth/join", json={"token": newer, "name": "x", **wanted})).status_code == 403
    assert (await client.post("/api/auth/confirm", json={"token": newer})).status_code == 403
    weak = await client.post("/api/auth/reset", json={"token": newer, "password": "1234567890"})
    assert weak.status_code == 422, "and the link is not used up by a weak password"
    assert (await client.post("/api/auth/reset", json={"token": newer, **wanted})).status_code == 204
    assert (await client.post("/api/auth/reset", json={"token": newer, **wanted})).status_code == 403
    assert (await sign_in(clients(), current_user)).status_code == 401
    assert (await sign_in(clients(), current_user, "another long sentence")).status_code == 200
    with psycopg.connect(owner_url) as connection:
        stored = str(connection.execute("SELECT * FROM account_token").fetchall())
    assert newer not in stored and older not in stored


@pytest.mark.parametrize("mode", [RegistrationMode.INVITATION, RegistrationMode.CLOSED])
async def test_where_it_is_not_open_nobody_registers(
    services: Services, settings: Settings, owner_url: str, mode
) -> None:
    admin = await create_user(services, owner_url, "Admin", "admin")
    await services.platform.instance_settings.change(admin, ClientInfo(), registration=mode.value)
    async with http_clients(settings) as clients:
        answer = await clients().post("/api/auth/register", json=NEW | {"email": "new@example.org"})
        assert (answer.status_code, error_of(answer)) == (403, "not_allowed")


async def test_an_invitation_is_for_one_person_once(services: Services, settings: Settings, owner_url: str) -> None:
    admin = await create_user(services, owner_url, "Admin", "admin")
    link, is_mailed = await services.access.user_admin.invite(
        admin, email="guest@example.org", role="guest", client_info=ClientInfo()
    )
    assert not is_mailed
    token = link.partition("token=")[2]
    async with http_clients(settings) as clients:
        body = {
            "token": token,
            "name": "Guest",
            "password": NEW["password"],
            "email": "other@example.org",
            "role": "admin",
        }
        answers = await asyncio.gather(*(clients(f"10.0.0.{n}").post("/api/auth/join", json=body) for n in range(10)))
        assert sorted(answer.status_code for answer in answers) == [200] + [403] * 9
    with psycopg.connect(owner_url) as connection:
        rows = connection.execute("SELECT email, role FROM user_account WHERE name = 'Guest'").fetchall()
    assert rows == [("guest@example.org", "guest")]


async def test_fifty_at_once_by_every_way_make_one_administrator(
    services: Services, settings: Settings, owner_url: str
) -> None:
    token = await services.accounts.registration.setup_token()
    async with http_clients(settings) as clients:
        answers = await asyncio.gather(
            *(
                clients(f"10.{n}.0.1").post("/api/auth/setup", json=NEW | {"email": f"{n}@example.org", "token": token})
                for n in range(25)
            ),
            *(
                clients(f"10.{n}.1.1").post("/api/auth/register", json=NEW | {"email": f"r{n}@example.org"})
                for n in range(25)
            ),
        )
    assert [answer.status_code for answer in answers[:25]].count(200) == 1
    with psycopg.connect(owner_url) as connection:
        assert connection.execute("SELECT count(*) FROM user_account WHERE role = 'admin'").fetchone() == (1,)


async def test_a_pepper_is_replaced_as_people_sign_in(settings: Settings, at: Connections, owner_url: str) -> None:
    async with running(settings, at) as services:
        current_user = await create_user(services, owner_url)
        before = stored_hash(owner_url)
    rotated = replace(at, password_pepper=b"n" * 32, previous_peppers=(at.password_pepper,))
    async with running(settings, rotated) as services, http_clients(settings) as clients:
        assert (await sign_in(clients(), current_user, "wrong")).status_code == 401
        assert stored_hash(owner_url) == before
        assert (await sign_in(clients(), current_user)).status_code == 200
        after = stored_hash(owner_url)
        assert after[:8] != before[:8]
    async with running(settings, replace(at, password_pepper=b"n" * 32)) as services, http_clients(settings) as clients:
        assert (await sign_in(clients(), current_user)).status_code == 200
    async with running(settings, replace(at, password_pepper=b"x" * 32)) as services, http_clients(settings) as clients:
        assert (await sign_in(clients(), current_user)).status_code == 401
    empty(at.database_owner_url, at.redis_url)


def stored_hash(owner_url: str) -> str:
    with psycopg.connect(owner_url) as connection:
        [(found,)] = connection.execute("SELECT password_hash FROM user_account").fetchall()
    return found


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("x" * 72 + "a", "x" * 72 + "b"),
        ("x" * 73, "x" * 72),
        ("ü" * 36 + "a", "ü" * 36 + "b"),
        ("abc\x00defghij", "abc\x00zzzzzzz"),
        ("\x00" * 12, "\x00" * 13),
        ("caf\u00e9 au lait", "cafe au lait"),
        ("long sentence ", "long sentence"),
        ("🙂" * 20, "🙂" * 19 + "🙃"),
    ],
)
async def test_every_byte_of_a_password_counts(right: str, wrong: str) -> None:
    passwords = Passwords(b"p" * 32, rounds=4)
    stored = await passwords.hash(right)
    assert await passwords.matches(right, stored) and not await passwords.matches(wrong, stored)
    passwords.close()


async def test_a_breached_password_is_refused_with_a_sentence(
    web_server: Services, clients: Open, owner_url: str, subtests: pytest.Subtests
) -> None:
    for number, password in enumerate(("passwordpassword", "QWERTYUIOP", "1234567890", "iloveyou123")):
        with subtests.test(password=password):
            assert is_breached(password)
            client, current_user = clients(f"198.51.{number}.1"), await create_user(web_server, owner_url)
            await sign_in(client, current_user)
            answer = await client.post("/api/me/password", json={"present": PASSWORD, "wanted": password})
            assert answer.status_code == 422 and "lists of stolen passwords" in answer.json()["error"]["message"]


def test_the_list_is_packed_as_its_words_say() -> None:
    assert not is_breached(PASSWORD) and not is_breached("a rather long sentence")
    block = packed(["short", "Passwordpassword", "passwordpassword", "another one of them"])
    assert len(block) == 10 and block == packed(["another one of them", "passwordpassword"])

"""Who someone is: the first administrator, passwords, sealed cookies and the server's record of them."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import psycopg
import pyseto
import pytest
from pyseto import Key

from rxchat.domain.accounts import ClientInfo
from rxchat.domain.errors import Conflict, InvalidInput, NotAllowed, NotSignedIn
from rxchat.domain.ids import new_id
from rxchat.services.accounts.passwords import Passwords
from rxchat.services.accounts.sign_in import SignInResult
from rxchat.services.app.container import Services
from rxchat.services.platform.session_tokens import Purpose, SessionToken, SessionTokens
from tests.factories import PASSWORD, first_administrator

pytestmark = [pytest.mark.anyio, pytest.mark.without_engine]

CALLER = ClientInfo("127.0.0.1", "a browser")


async def sign_in(services: Services, email: str, password: str) -> str:
    admission = await services.accounts.sign_in.sign_in(email, password, CALLER)
    assert admission.session
    return services.accounts.sessions.cookie_of(admission.session)


async def refused(services: Services, sealed: str) -> None:
    """Wait until a session does not count any more; it may be remembered until Postgres has told of the change."""
    async with asyncio.timeout(60):
        while True:
            try:
                await services.accounts.sessions.current_user(sealed)
            except NotSignedIn:
                return
            await asyncio.sleep(0.01)


async def test_the_first_administrator_is_signed_in_and_the_link_is_used_up(services: Services) -> None:
    current_user = await services.accounts.sessions.current_user(await first_administrator(services))
    assert (current_user.name, current_user.email, current_user.is_admin) == ("Ada", "ada@example.org", True)
    assert await services.accounts.registration.setup_token() is None


async def test_fifty_people_with_the_link_make_one_administrator(services: Services) -> None:
    token = await services.accounts.registration.setup_token()
    assert token
    made = await asyncio.gather(
        *(
            services.accounts.registration.create_first_administrator(
                token,
                name="x",
                email=f"{number}@example.org",
                password=PASSWORD,
                client_info=ClientInfo(f"10.{number}.0.1"),
            )
            for number in range(50)
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(item, SignInResult) for item in made) == 1
    assert sum(isinstance(item, Conflict) for item in made) == 49


@pytest.mark.parametrize("token", ["", "nonsense", "v4.local.AAAA", "x" * 5000])
async def test_only_our_own_link_creates_an_administrator(services: Services, token: str) -> None:
    with pytest.raises(NotAllowed, match="This link is no longer valid"):
        await services.accounts.registration.create_first_administrator(
            token, name="x", email="x@example.org", password=PASSWORD, client_info=CALLER
        )


async def test_bad_values_are_refused_before_anything_is_made(services: Services) -> None:
    token = await services.accounts.registration.setup_token()
    assert token
    for name, email, password in (("", "a@b.c", PASSWORD), ("A", "nowhere", PASSWORD), ("A", "a@b.c", "short")):
        with pytest.raises(InvalidInput):
            await services.accounts.registration.create_first_administrator(
                token, name=name, email=email, password=password, client_info=CALLER
            )
    assert await services.accounts.registration.setup_token()


async def test_signing_in_takes_the_address_in_any_case(services: Services) -> None:
    await first_administrator(services)
    sealed = await sign_in(services, " ada@EXAMPLE.org ", PASSWORD)
    assert (await services.accounts.sessions.current_user(sealed)).name == "Ada"


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ada@example.org", "wrong password"),
        ("nobody@example.org", PASSWORD),
        ("", ""),
        ("\x00", "\x00"),
        ("ada@example.org", PASSWORD + "\x00"),
    ],
)
async def test_every_failure_to_sign_in_sounds_the_same_and_is_audited(
    services: Services, owner_url: str, email: str, password: str
) -> None:
    await first_administrator(services)
    with pytest.raises(NotSignedIn, match=r"^Wrong e-mail address or password\.$"):
        await sign_in(services, email, password)
    with psycopg.connect(owner_url) as connection:
        actions = [row[0] for row in connection.execute("SELECT action FROM audit_event ORDER BY id").fetchall()]
    assert actions == ["first_administrator_created", "signed_in", "sign_in_refused"]


async def test_a_suspended_account_is_out_at_once_with_the_same_words(services: Services, owner_url: str) -> None:
    sealed = await first_administrator(services)
    with psycopg.connect(owner_url) as connection:
        connection.execute("UPDATE user_account SET suspended_at = now()")
    with pytest.raises(NotSignedIn):
        await services.accounts.sessions.current_user(sealed)
    with pytest.raises(NotSignedIn, match="Wrong e-mail address or password"):
        await sign_in(services, "ada@example.org", PASSWORD)


async def test_signing_out_ends_the_session_wherever_its_cookie_is(services: Services) -> None:
    sealed = await first_administrator(services)
    other = await sign_in(services, "ada@example.org", PASSWORD)
    await services.accounts.sessions.sign_out(await services.accounts.sessions.current_user(sealed), CALLER)
    with pytest.raises(NotSignedIn):
        await services.accounts.sessions.current_user(sealed)
    assert await services.accounts.sessions.current_user(other)


@pytest.mark.parametrize(
    "column", ["last_seen_at = now() - interval '8 days'", "expires_at = now() - interval '1 second'"]
)
async def test_the_servers_record_decides_how_long_a_session_lasts(
    services: Services, owner_url: str, column: str
) -> None:
    sealed = await first_administrator(services)
    with psycopg.connect(owner_url) as connection:
        connection.execute(f"UPDATE user_session SET {column}")  # pyright: ignore[reportCallIssue, reportArgumentType]
    with pytest.raises(NotSignedIn):
        await services.accounts.sessions.current_user(sealed)


def seals() -> list[str]:
    """Return tokens that are almost right: another key, purpose, version, time or content."""
    tokens, others = SessionTokens(b"k" * 32), SessionTokens(b"o" * 32)
    session = SessionToken(new_id(), new_id())
    own = tokens.session(session, timedelta(days=1))
    public = Key.new(version=4, purpose="local", key=b"k" * 32)
    return [
        others.session(session, timedelta(days=1)),
        tokens.setup(),
        tokens.session(session, timedelta(seconds=-1)),
        own[:-4] + "AAAA",
        own + ".footer",
        own.replace("v4.local", "v3.local"),
        own.replace("v4.local", "v4.public"),
        pyseto.encode(public, payload=b'{"uid": "x", "sid": "y"}').decode(),
        "",
        "x" * 10_000,
        pyseto.encode(
            tokens._keys[Purpose.SESSION],
            payload={"uid": str(new_id()), "sid": str(new_id()), "exp": "2026-01-01T00:00:00+00:00"},
            serializer=json,
            implicit_assertion=Purpose.SESSION.value,
        ).decode(),
    ]


@pytest.mark.parametrize("number", range(11))
def test_only_our_own_seal_for_this_purpose_opens_a_session(number: int) -> None:
    with pytest.raises(NotSignedIn):
        SessionTokens(b"k" * 32).open_session(seals()[number])


def test_a_seal_says_what_was_sealed_and_hides_it() -> None:
    tokens, session = SessionTokens(b"k" * 32), SessionToken(new_id(), new_id())
    sealed = tokens.session(session, timedelta(days=1))
    assert tokens.open_session(sealed) == session
    assert str(session.user_id) not in sealed


async def test_passwords_count_to_the_last_character_and_need_the_pepper() -> None:
    passwords, peppered = Passwords(b"a" * 32, rounds=4), Passwords(b"b" * 32, rounds=4)
    long = "x" * 80
    stored = await passwords.hash(long)
    assert ":$2b$04$" in stored and long not in stored
    assert await passwords.matches(long, stored)
    assert not await passwords.matches(long + "y", stored)
    assert not await passwords.matches(long[:72], stored)
    assert not await peppered.matches(long, stored)
    assert not await passwords.matches("a\x00b", await passwords.hash("a\x00c"))
    assert not await passwords.matches("anything", None)

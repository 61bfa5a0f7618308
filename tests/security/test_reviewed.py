"""What a review found, each kept shut: rights that outlive their owner, ways around a factor, links spent in vain."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import text

from rxchat.connections import Connections
from rxchat.domain.accounts import ClientInfo, SecondFactorPolicy
from rxchat.domain.errors import LastAdministrator, NotAllowed, TooManyAttempts
from rxchat.lifespan import running
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.factories import PASSWORD, signed_in_as
from tests.peers.sign_in_provider import SignInProviderHost
from tests.security.http import Open, create_user, error_of, http_clients, set_up_totp, sign_in

pytestmark = [pytest.mark.anyio, pytest.mark.without_engine]

CALLER = ClientInfo("192.0.2.1", "a browser")


@pytest.fixture
def provider(running_providers: SignInProviderHost) -> Iterator[SignInProviderHost]:
    yield running_providers
    running_providers.calm()


async def test_a_way_to_sign_in_is_connected_by_its_person_alone_and_just_after_signing_in(
    provider: SignInProviderHost, settings: Settings, at: Connections, owner_url: str
) -> None:
    values = settings.model_dump(by_alias=True, exclude_unset=True) | provider.environment
    async with running(Settings.model_validate(values), at) as services, http_clients(settings) as clients:
        await services.platform.pg_listener.listening.wait()
        current_user = await create_user(services, owner_url)
        _, key = await services.accounts.api_credentials.create_key(
            current_user, name="k", scopes=["read"], days=None, client_info=CALLER
        )
        path, wanted = "/api/auth/providers/oidc", {"link": True}
        for headers in ({"x-api-key": key}, {"authorization": f"Bearer {key}"}):
            assert (await clients().post(path, json=wanted, headers=headers)).status_code == 401
        client = clients()
        await sign_in(client, current_user)
        assert (await client.post(path, json=wanted)).json()["url"].startswith(provider.urls["oidc"])
        with psycopg.connect(owner_url) as connection:
            connection.execute("UPDATE user_session SET created_at = now() - interval '11 minutes'")
        assert error_of(await client.post(path, json=wanted)) == "sign_in_again"


@pytest.mark.parametrize("how", ["suspended", "demoted"])
async def test_what_somebody_handed_out_ends_with_their_rights(
    services: Services, clients: Open, owner_url: str, how: str
) -> None:
    boss, deputy = (
        await create_user(services, owner_url, "Boss", "admin"),
        await create_user(services, owner_url, "Deputy", "admin"),
    )
    member = await create_user(services, owner_url)
    invitation, _ = await services.access.user_admin.invite(
        deputy, email="evil@example.org", role="admin", client_info=CALLER
    )
    reset = await services.access.user_admin.reset_link(deputy, member.user_id, CALLER)
    if how == "suspended":
        await services.access.user_admin.suspend(boss, deputy.user_id, CALLER, is_suspended=True)
    else:
        # In another way than through the use case, which takes the links away with the role.
        with psycopg.connect(owner_url) as connection:
            connection.execute("UPDATE user_account SET role = 'moderator' WHERE id = %s", (deputy.user_id,))
    body = {"token": invitation.partition("token=")[2], "name": "x", "password": "a long enough sentence"}
    assert (await clients().post("/api/auth/join", json=body)).status_code == 403
    body = {"token": reset.partition("token=")[2], "password": "a long enough sentence"}
    assert (await clients().post("/api/auth/reset", json=body)).status_code == 403


async def test_a_new_factor_ends_what_was_signed_in_without_it(
    services: Services, clients: Open, owner_url: str
) -> None:
    current_user = await create_user(services, owner_url, "Boss", "admin")
    older, newer = clients(), clients()
    await sign_in(older, current_user)
    await sign_in(newer, current_user)
    await set_up_totp(newer)
    assert (await older.get("/api/me")).status_code == 401
    # And were one left, it could change nothing about the factor with the password alone.
    left = clients()
    left.cookies.set("rxchat_session", await signed_in_as(services, current_user))
    for path in ("totp/remove", "recovery-codes", "passkeys/begin", "delete"):
        answer = await left.post(f"/api/me/{path}", json={"password": PASSWORD})
        assert (answer.status_code, error_of(answer)) == (403, "sign_in_again"), path


async def test_whoever_must_set_up_a_factor_first_does_nothing_else(
    settings: Settings, at: Connections, owner_url: str, subtests: pytest.Subtests
) -> None:
    requests = (
        ("POST", "/api/me/export", {"password": PASSWORD}),
        ("GET", "/api/me/export/v4.local.AAAA", None),
        ("POST", "/api/me/delete", {"password": PASSWORD}),
        ("POST", "/api/me/password", {"present": PASSWORD, "wanted": "another long sentence"}),
        ("POST", "/api/me/keep", {}),
        ("GET", "/api/me/keys", None),
        ("GET", "/api/me", None),
    )
    strict = settings.model_copy(update={"second_factor": SecondFactorPolicy.EVERYBODY})
    async with running(strict, at) as services, http_clients(settings) as clients:
        for number, (method, path, body) in enumerate(requests):
            with subtests.test(route=f"{method} {path}"):
                client = clients(f"198.51.{number}.1")
                await sign_in(client, await create_user(services, owner_url))
                answer = await client.request(method, path, json=body)
                assert (answer.status_code, error_of(answer)) == (403, "second_factor_needed")
                assert (await client.post("/api/me/totp/begin", json={"password": PASSWORD})).status_code == 200


async def test_an_own_sign_in_frees_nobody_from_a_pause(services: Services, owner_url: str) -> None:
    current_user = await create_user(services, owner_url)
    own = await services.accounts.rate_limits.attempt("sign-in", CALLER, str(current_user.user_id))
    for number in range(20):
        await services.accounts.rate_limits.attempt("sign-in", CALLER, f"victim {number}")
    await services.accounts.rate_limits.reset(own)
    with pytest.raises(TooManyAttempts):
        await services.accounts.rate_limits.attempt("sign-in", CALLER, "the next victim")


async def test_a_letter_that_the_database_takes_for_another_is_another_address(
    services: Services, clients: Open, owner_url: str
) -> None:
    """lower() of Postgres makes a plain i of U+0130 in some collations, which is a letter of another mailbox."""
    current_user, admin = (
        await create_user(services, owner_url, "Iris"),
        await create_user(services, owner_url, "Boss", "admin"),
    )
    email = current_user.email.replace("i", "\u0130", 1)
    assert email != current_user.email
    assert (await clients().post("/api/auth/sign-in", json={"email": email, "password": PASSWORD})).status_code == 401
    upper = current_user.email.upper()
    assert (await clients().post("/api/auth/sign-in", json={"email": upper, "password": PASSWORD})).status_code == 200
    # Another one's invitation is not used up, withdrawn or replaced by it either.
    for invited in ("ida@members.test", "\u0130da@members.test"):
        await services.access.user_admin.invite(admin, email=invited, role="member", client_info=CALLER)
    assert {item.email for item in await services.access.user_admin.invitations(admin)} == {
        "ida@members.test",
        "\u0130da@members.test",
    }
    async with services.access.user_admin._database.begin(current_user.user_id) as session:
        spent = await services.access.user_admin._one_time_links.consume_of(session, "\u0130DA@members.test")
    assert spent
    assert spent.email == "\u0130da@members.test"


async def test_who_invites_puts_nobody_into_groups_that_are_not_theirs_to_fill(
    services: Services, owner_url: str
) -> None:
    boss, moderator = (
        await create_user(services, owner_url, "Boss", "admin"),
        await create_user(services, owner_url, "Mod", "moderator"),
    )
    await services.access.roles.save(
        boss, name="host", title="Host", description="", client_info=CALLER,
        permissions=["users.read", "users.invite", "conversations.create", "models.use", "collections.create", "keys.create"],
    )  # fmt: skip
    host = await create_user(services, owner_url, "Host")
    await services.access.user_admin.set_role(boss, host.user_id, "host", CALLER)
    host = await services.accounts.sessions.current_user(await signed_in_as(services, host))
    group = await services.access.groups.save(boss, group_id=None, name="Secret", description="", client_info=CALLER)
    with pytest.raises(NotAllowed):
        await services.access.user_admin.invite(
            host, email="me2@example.org", role="member", group_ids=[group], client_info=CALLER
        )
    with pytest.raises(NotAllowed):
        await services.access.groups.set_member(moderator, group, moderator.user_id, CALLER, is_member=True)
    link, _ = await services.access.user_admin.invite(
        boss, email="you@example.org", role="member", group_ids=[group], client_info=CALLER
    )
    await services.accounts.registration.accept_invitation(
        link.partition("token=")[2], name="You", password="a long enough sentence", client_info=CALLER
    )
    assert [name for _, name, _ in await services.access.groups.members(boss, group)] == ["You"]


async def test_a_link_is_used_up_with_what_it_is_for_or_not_at_all(
    services: Services, clients: Open, owner_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    boss, member = await create_user(services, owner_url, "Boss", "admin"), await create_user(services, owner_url)
    link = await services.access.user_admin.reset_link(boss, member.user_id, CALLER)
    body = {"token": link.partition("token=")[2], "password": "a long enough sentence"}
    monkeypatch.setattr(services.accounts.sign_in._passwords, "_waiting", 1_000)
    assert (await clients().post("/api/auth/reset", json=body)).status_code == 429
    monkeypatch.undo()
    answers = await asyncio.gather(
        *(clients(f"10.0.0.{number}").post("/api/auth/reset", json=body) for number in range(5))
    )
    assert sorted(answer.status_code for answer in answers) == [204] + [403] * 4


@pytest.mark.parametrize("how", ["end sessions", "suspend and readmit", "role", "second factor"])
async def test_keys_go_with_what_an_administrator_ends(
    services: Services, clients: Open, owner_url: str, how: str
) -> None:
    boss, member = await create_user(services, owner_url, "Boss", "admin"), await create_user(services, owner_url)
    _, key = await services.accounts.api_credentials.create_key(
        member, name="k", scopes=["read"], days=None, client_info=CALLER
    )
    match how:
        case "end sessions":
            await services.access.user_admin.end_sessions(boss, member.user_id, CALLER)
        case "role":
            await services.access.user_admin.set_role(boss, member.user_id, "guest", CALLER)
        case "second factor":
            await services.access.user_admin.reset_second_factor(boss, member.user_id, CALLER)
        case _:
            for is_suspended in (True, False):
                await services.access.user_admin.suspend(boss, member.user_id, CALLER, is_suspended=is_suspended)
    assert (await clients().get("/api/me", headers={"x-api-key": key})).status_code == 401


async def test_a_session_that_slept_too_long_is_not_woken_by_a_refresh(
    services: Services, clients: Open, owner_url: str
) -> None:
    current_user = await create_user(services, owner_url)
    pair = (await clients().post("/api/auth/token", json={"email": current_user.email, "password": PASSWORD})).json()
    with psycopg.connect(owner_url) as connection:
        connection.execute("UPDATE user_session SET last_seen_at = now() - interval '8 days'")
    answer = await clients().post("/api/auth/token/refresh", json={"refresh_token": pair["refresh_token"]})
    assert answer.status_code == 401


async def test_of_two_administrators_who_leave_at_once_one_stays(services: Services, owner_url: str) -> None:
    admins = [await create_user(services, owner_url, name, "admin") for name in ("One", "Two")]
    left = await asyncio.gather(
        *(services.app.account_deletion.schedule(admin, PASSWORD, CALLER) for admin in admins), return_exceptions=True
    )
    assert [isinstance(item, LastAdministrator) for item in left].count(True) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT create_account(gen_random_uuid(), 'e@x.y', 'e', 'admin', 'x', true, '{}')",
        "SELECT append_audit_entry(gen_random_uuid(), (SELECT gen_random_uuid()), 'x', '', '', '{}')",
        "SELECT update_user_access(current_user_id(), 'admin', NULL)",
        "INSERT INTO account_token (id, kind, hash, user_id, email, role, group_ids, is_mailed, expires_at) SELECT"
        " gen_random_uuid(), 'invitation', 'x', current_user_id(), 'x', 'admin', '{}', true, now() + '1 day'",
    ],
)
async def test_the_runtime_role_gives_nobody_what_they_have_not(
    services: Services, database_url: str, owner_url: str, statement: str
) -> None:
    member = await create_user(services, owner_url)
    with psycopg.connect(database_url) as connection:
        connection.execute("SET ROLE rxchat_app")
        connection.execute("SELECT set_config('rxchat.user_id', %s, true)", (str(member.user_id),))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)  # pyright: ignore[reportArgumentType, reportCallIssue]


async def test_the_procedures_end_no_sign_ins_of_who_may_do_more_and_forget_no_upload_of_the_future(
    services: Services, clients: Open, owner_url: str
) -> None:
    boss = await create_user(services, owner_url, "Boss", "admin")
    with psycopg.connect(owner_url) as connection:
        connection.execute(
            "INSERT INTO role (name, title, description, permissions, is_builtin) VALUES ('keeper', 'Keeper', '', '{users.manage}', false)"
        )
    keeper = await create_user(services, owner_url, "Keeper", "member")
    with psycopg.connect(owner_url) as connection:
        connection.execute("UPDATE user_account SET role = 'keeper' WHERE id = %s", (keeper.user_id,))
    client = clients()
    await sign_in(client, boss)
    database = services.accounts.sessions._database
    # Eleven months that Postgres counts as 330 days, and the calendar as more.
    future = "SELECT purge_uploads('-11 months 330 days')"
    for statement in ("SELECT end_sessions(:boss, NULL, NULL, 'x')", "SELECT purge_uploads('-1 day')", future):
        with pytest.raises(Exception, match=r"not allowed|below zero"):
            async with database.begin(keeper.user_id) as session:
                await session.execute(text(statement), {"boss": boss.user_id} if ":boss" in statement else {})
    assert (await client.get("/api/me")).status_code == 200


@pytest.mark.parametrize(
    "statement", ["lo_creat(-1)", "lo_create(0)", "lo_from_bytea(0, 'x')", "lo_import('/etc/passwd')"]
)
async def test_the_runtime_role_makes_no_large_objects(at: Connections, statement: str) -> None:
    with psycopg.connect(at.database_url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(f"SELECT {statement}".encode())


async def test_the_runtime_role_opens_a_few_vector_indexes_and_no_more(at: Connections, owner_url: str) -> None:
    count = "SELECT count(*) FROM pg_class WHERE relname LIKE 'ix_chunk_vector_hnsw_%'"
    opened = "SELECT state FROM get_or_create_embedding_index(%s, 8, 256, '', '')"
    with psycopg.connect(at.database_url) as connection:
        for number in range(8):
            connection.execute(opened, (f"model {number}",))
            if connection.execute("SELECT count(*) FROM embedding_index").fetchone() == (8,):
                break
        with pytest.raises(psycopg.errors.ProgramLimitExceeded), connection.transaction():
            connection.execute(opened, ("one too many",))
        # One that is there is found as before.
        assert connection.execute(opened, ("model 0",)).fetchone() is not None
        assert connection.execute(count).fetchone() == (8,)
        connection.rollback()

"""Rows 23 and 46: guessing becomes slow wherever it comes from, the owner still gets in, and no Redis is no way around."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest

from rxchat.adapters.redis_rate_limits import RedisCounters
from rxchat.connections import Connections
from rxchat.domain.rate_limits import Backoff, CountersUnavailable, RateLimitCounters, format_wait, host_of, network_of
from rxchat.lifespan import running
from rxchat.services.accounts.rate_limits import PostgresCounters
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.conftest import empty
from tests.factories import PASSWORD
from tests.security.http import Open, create_user, error_of, http_clients, sign_in

pytestmark = [pytest.mark.anyio, pytest.mark.without_engine]

QUICK = Backoff(base_seconds=0.3, cap_seconds=1.0, forget_seconds=60)
# No pause of this one ends while a test runs, however busy the machine is.
SLOW = Backoff(base_seconds=600)


@pytest.fixture(params=["redis", "postgres"])
async def counters(
    request: pytest.FixtureRequest, services: Services, at: Connections, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[RateLimitCounters]:
    """Each of the two that count; what holds for one holds for the other."""
    if request.param == "postgres":
        yield PostgresCounters(services.accounts.sessions._database)
        return
    assert at.redis_url
    # How it counts is the subject here; on a busy machine a hundred at once take longer than people wait for Redis.
    monkeypatch.setattr("rxchat.adapters.redis_rate_limits._BUDGET_SECONDS", 10.0)
    redis = RedisCounters(at.redis_url)
    yield redis
    await redis.aclose()


async def test_pauses_begin_after_the_free_attempts_and_double(counters: RateLimitCounters) -> None:
    pace = Backoff(base_seconds=1.5, cap_seconds=10.0, forget_seconds=60)
    assert [await counters.count(["a"], [3], pace) for _ in range(3)] == [0, 0, 0]
    assert await counters.count(["a"], [3], pace) == 0
    pause = await counters.count(["a"], [3], pace)
    # Clocks are read more than once: a pause can be some tenths of a millisecond longer than it was made.
    assert 0 < pause <= 1.51
    await asyncio.sleep(pause + 0.05)
    assert await counters.count(["a"], [3], pace) == 0
    assert 1.5 < await counters.count(["a"], [3], pace) <= 3.0


async def test_a_refused_attempt_is_not_counted_and_a_pause_has_an_end(counters: RateLimitCounters) -> None:
    waits: list[float] = []
    # Until one is refused: after one that came through another pause begins, which no answer told.
    while len(waits) < 30 or not waits[-1]:
        waits.append(await counters.count(["a"], [0], QUICK))
    # However long thirty take here: the pause has grown by what came through, and by nothing else.
    came_through = sum(wait == 0 for wait in waits)
    waiting = max(waits[-1], 0.01)
    assert waiting <= min(QUICK.cap_seconds, QUICK.base_seconds * 2 ** (came_through - 1))
    await asyncio.sleep(waiting + 0.05)
    assert await counters.count(["a"], [0], QUICK) == 0


async def test_the_longest_pause_is_the_cap(counters: RateLimitCounters) -> None:
    for _ in range(6):
        while (waiting := await counters.count(["a"], [0], QUICK)) > 0:
            assert waiting <= 1.01
            await asyncio.sleep(waiting + 0.01)


async def test_one_blocked_key_blocks_and_the_others_are_not_counted(counters: RateLimitCounters) -> None:
    await counters.count(["address"], [0], SLOW)
    for _ in range(10):
        assert await counters.count(["address", "account"], [0, 3], SLOW) > 0
    assert await counters.count(["account"], [1], SLOW) == 0


async def test_what_was_right_is_forgiven(counters: RateLimitCounters) -> None:
    for _ in range(4):
        await counters.count(["account", "address"], [3, 10], SLOW)
    await counters.forgive(["account"], ["address"])
    assert [await counters.count(["account"], [3], SLOW) for _ in range(3)] == [0, 0, 0]
    assert [await counters.count(["address"], [4], SLOW) for _ in range(2)] == [0, 0]
    assert await counters.count(["address"], [4], SLOW) > 0


async def test_what_was_long_ago_is_forgotten(counters: RateLimitCounters) -> None:
    brief = Backoff(base_seconds=0.1, cap_seconds=0.1, forget_seconds=1)
    for _ in range(5):
        await counters.count(["a"], [4], brief)
    await asyncio.sleep(1.3)
    assert [await counters.count(["a"], [4], brief) for _ in range(4)] == [0, 0, 0, 0]


async def test_of_a_hundred_at_once_only_the_free_ones_pass(counters: RateLimitCounters) -> None:
    keys = [f"{name}{number % 2}" for number, name in enumerate("xyz")]
    passed = await asyncio.gather(*(counters.count(keys, [5, 5, 5], SLOW) for _ in range(100)))
    assert sum(waiting == 0 for waiting in passed) == 6


async def test_a_redis_that_is_away_says_so_quickly() -> None:
    away = RedisCounters("redis://127.0.0.1:9")
    # Each alone would wait for a time-out of seconds.
    async with asyncio.timeout(60):
        for _ in range(50):
            with pytest.raises(CountersUnavailable):
                await away.count(["a"], [1], QUICK)
    await away.aclose()


@pytest.fixture(params=["redis", "redis away", "no redis"])
async def web_server(request: pytest.FixtureRequest, settings: Settings, at: Connections) -> AsyncGenerator[Services]:
    """Everything at work, with counters wherever they may be."""
    urls = {"redis": at.redis_url, "redis away": "redis://127.0.0.1:9", "no redis": None}
    async with running(settings, replace(at, redis_url=urls[request.param])) as services:
        services.accounts.rate_limits._pace = SLOW
        yield services
    empty(at.database_owner_url, at.redis_url)


@pytest.fixture
async def clients(web_server: Services, settings: Settings) -> AsyncGenerator[Open]:
    assert web_server
    async with http_clients(settings) as made:
        yield made


async def guess(
    clients: Open, current_user, times: int, *, address: str = "198.51.100.{}", email: str = ""
) -> list[int]:
    """Try wrong passwords, each from the next address."""
    found = []
    for number in range(times):
        body = {"email": email or current_user.email, "password": f"guess number {number}"}
        answer = await clients(address.format(number)).post("/api/auth/sign-in", json=body)
        found.append(answer.status_code)
    return found


async def test_an_account_is_guessed_six_times_from_wherever_and_then_slowly(
    web_server: Services, clients: Open, owner_url: str
) -> None:
    current_user = await create_user(web_server, owner_url)
    assert await guess(clients, current_user, 8, address="198.51.{}.1") == [401] * 6 + [429] * 2
    refused = await sign_in(clients("192.0.2.1"), current_user)
    assert (refused.status_code, error_of(refused)) == (429, "too_many_attempts")
    assert 0 < int(refused.headers["retry-after"]) <= SLOW.base_seconds
    assert "Try again in" in refused.json()["error"]["message"]


async def test_a_known_device_gets_in_while_others_guess(web_server: Services, clients: Open, owner_url: str) -> None:
    current_user = await create_user(web_server, owner_url)
    own = clients("192.0.2.7")
    assert (await sign_in(own, current_user)).status_code == 200
    await own.post("/api/auth/sign-out")
    assert 429 in await guess(clients, current_user, 10, address="198.51.{}.1")
    assert (await sign_in(own, current_user)).status_code == 200
    stolen = clients("192.0.2.8")
    stolen.cookies.set("rxchat_device", own.cookies["rxchat_device"][:-4] + "AAAA")
    assert (await sign_in(stolen, current_user)).status_code == 429


async def test_a_known_device_is_slowed_too_when_it_guesses(
    web_server: Services, clients: Open, owner_url: str
) -> None:
    current_user = await create_user(web_server, owner_url)
    own = clients()
    await sign_in(own, current_user)
    answers = [(await sign_in(own, current_user, "wrong")).status_code for _ in range(13)]
    assert answers == [401] * 11 + [429] * 2


async def test_somebody_elses_device_is_not_known(web_server: Services, clients: Open, owner_url: str) -> None:
    current_user, mallory = (
        await create_user(web_server, owner_url),
        await create_user(web_server, owner_url, "Mallory"),
    )
    attacker = clients()
    await sign_in(attacker, mallory)
    answers = [(await sign_in(attacker, current_user, "wrong")).status_code for _ in range(8)]
    assert answers == [401] * 6 + [429] * 2


async def test_another_spelling_of_an_address_is_the_same_account(
    web_server: Services, clients: Open, owner_url: str, subtests: pytest.Subtests
) -> None:
    for number, spelling in enumerate(("{}", " {} ", "{upper}", "{title}", "{}\x00")):
        with subtests.test(spelling=spelling):
            current_user = await create_user(web_server, owner_url)
            assert await guess(clients, current_user, 6, address=f"10.{number}.{{}}.1") == [401] * 6
            written = spelling.format(
                current_user.email, upper=current_user.email.upper(), title=current_user.email.title()
            )
            assert await guess(clients, current_user, 1, address=f"192.0.{number}.9", email=written) == [429]


async def test_an_address_that_tries_many_accounts_is_slowed(
    web_server: Services, clients: Open, owner_url: str
) -> None:
    current_user = await create_user(web_server, owner_url)
    client = clients("192.0.2.66")
    answers = []
    for number in range(24):
        body = {"email": f"{number}@example.org", "password": "x"}
        answers.append((await client.post("/api/auth/sign-in", json=body)).status_code)
    assert answers == [401] * 21 + [429] * 3
    assert (await sign_in(clients("192.0.2.67"), current_user)).status_code == 200


async def test_the_other_way_to_sign_in_counts_with_the_first(
    web_server: Services, clients: Open, owner_url: str
) -> None:
    current_user = await create_user(web_server, owner_url)
    await guess(clients, current_user, 6, address="198.51.{}.1")
    for path in ("/api/auth/token", "/api/auth/token/", "/api/auth//token", "/API/auth/token"):
        body = {"email": current_user.email, "password": PASSWORD}
        answer = await clients("192.0.2.3").post(path, json=body)
        assert answer.status_code in {429, 404, 307} or answer.text == "a page", path
    for method in ("PUT", "PATCH", "GET"):
        answer = await clients("192.0.2.3").request(method, "/api/auth/sign-in", json={"email": current_user.email})
        assert answer.status_code == 405


async def test_every_door_without_a_sign_in_is_slow_for_one_address(
    web_server: Services, clients: Open, subtests: pytest.Subtests
) -> None:
    assert web_server
    http_clients = [
        ("/api/auth/forgot", {"email": "ada@example.org"}),
        ("/api/auth/reset", {"token": "x", "password": "a long enough sentence"}),
        ("/api/auth/confirm", {"token": "x"}),
        ("/api/auth/link", {"token": "x", "kind": "reset"}),
        ("/api/auth/invitation", {"token": "x"}),
        ("/api/auth/join", {"token": "x", "name": "x", "password": "a long enough sentence"}),
        ("/api/auth/setup", {"token": "x", "name": "x", "email": "a@b.c", "password": "a long enough sentence"}),
        ("/api/auth/token/refresh", {"refresh_token": "x"}),
    ]
    for number, (path, body) in enumerate(http_clients):
        with subtests.test(path=path):
            client = clients(f"192.0.{number}.44")
            answers = [(await client.post(path, json=body)).status_code for _ in range(23)]
            assert 429 in answers and 429 not in answers[:5], answers


async def test_guessed_keys_are_slow_and_right_ones_are_not(
    web_server: Services, clients: Open, owner_url: str
) -> None:
    from rxchat.domain.accounts import ClientInfo

    current_user = await create_user(web_server, owner_url)
    _, key = await web_server.accounts.api_credentials.create_key(
        current_user, name="k", scopes=["read"], days=None, client_info=ClientInfo()
    )
    client = clients("192.0.2.55")
    answers = [
        (await client.get("/api/me", headers={"x-api-key": f"rxc_{number:040}"})).status_code for number in range(23)
    ]
    assert answers == [401] * 21 + [429] * 2
    assert all([(await client.get("/api/me", headers={"x-api-key": key})).status_code == 200 for _ in range(30)])


@pytest.mark.parametrize(
    ("address", "host", "network"),
    [
        ("203.0.113.7", "203.0.113.7", "203.0.113.0/24"),
        ("::ffff:203.0.113.7", "203.0.113.7", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/64", "fe80::/48"),
        ("", "unknown", "unknown"),
        ("testclient", "unknown", "unknown"),
    ],
)
def test_neighbours_share_a_network(address: str, host: str, network: str) -> None:
    assert (host_of(address), network_of(address)) == (host, network)


def test_a_wait_is_said_in_words() -> None:
    assert [format_wait(seconds) for seconds in (0.2, 1.4, 30, 89, 91, 900)] == [
        "1 second",
        "2 seconds",
        "30 seconds",
        "89 seconds",
        "2 minutes",
        "15 minutes",
    ]

"""What being careful costs: the check of a session at each event, and signing in beside answers that stream."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

import httpx
import psycopg
from sqlalchemy import text

from rxchat.lifespan import running
from rxchat.services.accounts.passwords import Passwords
from rxchat.services.app.container import Services
from tests.performance.figures import Figure, median, middle_and_range, percentile, spread
from tests.performance.seeding import Person, add_conversation, add_person
from tests.performance.stage import STAMPED, Stage, settings_of
from tests.performance.tab import open_tab

_CHECKS = 2_000
_SIGN_INS = 20
_TURNS = 3
_PASSWORD = "a rather long sentence"


async def account_figures(stage: Stage, say: Callable[[str], None]) -> list[Figure]:
    """Measure the check of a session, signing in, and what twenty who sign in do to a stream."""
    say("checking a session, many times")
    figures = await _check_figures(stage)
    say(f"a stream, alone and beside {_SIGN_INS} sign-ins")
    return figures + await _sign_in_figures(stage)


async def _check_figures(stage: Stage) -> list[Figure]:
    person = add_person(stage.at)
    async with running(settings_of(stage.data, stage.ollama), stage.at) as services:
        await services.platform.pg_listener.listening.wait()
        remembered = await _timed(lambda: services.accounts.sessions.current_user(person.cookie))

        async def anew() -> None:
            services.platform.access_invalidator.changed(person.user_id)
            await services.accounts.sessions.current_user(person.cookie)

        read = await _timed(anew)
        floor = await _timed(lambda: _nothing(services))
    return [
        Figure("check of a session, at each event", "p95 ≤ 1 ms", _fine(remembered)),
        Figure(
            "the same when it has to be read (every two seconds, or after a change)",
            "",
            _fine(read),
            f"{_fine(floor)}: SELECT 1 in a transaction",
        ),
    ]


async def _nothing(services: Services) -> None:
    async with services.accounts.sessions._database.begin(None) as session:
        await session.execute(text("SELECT 1"))


async def _timed(work: Callable[[], object]) -> list[float]:
    found = []
    for _ in range(_CHECKS):
        began = time.perf_counter()
        await work()  # pyright: ignore[reportGeneralTypeIssues]
        found.append((time.perf_counter() - began) * 1000)
    return found


def _fine(values: list[float]) -> str:
    return f"p50 {median(values):.3f} ms, p95 {percentile(values, 0.95):.3f} ms"


async def _sign_in_figures(stage: Stage) -> list[Figure]:
    users = await _with_passwords(stage, _SIGN_INS)
    one = [await _one_sign_in(stage.url, email) for email in users[:5]]
    alone = await _latencies(stage)
    taken: list[float] = []
    busy = [asyncio.create_task(_sign_in_forever(stage.url, email, taken)) for email in users]
    try:
        # All of them are under way before the answer begins.
        await asyncio.sleep(2)
        beside = await _latencies(stage)
    finally:
        for task in busy:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    ratio = percentile(beside, 0.95) / percentile(alone, 0.95)
    return [
        Figure(
            "signing in, nobody else", "≥ 250 ms by choice", middle_and_range([seconds * 1000 for seconds in one], "ms")
        ),
        Figure(
            f"the model's write to the socket, beside {_SIGN_INS} sign-ins",
            "p95 ≤ 1.5 times alone",
            f"{spread(beside, 'ms')} ({ratio:.2f} times; {len(taken)} signed in meanwhile)",
            f"{spread(alone, 'ms')}: the stream alone",
        ),
    ]


async def _with_passwords(stage: Stage, count: int) -> list[str]:
    passwords = Passwords(stage.at.password_pepper)
    hashed = await passwords.hash(_PASSWORD)
    passwords.close()
    emails = []
    with psycopg.connect(stage.at.database_owner_url) as connection:
        for number in range(count):
            person = add_person(stage.at, f"Signer {number}")
            found = connection.execute(
                "UPDATE user_account SET password_hash = %s WHERE id = %s RETURNING email", (hashed, person.user_id)
            ).fetchone()
            assert found
            emails.append(found[0])
    return emails


async def _one_sign_in(url: str, email: str) -> float:
    async with httpx.AsyncClient(base_url=url, trust_env=False, headers={"origin": url}, timeout=60) as client:
        began = time.perf_counter()
        answer = await client.post("/api/auth/sign-in", json={"email": email, "password": _PASSWORD})
        answer.raise_for_status()
        return time.perf_counter() - began


async def _sign_in_forever(url: str, email: str, taken: list[float]) -> None:
    while True:
        taken.append(await _one_sign_in(url, email))


async def _latencies(stage: Stage) -> list[float]:
    """Return how many milliseconds each token took from the model's write to the tab's socket."""
    person: Person = add_person(stage.at)
    found: list[float] = []
    for _ in range(_TURNS):
        conversation = add_conversation(stage.at, person, 2, model=STAMPED)
        async with open_tab(stage.url, person.cookie, conversation) as tab:
            turn = await tab.ask()
        found += turn.latencies
    return found

"""From the command to the page that can answer: warm on a data folder that exists, and cold in a fresh clone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from operator import itemgetter
from pathlib import Path

import httpx
from playwright.async_api import Browser

from rxchat.connections import connections
from tests.performance.browser import profile, until_ready
from tests.performance.figures import Figure, middle_and_range
from tests.performance.processes import ROOT, command_of, environment, family, memory_megabytes, running
from tests.performance.seeding import Person, add_person
from tests.performance.stage import Stage, rxchat_up, settings_of, until
from tests.ports import free_port

_WARM_STARTS = 3
_COLD_SECONDS = 600.0


async def warm_start_figures(folder: Path, browser: Browser, say: Callable[[str], None]) -> list[Figure]:
    """Start RxChat with its own demo model several times on one data folder; the first start, which fills it, apart."""
    data = folder / "started"
    say("first start on an empty data folder (makes the database and the demo model's weights)")
    began = time.monotonic()
    async with rxchat_up(data) as (url, _):
        person = add_person(connections(settings_of(data)))
        first = await _page_loaded(browser, url, person) - began
    found = []
    for number in range(_WARM_STARTS):
        say(f"warm start {number + 1}")
        began = time.monotonic()
        async with rxchat_up(data) as (url, _):
            found.append(await _page_loaded(browser, url, person) - began)
    return [
        Figure("`rxchat up` to the chat page, warm", "≤ 12 s", middle_and_range(found, "s", 1)),
        Figure("the same on an empty data folder (packages and pages are there)", "", f"{first:.1f} s"),
    ]


async def _page_loaded(browser: Browser, url: str, person: Person) -> float:
    async with profile(browser, url, person) as context:
        page = await context.new_page()
        await page.goto(url)
        await until_ready(page)
        return time.monotonic()


async def cold_start_figure(folder: Path, browser: Browser, say: Callable[[str], None]) -> Figure:
    """Run `make run` in a fresh clone, with an environment of its own and nothing but the packages' cache."""
    clone, port = folder / "clone", free_port()
    log = folder / "cold.log"
    say("make run in a fresh clone")
    cloning = await asyncio.create_subprocess_exec("git", "clone", "--quiet", str(ROOT), str(clone))
    if await cloning.wait() != 0:
        raise RuntimeError("git could not clone")
    url = f"http://127.0.0.1:{port}"
    env = environment(RXCHAT_PORT=str(port), RXCHAT_DATA=str(clone / "data"))
    began = time.monotonic()
    async with running(["make", "run"], log, env, folder=clone) as process:

        async def is_ready() -> bool:
            with suppress(httpx.TransportError):
                async with httpx.AsyncClient(trust_env=False) as client:
                    return (await client.get(f"{url}/readyz", timeout=5)).is_success
            return False

        await until(is_ready, process, log, _COLD_SECONDS)
        person = add_person(connections(settings_of(clone / "data")))
        seconds = await _page_loaded(browser, url, person) - began
    return Figure("`make run` in a fresh clone to the chat page, packages cached", "≤ 120 s", f"{seconds:.0f} s")


def memory_figures(stage: Stage, when: str) -> list[Figure]:
    """Return what the web process and the one that forked it hold, and what all that RxChat runs holds together."""
    amounts = [memory_megabytes(pid) for pid in stage.web]
    whole = sum(share for _, share in amounts)
    parts = " and ".join(f"{resident:.0f}" for resident, _ in amounts)
    tree = [(command_of(pid), memory_megabytes(pid)[1]) for pid in family(stage.pid)]
    largest = ", ".join(f"{_program(command)} {held:.0f}" for command, held in sorted(tree, key=itemgetter(1))[:-5:-1])
    return [
        Figure(
            f"web process, memory {when}", "≤ 200 MB", f"{whole:.0f} MB PSS in all (RSS of parent and worker: {parts})"
        ),
        Figure(
            f"all {len(tree)} processes of RxChat, memory {when}",
            "",
            f"{sum(held for _, held in tree):.0f} MB PSS (the largest: {largest})",
        ),
    ]


def _program(command: str) -> str:
    """Return what a person calls this process."""
    marks = {"rxchat.server": "web", "postgres": "Postgres", "valkey": "Valkey", "rxchat": "supervisor"}
    return next((name for mark, name in marks.items() if mark in command), command.partition(" ")[0])

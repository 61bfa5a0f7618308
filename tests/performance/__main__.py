"""`make bench`: measures RxChat as a person meets it, prints the table and keeps it in docs/performance.md."""

from __future__ import annotations

import argparse
import asyncio
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path

from playwright.async_api import Browser

from tests.performance import report
from tests.performance.accounts import account_figures
from tests.performance.bare import bare_server
from tests.performance.browser import chromium
from tests.performance.documents import document_figures, million_figures
from tests.performance.figures import Figure, table
from tests.performance.latency import latency_figures
from tests.performance.load import load_figures
from tests.performance.loading import loading_figures
from tests.performance.processes import ROOT, environment, python
from tests.performance.programs import program_figures
from tests.performance.routing import routing_figures
from tests.performance.soak import soak_figures
from tests.performance.stage import stage
from tests.performance.starting import cold_start_figure, memory_figures, warm_start_figures
from tests.performance.streaming import streaming_figures
from tests.performance.waking import waking_figure

PARTS = (
    "memory",
    "accounts",
    "streaming",
    "latency",
    "loading",
    "documents",
    "load",
    "programs",
    "routing",
    "starting",
    "million",
)
SOAK = "soak"
"""Not among the parts of a whole run: it takes half an hour."""

_ON_THEIR_OWN = {"load", "programs", "routing", "starting", "million"}
_SETTLE_SECONDS = 10.0

Measured = tuple[list[Figure], str]
"""The figures, and the machine that they were measured on."""


def main() -> int:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.performance", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"only these, of {', '.join(PARTS)}; or {SOAK} alone")
    parser.add_argument("--cold", action="store_true", help="also run `make run` in a fresh clone (some minutes)")
    parser.add_argument("--minutes", type=float, default=30.0, help=f"how long {SOAK} takes (default 30)")
    chosen = parser.parse_args()
    if chosen.parts != [SOAK] and (unknown := set(chosen.parts) - set(PARTS)):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    subprocess.run(python("rxchat", "build"), cwd=ROOT, env=environment(), check=True)
    measuring = _soak(chosen.minutes) if chosen.parts == [SOAK] else _measure(chosen.parts or PARTS, cold=chosen.cold)
    try:
        figures, description = asyncio.run(_until_done_or_stopped(measuring))
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 130
    print(f"\n{table(figures)}\n\n{description}")
    if not chosen.parts:
        report.write(figures, description)
    return 0


async def _until_done_or_stopped(work: Coroutine[None, None, Measured]) -> Measured:
    measuring = asyncio.create_task(work)
    # A signal to this process stops all child processes in order.
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, measuring.cancel)
    return await measuring


async def _soak(minutes: float) -> Measured:
    with tempfile.TemporaryDirectory(prefix="rxchat-soak-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        return await soak_figures(folder, minutes, _reporter()), report.machine()


async def _measure(parts: tuple[str, ...], *, cold: bool) -> Measured:
    with tempfile.TemporaryDirectory(prefix="rxchat-bench-") as name:
        folder = Path(name)
        # Postgres may run as another user, who has to pass through.
        folder.chmod(0o711)
        say = _reporter()
        async with chromium() as browser:
            figures = await _measure_served(folder, browser, parts, say)
            if "load" in parts:
                figures += await load_figures(folder, say)
            if "programs" in parts:
                figures += await program_figures(folder, say)
            if "routing" in parts:
                figures += await routing_figures(say)
            if "starting" in parts:
                figures += await warm_start_figures(folder, browser, say)
            if "million" in parts:
                figures += await million_figures(folder, say)
            if cold:
                figures.append(await cold_start_figure(folder, browser, say))
            return figures, report.machine(browser.version)


async def _measure_served(
    folder: Path, browser: Browser, parts: tuple[str, ...], say: Callable[[str], None]
) -> list[Figure]:
    figures: list[Figure] = []
    if set(parts) <= _ON_THEIR_OWN:
        return figures
    say("starting the scripted model and RxChat")
    async with stage(folder) as found, bare_server(folder, found.ollama) as bare:
        if "memory" in parts:
            await asyncio.sleep(_SETTLE_SECONDS)
            figures += memory_figures(found, "when idle, after the start")
        if "accounts" in parts:
            figures += await account_figures(found, say)
        if "streaming" in parts:
            figures += await streaming_figures(found, bare, say)
        if "latency" in parts:
            figures += await latency_figures(found, bare, browser, say)
            figures.append(await waking_figure(found, browser, say))
        if "loading" in parts:
            figures += await loading_figures(found, browser, say)
        if "memory" in parts:
            await asyncio.sleep(_SETTLE_SECONDS)
            figures += memory_figures(found, "when idle, after all of the above")
        if "documents" in parts:
            figures += await document_figures(found, say)
    return figures


def _reporter() -> Callable[[str], None]:
    began = time.monotonic()
    return lambda line: print(f"{time.monotonic() - began:4.0f} s  {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

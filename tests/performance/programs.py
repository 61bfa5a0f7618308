"""Programs that follow answers over HTTP: how much arrives, how soon, and what it costs."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from rxchat.connections import connections
from tests.performance.crowd import cpu_by_kind
from tests.performance.figures import Figure, spread
from tests.performance.seeding import add_readers
from tests.performance.stage import CROWDED, TOKEN_CHARACTERS, rxchat_up, scripted_model, settings_of

PROGRAMS = 100
_RATE = 50


@dataclass
class _Heard:
    """What the programs received."""

    tokens: int = 0
    delays: list[float] = field(default_factory=list)
    """Milliseconds from the model's write of a token to its arrival."""
    firsts: list[float] = field(default_factory=list)
    """Milliseconds from a question to the first token."""
    failures: int = 0
    rate: float = 0.0
    """Tokens a second of all programs, each from its first to its last one."""


@dataclass
class _Reader:
    """One program's answer so far."""

    heard: _Heard
    asked_at: float = field(default_factory=time.time)
    first_at: float = 0.0
    tokens: int = 0

    def take(self, piece: str) -> None:
        """Note the tokens of a piece, each of which is the moment when it was written."""
        now = time.time()
        for stamp in piece.split():
            if len(stamp) == TOKEN_CHARACTERS - 1:
                self.tokens += 1
                self.heard.delays.append(now * 1000 - int(stamp))
        if piece and not self.first_at:
            self.first_at = now
            self.heard.firsts.append((now - self.asked_at) * 1000)

    def end(self) -> None:
        """Note how many tokens a second there were."""
        self.heard.tokens += self.tokens
        self.heard.rate += (self.tokens - 1) / (time.time() - self.first_at) if self.first_at else 0.0


async def program_figures(folder: Path, say: Callable[[str], None]) -> list[Figure]:
    """Measure a hundred streams of runs, and as many of chat completions."""
    data, figures = folder / "programs", []
    async with scripted_model(folder) as ollama, rxchat_up(data, ollama=ollama) as (url, _):
        cookies = [cookie for cookie, _ in add_readers(connections(settings_of(data, ollama)), PROGRAMS, model=CROWDED)]
        for name, follow in (("runs (SSE)", _follow_run), ("chat completions", _complete)):
            say(f"{PROGRAMS} programs, {name}")
            figures += await _measured(name, url, cookies, follow)
    return figures


async def _measured(name: str, url: str, cookies: list[str], follow: Callable[..., object]) -> list[Figure]:
    heard = _Heard()
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(url, connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as http:
        before = cpu_by_kind()
        await asyncio.gather(*(follow(http, {"Cookie": f"rxchat_session={cookie}"}, heard) for cookie in cookies))  # pyright: ignore[reportCallIssue, reportArgumentType]
        after = cpu_by_kind()
    web = after.get("web", 0.0) - before.get("web", 0.0)
    who = f"API, {len(cookies)} {name}"
    return [
        Figure(f"{who}: tokens/s delivered (of {_RATE * len(cookies):,} written)", "≥ 4,800",
               f"{heard.rate:,.0f}; {heard.tokens:,} tokens, {heard.failures} failures"),
        Figure(f"{who}: the model's write to the program", "", spread(heard.delays, "ms")),
        Figure(f"{who}: question to first token, all at the same moment", "", spread(heard.firsts, "ms")),
        Figure(f"{who}: web processor time for 1,000 tokens", "≤ 0.25 s", f"{web / max(1, heard.tokens) * 1000:.2f} s"),
    ]  # fmt: skip


async def _follow_run(http: aiohttp.ClientSession, headers: dict[str, str], heard: _Heard) -> None:
    reader = _Reader(heard)
    body = {"text": "Go on", "model": CROWDED}
    async with http.post("/api/v1/conversations", json=body, headers=headers) as answer:
        if answer.status != 201:
            heard.failures += 1
            return
        run = (await answer.json())["run_id"]
    name = ""
    async with http.get(f"/api/v1/runs/{run}/events", headers=headers) as answer:
        async for line in answer.content:
            if line.startswith(b"event: "):
                name = line[7:].strip().decode()
            elif line.startswith(b"data: ") and name == "run.text":
                reader.take(json.loads(line[6:])["text"])
    reader.end()


async def _complete(http: aiohttp.ClientSession, headers: dict[str, str], heard: _Heard) -> None:
    reader = _Reader(heard)
    body = {"model": CROWDED, "messages": [{"role": "user", "content": "Go on"}], "stream": True}
    async with http.post("/v1/chat/completions", json=body, headers=headers) as answer:
        heard.failures += answer.status != 200
        async for line in answer.content:
            if line.startswith(b"data: {"):
                for choice in json.loads(line[6:])["choices"]:
                    reader.take(choice["delta"].get("content") or "")
    reader.end()

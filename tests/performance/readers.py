"""Readers in a process of their own: `python -m tests.performance.readers`, spoken to over its standard streams.

The first line names the tabs to open, as JSON: {"url", "model", "seats": [[cookie, conversation], ...]}; a seat without a
cookie reads from the bare websocket instead, and one without a conversation is on the page for a new one. It says `ready`. From then on each line is {"begin", "until"}: every reader asks
at the moment `begin`, and again and again before the moment `until`; what they saw is said as one line of JSON.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import time
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import aiohttp

from tests.performance.stage import TOKEN_CHARACTERS
from tests.performance.tab import Tab, Turn, open_tab

STEADY_FROM, STEADY_TO = 1.5, 5.5
"""Seconds after the question between which the rate is taken: neither the start nor the end of an answer."""

_OPENING_AT_ONCE = 10
_PATIENCE_SECONDS = 90.0


@dataclass
class Seen:
    """What the readers of one process saw, or those of several."""

    latencies: Counter[int] = field(default_factory=Counter)
    """How many tokens took so many milliseconds from the model's write to here."""
    firsts: list[float] = field(default_factory=list)
    """How many milliseconds each first token took from its question."""
    errors: list[str] = field(default_factory=list)
    turns: int = 0
    given_whole: int = 0
    gaps: list[str] = field(default_factory=list)
    """Why pages had to ask for all of it again."""
    tokens: int = 0
    steady_tokens: int = 0
    """Those that came in the middle of the answers."""
    bytes_received: int = 0
    wire_bytes: int = 0
    packets: int = 0
    digests: dict[str, str] = field(default_factory=dict)
    """Of each conversation's last answer, as it stood on the page."""

    def take(self, conversation: str, turn: Turn) -> None:
        """Count what one turn brought."""
        self.turns += 1
        if turn.is_broken:
            self.errors.append("the line was cut")
        self.latencies.update(map(int, turn.latencies))
        self.firsts.append((turn.first_at - turn.asked_at) * 1000)
        self.given_whole += turn.given_whole
        self.gaps += turn.gaps
        self.tokens += len(turn.text) // TOKEN_CHARACTERS
        self.steady_tokens += sum(
            characters // TOKEN_CHARACTERS
            for moment, characters in turn.arrivals
            if STEADY_FROM <= moment - turn.asked_at < STEADY_TO
        )
        self.bytes_received += turn.bytes_received
        self.wire_bytes += turn.wire_bytes
        self.packets += turn.packets
        self.digests[conversation] = digest(turn.text)

    def add(self, others: dict[str, Any]) -> None:
        """Add what another process said that it saw."""
        self.latencies.update({int(ms): count for ms, count in others["latencies"].items()})
        self.firsts += others["firsts"]
        self.errors += others["errors"]
        self.gaps += others["gaps"]
        self.digests.update(others["digests"])
        for name in ("turns", "given_whole", "tokens", "steady_tokens", "bytes_received", "wire_bytes", "packets"):
            setattr(self, name, getattr(self, name) + others[name])


def digest(text: str) -> str:
    """Return what stands for a text when texts are compared."""
    return hashlib.sha256(text.encode()).hexdigest()


class BareReader:
    """A reader of the bare websocket, which sends the model's tokens and nothing else."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, model: str) -> None:
        """Read from this socket."""
        self._socket = socket
        self._model = model

    async def ask(self, *, patience: float) -> Turn:
        """Have an answer forwarded."""
        turn = Turn(time.time())
        pieces: list[str] = []
        await self._socket.send_str(self._model)
        async with asyncio.timeout(patience):
            while token := (await self._socket.receive_str()):
                now = time.time()
                turn.first_at = turn.first_at or now
                turn.latencies.append(now * 1000 - int(token))
                turn.arrivals.append((now, len(token)))
                turn.bytes_received += len(token)
                pieces.append(token)
        turn.text = "".join(pieces)
        return turn


async def _main() -> None:
    stdin = asyncio.StreamReader(limit=1 << 24)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin)
    wanted = json.loads(await stdin.readline())
    async with AsyncExitStack() as stack:
        gate = asyncio.Semaphore(_OPENING_AT_ONCE)
        opening = [_open(stack, gate, wanted, cookie, conversation) for cookie, conversation in wanted["seats"]]
        readers = list(zip((seat[1] for seat in wanted["seats"]), await asyncio.gather(*opening), strict=True))
        _say("ready")
        while line := await stdin.readline():
            order = json.loads(line)
            seen = Seen()
            await asyncio.gather(*(_read(name, reader, order, seen) for name, reader in readers))
            _say(json.dumps(vars(seen)))


async def _open(
    stack: AsyncExitStack, gate: asyncio.Semaphore, wanted: dict[str, Any], cookie: str, conversation: str
) -> Tab | BareReader:
    async with gate:
        if cookie:
            return await stack.enter_async_context(
                open_tab(wanted["url"], cookie, UUID(conversation) if conversation else None)
            )
        client = await stack.enter_async_context(aiohttp.ClientSession(trust_env=False))
        address = wanted["url"].replace("http", "ws", 1) + "/socket"
        return BareReader(await stack.enter_async_context(client.ws_connect(address, compress=15)), wanted["model"])


async def _read(name: str, reader: Tab | BareReader, order: dict[str, float], seen: Seen) -> None:
    await asyncio.sleep(max(0.0, order["begin"] - time.time()))
    while True:
        try:
            turn = await reader.ask(patience=_PATIENCE_SECONDS)
        except (TimeoutError, OSError, TypeError, aiohttp.ClientError) as error:
            seen.errors.append(f"{type(error).__name__}: {error}")
            return
        seen.take(name or str(getattr(reader, "conversation_id", "")), turn)
        if turn.is_broken or time.time() >= order["until"]:
            return


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_main())

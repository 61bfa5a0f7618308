"""A counting model whose words contain a tag of the request: "1kqd 2kqd 3kqd ...", then "4xab 5xab ...".

A continued answer has another tag, so a tab that displays text that was never saved differs from the database; words
without tags would hide that.

Run alone: python -m tests.faults.models PORT MODEL ...
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import string
import sys
import time
from typing import Any

from tests.journeys.models import JourneyOllama
from tests.peers.ollama_wire import durations, line, part
from tests.peers.scripted_model import Script

_WORD = re.compile(r"(\d+)([a-z]{3})[ .]")


class FaultsOllama(JourneyOllama):
    """The daemon with this model."""

    def __init__(self, port: int, offered: list[str]) -> None:
        """`offered` are the names of the models."""
        super().__init__(port=port, offered=offered)
        self._last_said: dict[asyncio.StreamWriter, dict[str, str]] = {}

    async def _chat(self, body: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        self._last_said[writer] = json.loads(body)["messages"][-1]
        # Frees memory, since a cluster answers for hours.
        self.asked.clear()
        try:
            return await super()._chat(body, reader, writer)
        finally:
            del self._last_said[writer]

    async def _generate(
        self, model: str, script: Script, messages: list[dict[str, Any]], writer: asyncio.StreamWriter
    ) -> None:
        if not script.count:
            await super()._generate(model, script, messages, writer)
            return
        last = self._last_said[writer]
        said = count_of(last["content"]) if last["role"] == "assistant" else 0
        tag = "".join(random.choices(string.ascii_lowercase, k=3))
        begin = time.perf_counter()
        for number in range(said + 1, script.tokens + 1):
            await asyncio.sleep(max(0.0, begin + (number - said) / script.rate - time.perf_counter()))
            # As real ones, it ends with a full stop: one that dies then is known to have said all.
            end = "." if number == script.tokens else " "
            await line(writer, part(model, content=f"{number}{tag}{end}"))
        took = int((time.perf_counter() - begin) * 1e9)
        await line(writer, part(model, done=True) | durations(script.tokens - said, took))
        writer.write(b"0\r\n\r\n")
        await writer.drain()


def count_of(text: str) -> int:
    """Return the last number of a text; asserts that it counts 1, 2, 3 ... with each word complete and once."""
    at, number = 0, 0
    while at < len(text):
        word = _WORD.match(text, at)
        assert word is not None, f"broken at character {at}: {text[max(0, at - 30) : at + 30]!r}"
        number += 1
        assert int(word[1]) == number, f"{number} is missing or twice: {text[max(0, at - 30) : at + 30]!r}"
        at = word.end()
    return number


def requests_of(text: str) -> str:
    """Return the ranges of each request's tag: "1-80 abc, 81-200 xyz"."""
    spans: list[tuple[str, int, int]] = []
    for number, tag in _WORD.findall(text):
        if spans and spans[-1][0] == tag:
            spans[-1] = (tag, spans[-1][1], int(number))
        else:
            spans.append((tag, int(number), int(number)))
    return ", ".join(f"{first}-{last} {tag}" for tag, first, last in spans) or "nothing"


async def _run_alone(port: int, offered: list[str]) -> None:
    daemon = FaultsOllama(port, offered)
    await daemon.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_run_alone(int(sys.argv[1]), sys.argv[2:]))

"""The scripted Ollama with a few more models, for journeys: ones that count, write on where they were, and attack.

`scripted:count=1,...` says "1 2 3 ..." up to `tokens`, so that a lost or repeated piece shows; given the beginning of
its answer it goes on from there. `scripted:hostile=1` writes what must never run or be fetched.

Run alone: python -m tests.journeys.models PORT MODEL ...
"""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import replace

from tests.peers.scripted_ollama import Script, ScriptedOllama, _durations, _line, _part

HOSTILE = (
    "<script>window.attacked = 1</script>\n\n<img src='http://attack.invalid/a.png' onerror='window.attacked = 2'>\n\n"
    "![a picture](http://attack.invalid/b.png)\n\n[a link](javascript:window.attacked=3)\n\n"
    "<iframe srcdoc='<script>parent.attacked = 4</script>'></iframe>\n\n"
    "[data](data:text/html,<script>opener.attacked=5</script>) <style>body { display: none }</style>\n\nThe end.\n"
)


def counted(first: int, last: int) -> str:
    """What a counting model says."""
    return "".join(f"{number} " for number in range(first, last + 1))


class JourneyOllama(ScriptedOllama):
    """The daemon with those models."""

    async def _generate(self, model: str, script: Script, writer: asyncio.StreamWriter) -> None:
        if "hostile=1" in model:
            await super()._generate(model, replace(script, text=HOSTILE, tokens=1), writer)
        elif "count=1" in model:
            await self._count(model, script, writer)
        else:
            await super()._generate(model, script, writer)

    async def _count(self, model: str, script: Script, writer: asyncio.StreamWriter) -> None:
        messages = next(asked["messages"] for asked in reversed(self.asked) if asked["model"] == model)
        said = messages[-1]["content"] if messages[-1]["role"] == "assistant" else ""
        whole = counted(1, script.tokens)
        assert whole.startswith(said), "an answer goes on from something that this model never said"
        await asyncio.sleep(script.first)
        pieces = whole[len(said) :].split(" ")[:-1]
        begin = time.perf_counter()
        for number, piece in enumerate(pieces):
            if script.rate:
                await asyncio.sleep(max(0.0, begin + number / script.rate - time.perf_counter()))
            await _line(writer, _part(model, content=f"{piece} "))
        took = int((time.perf_counter() - begin) * 1e9)
        await _line(writer, _part(model, done=True) | _durations(len(pieces), took))
        writer.write(b"0\r\n\r\n")
        await writer.drain()


async def _run_alone(port: int, offered: list[str]) -> None:
    daemon = JourneyOllama(port=port, offered=offered)
    await daemon.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_run_alone(int(sys.argv[1]), sys.argv[2:]))

"""The scripted Ollama with three more models, for journeys.

`scripted:hostile=1` writes what must never run or be fetched, `scripted:notes=1` footnotes, code, and Hebrew,
`scripted:rich=1` all that markdown has, and `scripted:echo=3` what it was asked, in tokens of three characters.

Run alone: python -m tests.journeys.models PORT MODEL ...
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from typing import Any

from tests.peers.scripted_model import Script, counted
from tests.peers.scripted_ollama import ScriptedOllama

__all__ = ["counted"]

HOSTILE = (
    "<script>window.attacked = 1</script>\n\n<img src='http://attack.invalid/a.png' onerror='window.attacked = 2'>\n\n"
    "![a picture](http://attack.invalid/b.png)\n\n[a link](javascript:window.attacked=3)\n\n"
    "<iframe srcdoc='<script>parent.attacked = 4</script>'></iframe>\n\n"
    "[data](data:text/html,<script>opener.attacked=5</script>) <style>body { display: none }</style>\n\nThe end.\n"
)
NOTES = (
    "First.[^one]\n\n```python\nprint(1)\n```\n\n- אחת\n- שתיים\n\n> ציטוט\n\n"
    + "A line.\n\n" * 60
    + "[^one]: The first note.\n"
)


RICH = (
    "# What there is\n\nThirty days are yours [1].\n\n- [x] asked\n- [ ] answered\n\n1. first\n2. second\n\n"
    "| Day | Hours |\n| --- | ---: |\n| Monday | 8 |\n\n| Room | Floor |\n| --- | --- |\n| Yard | 0 |\n\n> A quotation\n\n```python\nprint('hello')  # a comment\n```\n\n"
    "A note[^1] and `code` and a [link](https://example.org/).\n\n[^1]: Below the text.\n\n$$\nE=mc^2\n$$\n"
)


class JourneyOllama(ScriptedOllama):
    """The daemon with those models."""

    async def _generate(
        self, model: str, script: Script, messages: list[dict[str, Any]], writer: asyncio.StreamWriter
    ) -> None:
        if "hostile=1" in model:
            script = replace(script, text=HOSTILE, tokens=1)
        if "notes=1" in model:
            script = replace(script, text=NOTES, tokens=1)
        if "rich=1" in model:
            script = replace(script, text=RICH, tokens=1)
        if "echo=" in model:
            script = replace(script, text=messages[-1]["content"])
        await super()._generate(model, script, messages, writer)


async def _run_alone(port: int, offered: list[str]) -> None:
    daemon = JourneyOllama(port=port, offered=offered)
    await daemon.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_run_alone(int(sys.argv[1]), sys.argv[2:]))

"""What it costs a page to notice that its network was away: from the event `online` to the rest of the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx
from playwright.async_api import Browser, Page

from tests.faults.line import Line
from tests.performance.browser import profile, until_ready
from tests.performance.figures import Figure, middle_and_range
from tests.performance.seeding import Person, add_conversation, add_person
from tests.performance.stage import HELD, Stage

_TIMES = 3
# The conversation begins with one answer; this is about the second.
_WORDS = """count => {
  const answers = document.querySelectorAll(".message-answer .md");
  return answers.length === 2 && answers[1].textContent.split(/\\s+/).filter(Boolean).length >= count;
}"""
_TIMED = f"""async (count) => {{
  const hasWords = {_WORDS};
  const began = performance.now();
  dispatchEvent(new Event("online"));
  while (!hasWords(count)) await new Promise(requestAnimationFrame);
  return performance.now() - began;
}}"""


async def waking_figure(stage: Stage, browser: Browser, say: Callable[[str], None]) -> Figure:
    """Lose the page's connection in the middle of an answer, let the answer end, and let the network come back."""
    say("a lost connection")
    person, line = add_person(stage.at), Line(int(stage.url.rpartition(":")[2]), stage.line_port)
    await line.open()
    try:
        took = [await _woken(stage, browser, person, line) for _ in range(_TIMES)]
    finally:
        await line.cut()
    return Figure("network back until the whole answer is there", "≤ 2,000 ms", middle_and_range(took, "ms"))


async def _woken(stage: Stage, browser: Browser, person: Person, line: Line) -> float:
    conversation = add_conversation(stage.at, person, 2, model=HELD)
    site = f"http://127.0.0.1:{line.port}"
    async with profile(browser, site, person) as context, profile(browser, stage.url, person) as other:
        page, witness = await context.new_page(), await other.new_page()
        for tab, url in ((page, site), (witness, stage.url)):
            await tab.goto(f"{url}/c/{conversation}")
            await until_ready(tab)
        await page.fill("#composer", "Count, please")
        await page.press("#composer", "Enter")
        for tab in (page, witness):
            await tab.wait_for_function(_WORDS, arg=20)
        line.lose_connections()
        async with httpx.AsyncClient(trust_env=False) as client:
            (await client.post(f"{stage.ollama}/scripted/go-on")).raise_for_status()
        await _ended(witness)
        return await asyncio.wait_for(page.evaluate(_TIMED, 60), 60)


async def _ended(page: Page) -> None:
    await page.wait_for_function(_WORDS, arg=60)
    await page.wait_for_function("!document.querySelector('.send.is-stop, [aria-busy=true]')")

"""What a page costs to open: the first load with an empty cache, and conversations short and long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from playwright.async_api import Browser, BrowserContext, Page

from tests.performance.browser import noted, profile, until_ready
from tests.performance.figures import Figure, median, middle_and_range
from tests.performance.seeding import Person, add_conversation, add_person
from tests.performance.stage import BRIEF, Stage

LONG_MESSAGES = 1000
_SHORT_MESSAGES = 2
_TIMES = {LONG_MESSAGES: 5, _SHORT_MESSAGES: 3}
_SETTLE_MILLISECONDS = 2000
_NODES = """() => {
  const walker = document.createTreeWalker(document, NodeFilter.SHOW_ALL);
  let nodes = 1;
  while (walker.nextNode()) nodes += 1;
  return [nodes, document.querySelectorAll("*").length];
}"""


@dataclass
class Transfer:
    """What a page fetched over HTTP, as the browser's network log has it."""

    requests: int = 0
    bytes_received: int = 0
    _http: set[str] = field(default_factory=set)

    async def watch(self, page: Page) -> None:
        """Count from here on."""
        log = await page.context.new_cdp_session(page)
        log.on("Network.requestWillBeSent", self._begun)
        log.on("Network.loadingFinished", self._finished)
        await log.send("Network.enable")

    def _begun(self, event: dict[str, Any]) -> None:
        if event["request"]["url"].startswith("http"):
            self.requests += 1
            self._http.add(event["requestId"])

    def _finished(self, event: dict[str, Any]) -> None:
        if event["requestId"] in self._http:
            self.bytes_received += int(event["encodedDataLength"])


@dataclass(frozen=True, slots=True)
class Opened:
    """How long the end of a conversation took to be seen, and how large the page was then."""

    milliseconds: float
    nodes: int
    elements: int


async def loading_figures(stage: Stage, browser: Browser, say: Callable[[str], None]) -> list[Figure]:
    """Measure the first load, and opening conversations by click and by address."""
    person = add_person(stage.at)
    ends = {count: f"The end of all {count}." for count in (LONG_MESSAGES, _SHORT_MESSAGES)}
    named = {
        count: add_conversation(stage.at, person, count, model=BRIEF, title=f"{count} messages", ending=end)
        for count, end in ends.items()
    }
    add_conversation(stage.at, person, 10, model=BRIEF, title="Another", ending="Here ends another.")
    say("first load")
    figures = await _first_load(stage, browser, person)
    long, short = LONG_MESSAGES, _SHORT_MESSAGES
    target, nodes = "≤ 500 ms", "≤ 4000"
    clicks, cold, warm = {}, {}, {}
    for count in (long, short):
        say(f"opening {count} messages")
        place, times = (stage, browser, person, named[count], ends[count]), _TIMES[count]
        clicks[count] = [await _by_click(*place) for _ in range(times)]
        cold[count] = [await _by_address(*place) for _ in range(times)]
        warm[count] = await _by_address_again(*place, times=times)
    ways = (("by click in the sidebar", clicks), ("by address, warm cache", warm), ("by address, empty cache", cold))
    for way, found in ways:
        measured = middle_and_range([item.milliseconds for item in found[long]], "ms")
        floor = f"{median([item.milliseconds for item in found[short]]):.0f} ms: {short} messages"
        figures.append(Figure(f"{long} messages, end painted, {way}", target, measured, floor))
    largest = max((item for found in (clicks, cold, warm) for item in found[long]), key=lambda item: item.nodes)
    least = max(clicks[short], key=lambda item: item.nodes)
    shown = f"{largest.nodes} ({largest.elements} elements)"
    return [*figures, Figure(f"{long} messages, DOM nodes", nodes, shown, f"{least.nodes}: {short} messages")]


async def _first_load(stage: Stage, browser: Browser, person: Person) -> list[Figure]:
    found: list[Transfer] = []
    for _ in range(2):
        async with profile(browser, stage.url, person) as context:
            page = await context.new_page()
            found.append(Transfer())
            await found[-1].watch(page)
            await page.goto(f"{stage.url}/")
            await until_ready(page)
            # What is loaded when the page has time belongs to it as well.
            await page.wait_for_timeout(_SETTLE_MILLISECONDS)
    return [
        Figure("first load of the chat page, requests", "≤ 21", str(max(item.requests for item in found))),
        Figure(
            "first load of the chat page, transfer",
            "≤ 340 kB",
            f"{max(item.bytes_received for item in found) / 1000:.0f} kB compressed",
        ),
    ]


async def _by_click(stage: Stage, browser: Browser, person: Person, conversation: UUID, end: str) -> Opened:
    async with profile(browser, stage.url, person) as context:
        page = await context.new_page()
        await page.goto(f"{stage.url}/")
        await until_ready(page)
        await page.click("a[title='Another']")
        await _shown(page, "Here ends another.")
        await page.wait_for_timeout(_SETTLE_MILLISECONDS / 4)
        await page.evaluate(f"window.__bench.awaitWords({end!r})")
        await page.click(f"a[href='/c/{conversation}']")
        shown = await _shown(page, end)
        return await _opened(page, shown - await noted(page, "clickedAt"))


async def _by_address(stage: Stage, browser: Browser, person: Person, conversation: UUID, end: str) -> Opened:
    async with profile(browser, stage.url, person) as context:
        return await _visit(stage, context, conversation, end)


async def _by_address_again(
    stage: Stage, browser: Browser, person: Person, conversation: UUID, end: str, *, times: int
) -> list[Opened]:
    async with profile(browser, stage.url, person) as context:
        await _visit(stage, context, conversation, end)
        return [await _visit(stage, context, conversation, end) for _ in range(times)]


async def _visit(stage: Stage, context: BrowserContext, conversation: UUID, end: str) -> Opened:
    page = await context.new_page()
    await page.goto(f"{stage.url}/c/{conversation}", wait_until="commit")
    shown = await _shown(page, end)
    opened = await _opened(page, shown - await page.evaluate("performance.timeOrigin"))
    await page.close()
    return opened


async def _shown(page: Page, words: str) -> float:
    await page.evaluate(f"window.__bench.shownAt[{words!r}] || window.__bench.awaitWords({words!r})")
    await page.wait_for_function(f"window.__bench.shownAt[{words!r}]")
    return await noted(page, f"shownAt[{words!r}]")


async def _opened(page: Page, milliseconds: float) -> Opened:
    await page.wait_for_timeout(_SETTLE_MILLISECONDS / 2)
    nodes, elements = await page.evaluate(_NODES)
    return Opened(milliseconds, nodes, elements)

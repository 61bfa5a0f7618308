"""What a person waits for: from Enter to the first token on the screen, and from the model's write to the screen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from playwright.async_api import Browser, Page

from tests.performance.bare import Bare
from tests.performance.browser import noted, profile, until_ready
from tests.performance.figures import Figure, spread
from tests.performance.seeding import add_conversation, add_person
from tests.performance.stage import BRIEF, STAMPED, Stage

ASKED = 30
_BORN = 10
_STREAMS = 3
_FIRST = "p50 ≤ 60 ms"
_EACH = "p95 ≤ 60 ms"


@dataclass
class Waits:
    """Milliseconds that were waited."""

    first: list[float] = field(default_factory=list)
    """From Enter to the first token's frame; the scripted model begins at once."""
    server: list[float] = field(default_factory=list)
    """The part of it from Enter to the model's first write."""
    each: list[float] = field(default_factory=list)
    """From a token's write to its frame."""
    document: list[float] = field(default_factory=list)
    """From a token's write to its place in the document, not painted yet."""

    async def ask(self, page: Page) -> None:
        """Ask once, and note how long everything took."""
        await page.evaluate("void window.__bench.begin()")
        await page.fill("#composer", "What do you say?")
        await page.press("#composer", "Enter")
        await page.wait_for_function("Object.keys(window.__bench.seenAt).length > 0")
        await page.wait_for_function("!document.querySelector('.send.is-stop, [aria-busy=true]')")
        await page.wait_for_timeout(150)
        entered: float = await noted(page, "enteredAt")
        seen = {int(stamp): at for stamp, at in (await noted(page, "seenAt")).items()}
        placed = {int(stamp): at for stamp, at in (await noted(page, "placedAt")).items()}
        began = min(seen)
        self.first.append(seen[began] - entered)
        self.server.append(began - entered)
        self.each += [at - stamp for stamp, at in seen.items()]
        self.document += [at - stamp for stamp, at in placed.items()]


async def latency_figures(stage: Stage, bare: Bare, browser: Browser, say: Callable[[str], None]) -> list[Figure]:
    """Measure both waits in a real browser, and the same on the bare page."""
    say(f"Enter to first token, {ASKED} times, and {_BORN} new conversations")
    brief = await _in_conversation(stage, browser, BRIEF, ASKED)
    born = await _new_conversations(stage, browser)
    say("send to screen")
    stamped = await _in_conversation(stage, browser, STAMPED, _STREAMS)
    say("the floor's waits")
    bare_brief = await _on_bare_page(bare, browser, BRIEF, ASKED)
    bare_stamped = await _on_bare_page(bare, browser, STAMPED, 1)
    return [
        Figure(
            "Enter to first token on screen, in a conversation",
            _FIRST,
            f"{spread(brief.first, 'ms')} (to the model's write: p50 {_p50(brief.server)})",
            f"{spread(bare_brief.first, 'ms')}: bare page, fetch",
        ),
        Figure(
            "the same, first message of a new conversation",
            "",
            f"{spread(born.first, 'ms')} (to the model's write: p50 {_p50(born.server)})",
        ),
        Figure(
            "the model's write to the screen, each token at 50 tokens/s",
            _EACH,
            f"{spread(stamped.each, 'ms')} (in the document: {spread(stamped.document, 'ms')})",
            f"{spread(bare_stamped.each, 'ms')}: bare page, fetch",
        ),
    ]


def _p50(values: list[float]) -> str:
    return spread(values, "ms").split(",")[0].removeprefix("p50 ")


async def _in_conversation(stage: Stage, browser: Browser, model: str, times: int) -> Waits:
    person = add_person(stage.at)
    conversation = add_conversation(stage.at, person, 10, model=model)
    waits, warm = Waits(), Waits()
    async with profile(browser, stage.url, person) as context:
        page = await context.new_page()
        await page.goto(f"{stage.url}/c/{conversation}")
        await until_ready(page)
        await warm.ask(page)
        for _ in range(times):
            await waits.ask(page)
    return waits


async def _new_conversations(stage: Stage, browser: Browser) -> Waits:
    person = add_person(stage.at)
    waits = Waits()
    async with profile(browser, stage.url, person) as context:
        page = await context.new_page()
        await page.goto(f"{stage.url}/")
        await until_ready(page)
        for _ in range(_BORN):
            await page.click(".new-chat")
            await page.wait_for_function("location.pathname === '/'")
            await page.wait_for_timeout(400)
            await waits.ask(page)
    return waits


async def _on_bare_page(bare: Bare, browser: Browser, model: str, times: int) -> Waits:
    waits, warm = Waits(), Waits()
    async with profile(browser, bare.url, None) as context:
        page = await context.new_page()
        await page.goto(f"{bare.url}/?model={model}")
        await warm.ask(page)
        for _ in range(times):
            await waits.ask(page)
    return waits

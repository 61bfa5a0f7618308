"""What a token costs on its way: bytes on the socket, and processor time of the web process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from uuid import UUID

from tests.performance.bare import Bare, bare_answer
from tests.performance.figures import Figure, median, middle_and_range
from tests.performance.processes import cpu_seconds
from tests.performance.seeding import Person, add_conversation, add_person
from tests.performance.stage import LONG, SHORT, STEADY, Stage
from tests.performance.tab import Tab, Turn, open_tab

PEOPLE = 20
_BYTES = "≤ 90 B/token"
_CPU = "≤ 0.5 ms/token"
_IDLE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Cost:
    """The turns that were measured together, and the processor time that they took."""

    turns: tuple[Turn, ...]
    tokens: int
    cpu: float

    @property
    def bytes_a_token(self) -> float:
        """All that the sockets received, for each token."""
        return sum(turn.bytes_received for turn in self.turns) / self.tokens

    @property
    def streamed_a_token(self) -> float:
        """The windows alone, for each token."""
        return sum(turn.bytes_streamed for turn in self.turns) / self.tokens

    @property
    def milliseconds_a_token(self) -> float:
        """Processor time of the web process, for each token."""
        return self.cpu / self.tokens * 1000


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of turn, and how often it is measured."""

    name: str
    messages: int
    model: str
    tokens: int
    repeats: int


CASES = (
    Case("300 tokens, 10 messages of history", 10, SHORT, 300, 3),
    Case("300 tokens, 1000 messages of history", 1000, SHORT, 300, 3),
    Case("3000 tokens, 10 messages of history", 10, LONG, 3000, 1),
    Case("3000 tokens, 1000 messages of history", 1000, LONG, 3000, 1),
)


async def streaming_figures(stage: Stage, bare: Bare, say: Callable[[str], None]) -> list[Figure]:
    """Measure bytes and processor time a token, for one answer and for many at once."""
    person = add_person(stage.at)
    say("one stream, four kinds of turns")
    costs = {case: await _measure_case(stage, person, case) for case in CASES}
    sent_once = 5.0  # "word "
    figures = [
        Figure(
            f"socket, {case.name}, 100 tokens/s",
            _BYTES,
            f"{median([cost.bytes_a_token for cost in found]):.0f} B/token"
            f" (windows alone {median([cost.streamed_a_token for cost in found]):.0f})",
            f"{sent_once:.0f} B/token: the text sent once",
        )
        for case, found in costs.items()
    ]
    say("one stream at 50 tokens/s")
    steady = await _measure_case(stage, person, Case("", 10, STEADY, 500, 2))
    say(f"{PEOPLE} users at once")
    many = [await _measure_many(stage, PEOPLE) for _ in range(2)]
    say("the floor's processor time")
    floors = [await _bare_cost(bare, model, tokens, count) for model, tokens, count in _FLOORS]
    names = ("one stream, 100 tokens/s", "one stream, 50 tokens/s", f"{PEOPLE} streams, 50 tokens/s each")
    measured = (costs[CASES[0]] + costs[CASES[2]], steady, many)
    for name, found, floor in zip(names, measured, floors, strict=True):
        spent = middle_and_range([cost.milliseconds_a_token for cost in found], "ms/token", 2)
        figures.append(Figure(f"web processor time, {name}", _CPU, spent, f"{floor:.2f} ms/token: bare websocket"))
    return figures


_FLOORS = ((SHORT, 300, 1), (STEADY, 500, 1), (STEADY, 500, PEOPLE))


async def _measure_case(stage: Stage, person: Person, case: Case) -> list[Cost]:
    found = []
    for _ in range(case.repeats):
        conversation = add_conversation(stage.at, person, case.messages, model=case.model)
        async with open_tab(stage.url, person.cookie, conversation) as tab:
            found.append(await _measure_turns(stage, [tab], case.tokens))
    return found


async def _measure_many(stage: Stage, count: int) -> Cost:
    """As many users as streams, so that no update of a conversation list concerns another user."""
    async with AsyncExitStack() as tabs:
        opened = []
        for number in range(count):
            person = add_person(stage.at, f"Ada {number}")
            conversation: UUID = add_conversation(stage.at, person, 10, model=STEADY)
            opened.append(await tabs.enter_async_context(open_tab(stage.url, person.cookie, conversation)))
        return await _measure_turns(stage, opened, 500 * count)


async def _measure_turns(stage: Stage, tabs: Sequence[Tab], tokens: int) -> Cost:
    turns: list[Turn] = []

    async def ask_all() -> None:
        turns.extend(await asyncio.gather(*(tab.ask() for tab in tabs)))

    cpu = await busy_seconds(stage.web, ask_all)
    for turn in turns:
        if len(turn.text) != tokens // len(tabs) * len("word "):
            raise ValueError(f"a turn brought {len(turn.text)} characters of {tokens // len(tabs)} tokens")
    return Cost(tuple(turns), tokens, cpu)


async def busy_seconds(pids: Sequence[int], work: Callable[[], Awaitable[None]]) -> float:
    """Return the processor time that some work takes of these processes, less what they use when idle."""
    await asyncio.sleep(0.5)
    idle_from, began_idle = cpu_seconds(pids), time.monotonic()
    await asyncio.sleep(_IDLE_SECONDS / 5)
    idle_rate = (cpu_seconds(pids) - idle_from) / (time.monotonic() - began_idle)
    begin, began = cpu_seconds(pids), time.monotonic()
    await work()
    return cpu_seconds(pids) - begin - idle_rate * (time.monotonic() - began)


async def _bare_cost(bare: Bare, model: str, tokens: int, count: int) -> float:
    async def ask_all() -> None:
        await asyncio.gather(*(bare_answer(bare.url, model) for _ in range(count)))

    return await busy_seconds(bare.web, ask_all) / tokens / count * 1000

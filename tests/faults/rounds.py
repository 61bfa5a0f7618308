"""One round: a fault is injected while answers are written and read, and in the end nothing is missing."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from uuid import UUID

from tests.faults.cluster import ROUND, Cluster
from tests.faults.models import count_of, requests_of
from tests.faults.reader import Reader
from tests.faults.record import Outcome
from tests.faults.storage import Storage, StoredRun
from tests.performance.seeding import add_conversation, add_person

PATIENCE_SECONDS = 120.0
_SAMPLE_SECONDS = 0.05
_STANDS_STILL_SECONDS = 3.0


def rate_of(model: str) -> float:
    """Return the words a second in the model's name."""
    return float(model.partition("rate=")[2].partition(",")[0])


@dataclass
class Chat:
    """One conversation: the tab that asks, and the tabs that only read."""

    conversation_id: UUID
    cookie: str
    asker: Reader = field(init=False)
    watchers: list[Reader] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    @property
    def readers(self) -> list[Reader]:
        """All its tabs."""
        return [self.asker, *self.watchers]

    def ask(self) -> None:
        """Have the asker ask."""
        self.asked.append(self.asker.ask(f"Question {len(self.asked) + 1}: count, please."))


class Watch:
    """Compares the database with the tabs: stored text only grows; records which engine has each answer, and when."""

    def __init__(self, storage: Storage, chats: list[Chat], model: str) -> None:
        """`chats` are the conversations to watch."""
        self._storage = storage
        self._chats = {chat.conversation_id: chat for chat in chats}
        self._rate = rate_of(model)
        self._last: dict[UUID, tuple[StoredRun, int]] = {}
        self._happened_at = 0.0
        self._engine_then: dict[UUID, UUID | None] = {}
        self.saved: dict[UUID, str] = {}
        """The longest stored text of each run."""
        self.outcome = Outcome()
        self.problems: list[str] = []
        self._over: set[UUID] = set()

    async def mark(self) -> None:
        """Record the moment of the fault."""
        await self.look()
        self._happened_at = asyncio.get_running_loop().time()
        self._engine_then = {run.id: run.engine_id for run, _ in self._last.values() if run.is_active}
        self.outcome.under_way = len(self._engine_then)

    async def forever(self) -> None:
        """Compare repeatedly."""
        while True:
            await self.look()
            await asyncio.sleep(_SAMPLE_SECONDS)

    async def look(self) -> None:
        """Compare once."""
        runs = await self._storage.runs(list(self._chats))
        for run in runs or ():
            if run.id in self._over:
                continue
            # A retry empties the message of a run that is over.
            if not run.is_active:
                self._over.add(run.id)
            before = self.saved.get(run.id, "")
            if not run.text.startswith(before):
                self.problems.append(
                    f"what was stored of run {run.id} changed: {before[-40:]!r} became {run.text[-40:]!r}"
                )
            self.saved[run.id] = run.text
            self._note_takeover(run)
            shown = max(len(reader.text) for reader in self._chats[run.conversation_id].readers)
            self._last[run.id] = run, shown

    def _note_takeover(self, run: StoredRun) -> None:
        then = self._engine_then.get(run.id)
        if then is None or run.engine_id is None or run.engine_id == then:
            return
        self._engine_then[run.id] = None
        seconds = asyncio.get_running_loop().time() - self._happened_at
        self.outcome.takeovers.append(seconds)
        before, shown = self._last[run.id]
        # Where the engine is gone for seconds, both stood still: what a reader has more was never saved. One that gave
        # the answer back saved it at the last moment.
        saved = before.text if seconds > _STANDS_STILL_SECONDS else run.text
        lost = max(0, shown - len(saved))
        if lost > self.outcome.lost_characters:
            self.outcome.lost_characters = lost
            words = lost / max(1, len(saved)) * len(saved.split())
            self.outcome.lost_milliseconds = words / self._rate * 1000


class Round:
    """Some conversations on the cluster, a watch over them, and the assertions at the end."""

    def __init__(self, cluster: Cluster, storage: Storage, seed: int, *, chats: int, model: str = ROUND) -> None:
        """`chats` is the number of conversations to open."""
        self.cluster = cluster
        self.rng = random.Random(seed)
        self.model = model
        self._storage = storage
        self._count = chats
        self.chats: list[Chat] = []

    async def open(self) -> None:
        """Open the tabs; every second conversation gets two more later. The last has not been asked anything yet."""
        for number in range(self._count + 1):
            person = add_person(self.cluster.at)
            conversation = add_conversation(self.cluster.at, person, 0, model=self.model)
            chat = Chat(conversation, person.cookie)
            chat.asker = self.reader(chat)
            chat.watchers = [self.reader(chat) for _ in range(2 * (number % 2))]
            self.chats.append(chat)
        await asyncio.gather(*(chat.asker.open() for chat in self.chats))
        self.watch = Watch(self._storage, self.chats, self.model)

    def reader(self, chat: Chat, *, door: int = 0) -> Reader:
        """Open a tab on a conversation, by default through the same proxy as the others."""
        door = door or self.cluster.lines["front"].port
        return Reader(self.cluster.url, chat.cookie, chat.conversation_id, door=door)

    @property
    def readers(self) -> list[Reader]:
        """All tabs."""
        return [reader for chat in self.chats for reader in chat.readers]

    async def begin(self, *, words: tuple[int, int] = (10, 90)) -> None:
        """Ask everywhere but in the last conversation, and wait until so much is there as chance wants."""
        under_way = self.chats[:-1]
        for chat in under_way:
            chat.ask()
        wanted = self.rng.randint(*words)
        await asyncio.gather(*(self._join(reader, wanted) for chat in under_way for reader in chat.readers))

    async def _join(self, reader: Reader, wanted: int) -> None:
        """Read so much, as one who asked or as one who comes later, whenever chance wants."""
        if not reader.connections:
            asker = next(chat.asker for chat in self.chats if reader in chat.watchers)
            early = self.rng.randint(0, wanted)
            await asker.until(lambda: len(asker.text.split()) >= early, PATIENCE_SECONDS, "some words")
            await reader.open()
        await reader.until(lambda: len(reader.text.split()) >= wanted, PATIENCE_SECONDS, "words")

    def ask_meanwhile(self) -> None:
        """Ask in the last conversation, whatever is broken just now."""
        self.chats[-1].ask()

    async def finish(self, *, may_fail: bool = False) -> Outcome:
        """Wait until everything is answered everywhere, compare, and say what came of it."""
        await asyncio.gather(*(self._finish(chat, may_fail=may_fail) for chat in self.chats))
        await self.watch.look()
        await asyncio.gather(*(self._check(chat) for chat in self.chats))
        problems, outcome = self.watch.problems, self.watch.outcome
        assert not problems, "\n".join(problems)
        return outcome

    async def _finish(self, chat: Chat, *, may_fail: bool) -> None:
        await self._until_quiet(chat)
        if may_fail and chat.asker.state in {"failed", "interrupted"}:
            await self._check_failed(chat)
            chat.asker.retry()
            await chat.asker.until(lambda: chat.asker.state == "running", PATIENCE_SECONDS, "the retry")
            await self._until_quiet(chat)

    async def _until_quiet(self, chat: Chat) -> None:
        for reader in chat.readers:
            answers = len(chat.asked)
            await reader.until(
                lambda reader=reader, answers=answers: reader.is_quiet and _answers(reader) >= answers,
                PATIENCE_SECONDS,
                "the end of an answer",
            )

    async def _check_failed(self, chat: Chat) -> None:
        """A failed answer is the same everywhere too, and holds all that was ever saved of it."""
        stored = (await self._storage.messages(chat.conversation_id))[-1]
        count_of(stored.text)
        for reader in chat.readers:
            await reader.until(lambda reader=reader: reader.state != "running", PATIENCE_SECONDS, "the failure")
            if reader.text != stored.text:
                self.watch.outcome.readers_different += 1
                self.watch.problems.append(f"{reader} shows another failed answer than is stored")

    async def _check(self, chat: Chat) -> None:
        """Every question that was acknowledged is stored once and answered whole, and every tab shows just that."""
        messages, outcome, problems = (
            await self._storage.messages(chat.conversation_id),
            self.watch.outcome,
            self.watch.problems,
        )
        whole = int(self.model.partition("tokens=")[2].partition(",")[0])
        for asked in chat.asked:
            outcome.acknowledged += 1
            if sum(str(message.id) == asked for message in messages) != 1:
                outcome.acknowledged_lost += 1
                problems.append(f"question {asked} was acknowledged and is not stored")
        if len(messages) != 2 * len(chat.asked):
            problems.append(f"{len(messages)} messages are stored for {len(chat.asked)} questions")
        for message in messages[1::2]:
            try:
                counted = count_of(message.text)
            except AssertionError as broken:
                counted = 0
                problems.append(f"the answer {message.id} is {broken}")
            if (message.state, counted) != ("done", whole):
                problems.append(f"the answer {message.id} is {message.state} and counts to {counted} of {whole}")
        for reader in chat.readers:
            shown = [
                (message["id"], reader.page.text(message["id"]) or message["text"]) for message in reader.page.messages
            ]
            if shown != [(str(message.id), message.text) for message in messages]:
                outcome.readers_different += 1
                problems.append(f"{reader} shows something else than is stored: {_difference(shown, messages)}")

    async def close(self) -> None:
        """Close the tabs."""
        await asyncio.gather(*(reader.close() for reader in self.readers))


def _answers(reader: Reader) -> int:
    return sum(message["role"] == "assistant" for message in reader.page.messages)


def _difference(shown: list[tuple[str, str]], messages: list) -> str:
    for (_, ours), message in zip(shown, messages, strict=False):
        if ours != message.text:
            return f"{requests_of(ours)}; stored: {requests_of(message.text)}"
    return f"{len(shown)} messages, {len(messages)} stored"


@asynccontextmanager
async def opened(
    cluster: Cluster, storage: Storage, seed: int, *, chats: int = 4, model: str = ROUND
) -> AsyncGenerator[Round]:
    """Open and watch the tabs of a round while the context is open."""
    made = Round(cluster, storage, seed, chats=chats, model=model)
    watching: asyncio.Task[None] | None = None
    try:
        await made.open()
        watching = asyncio.create_task(made.watch.forever())
        yield made
    finally:
        if watching is not None:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
        await made.close()

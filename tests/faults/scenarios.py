"""The faults, and their assertions beyond those of every round."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable
from contextlib import suppress

import psycopg

from tests.faults.cluster import LONG, Part
from tests.faults.line import Line
from tests.faults.record import TAKEOVER_SECONDS
from tests.faults.registry import chosen, scenario
from tests.faults.rounds import Round

__all__ = ["chosen", "scenario"]

DRAIN_SECONDS = 10.0
HANDOVER_SECONDS = 2.0
"""The longest time until another engine continues an answer that a process released."""
_HALF_OPEN = 20
_GIVEN_UP_SECONDS = 45.0


async def _lasts(at: Round, shortest: float, longest: float) -> None:
    """Let a fault last for a random time, which is part of the fault and not a wait."""
    await asyncio.sleep(at.rng.uniform(shortest, longest))


async def _until_taken_over(at: Round) -> None:
    """Wait until no missing engine has a lease: every run is taken over or finished."""
    async with asyncio.timeout(60):
        while not at.watch.outcome.takeovers:
            await asyncio.sleep(0.05)


@scenario("kill -9", "a web process", "its readers connect to the other process; the workers continue")
async def kill_web_worker(at: Round) -> None:
    """Kill one of the web workers; their parent starts another one."""
    before = at.cluster.web_workers()
    os.kill(at.rng.choice(before), signal.SIGKILL)
    at.ask_meanwhile()
    async with asyncio.timeout(90):
        while len(set(at.cluster.web_workers()) - set(before)) < 1:
            await asyncio.sleep(0.05)


@scenario("kill -9", "the web server, all its processes", "readers reconnect when it is back; the workers continue")
async def kill_web(at: Round) -> None:
    """Kill the parent of the web processes and everything below it."""
    for pid in at.cluster.web.pids():
        os.kill(pid, signal.SIGKILL)
    at.ask_meanwhile()
    await at.cluster.web.again()


@scenario(
    "kill -9",
    "a worker",
    "another one continues its answers from the stored text; readers see one message",
    takeover_seconds=TAKEOVER_SECONDS,
)
async def kill_worker(at: Round) -> None:
    """Kill the worker that writes the most."""
    worker = at.cluster.workers[at.cluster.busiest()]
    worker.kill()
    at.ask_meanwhile()
    await worker.again()


@scenario(
    "kill -9",
    "both workers at once",
    "a restarted one continues their answers",
    takeover_seconds=TAKEOVER_SECONDS,
)
async def kill_workers(at: Round) -> None:
    """Kill all workers."""
    for worker in at.cluster.workers:
        worker.kill()
    at.ask_meanwhile()
    await asyncio.gather(*(worker.again() for worker in at.cluster.workers))


@scenario("kill -9", "Postgres", "answers continue in memory and are stored when it is back; sockets stay open")
async def kill_postgres(at: Round) -> None:
    """Kill the postmaster: the kernel drops every connection, and it recovers from its log."""
    await _without_reconnecting(at, _killed(at, at.cluster.postgres))


@scenario("kill -9", "Valkey", "readers continue from Postgres; sockets stay open")
async def kill_valkey(at: Round) -> None:
    """Kill it for some seconds."""
    await _without_reconnecting(at, _killed(at, at.cluster.valkey))


@scenario(
    "kill -9",
    "the model daemon",
    "the text so far is kept, the same in every tab; Retry writes a complete answer",
    may_fail=True,
)
async def kill_model(at: Round) -> None:
    """Kill it for a moment."""
    await _killed(at, at.cluster.model)


async def _killed(at: Round, part: Part) -> None:
    part.kill()
    at.ask_meanwhile()
    await _lasts(at, 0.0, 3.0)
    await part.again()


async def _without_reconnecting(at: Round, work: Awaitable[None]) -> None:
    """The sockets of the pages must stay up all the while."""
    before = [reader.connections for reader in at.readers]
    await work
    assert [reader.connections for reader in at.readers] == before, "a socket fell"


async def _frozen(at: Round, part: Part, shortest: float, longest: float) -> None:
    part.freeze()
    at.ask_meanwhile()
    await _lasts(at, shortest, longest)
    part.thaw()


@scenario("SIGSTOP, SIGCONT", "the web processes", "readers pause and catch up")
async def freeze_web(at: Round) -> None:
    """Stop the pages' processes for some seconds."""
    await _frozen(at, at.cluster.web, 0.5, 4.0)


@scenario("SIGSTOP, SIGCONT", "a worker, shorter than its lease", "it continues; no other engine claims its answers")
async def freeze_worker(at: Round) -> None:
    """Stop a worker for a moment."""
    await _frozen(at, at.cluster.workers[at.cluster.busiest()], 0.3, 2.0)


@scenario(
    "SIGSTOP, SIGCONT",
    "a worker, longer than its lease",
    "another one continues; the late one stores nothing",
    takeover_seconds=TAKEOVER_SECONDS,
)
async def freeze_worker_beyond_lease(at: Round) -> None:
    """Stop a worker until another has its answers, then let it go on while that one writes."""
    worker = at.cluster.workers[at.cluster.busiest()]
    worker.freeze()
    at.ask_meanwhile()
    try:
        await _until_taken_over(at)
    finally:
        worker.thaw()


@scenario("SIGSTOP, SIGCONT", "Postgres with all its backends", "answers wait in memory and are stored afterwards")
async def freeze_postgres(at: Round) -> None:
    """Stop the database for some seconds."""
    await _without_reconnecting(at, _frozen(at, at.cluster.postgres, 0.5, 5.0))


@scenario("SIGSTOP, SIGCONT", "Valkey", "readers continue from Postgres; sockets stay open")
async def freeze_valkey(at: Round) -> None:
    """Stop it for some seconds."""
    await _without_reconnecting(at, _frozen(at, at.cluster.valkey, 0.5, 5.0))


@scenario("SIGSTOP, SIGCONT", "the model daemon", "answers continue where they paused")
async def freeze_model(at: Round) -> None:
    """Stop it for some seconds."""
    await _frozen(at, at.cluster.model, 0.5, 5.0)


async def _restarted(at: Round, part: Part) -> float:
    at.ask_meanwhile()
    took = await part.end()
    await part.start()
    return took


@scenario("restart (SIGTERM)", "the web server", "ended within 10 s; readers reconnect when it is back")
async def restart_web(at: Round) -> None:
    """Update the web server."""
    took = await _restarted(at, at.cluster.web)
    assert took < DRAIN_SECONDS, f"it took {took:.1f} s to end"


@scenario(
    "restart (SIGTERM)",
    "a worker",
    "ended within 10 s; it stores everything, and the other one continues at once",
    takeover_seconds=HANDOVER_SECONDS,
)
async def restart_worker(at: Round) -> None:
    """Update a worker."""
    took = await _restarted(at, at.cluster.workers[at.cluster.busiest()])
    assert took < DRAIN_SECONDS, f"it took {took:.1f} s to end"
    assert not at.watch.outcome.lost_characters, "it did not save everything before it ended"


@scenario("restart", "Postgres under load", "no confirmed message is lost, sockets stay open, answers continue")
async def restart_postgres(at: Round) -> None:
    """Restart the database the fast way, as its packages do."""

    async def restarted() -> None:
        await _restarted(at, at.cluster.postgres)

    await _without_reconnecting(at, restarted())


@scenario("restart", "Valkey", "readers continue from Postgres meanwhile; sockets stay open")
async def restart_valkey(at: Round) -> None:
    """Restart the broadcast."""

    async def restarted() -> None:
        await _restarted(at, at.cluster.valkey)

    await _without_reconnecting(at, restarted())


@scenario(
    "restart",
    "the model daemon",
    "the text so far is kept, the same in every tab; Retry writes a complete answer",
    may_fail=True,
)
async def restart_model(at: Round) -> None:
    """Restart the models."""
    await _restarted(at, at.cluster.model)


async def _cut(at: Round, *servers: str, to: tuple[str, ...] = (), longest: float = 4.0) -> None:
    lines = at.cluster.lines_of(*servers, to=to)
    await asyncio.gather(*(line.cut() for line in lines))
    at.ask_meanwhile()
    await _lasts(at, 0.0, longest)
    await asyncio.gather(*(line.open() for line in lines))


async def _dead(at: Round, *servers: str, to: tuple[str, ...] = (), longest: float = 5.0) -> None:
    lines = at.cluster.lines_of(*servers, to=to)
    for line in lines:
        line.go_dead()
    at.ask_meanwhile()
    await _lasts(at, 0.5, longest)
    await asyncio.gather(*(line.open() for line in lines))


@scenario("connection cut", "readers to web", "they reconnect and show the whole answer")
async def cut_front(at: Round) -> None:
    """Break every websocket."""
    await at.cluster.lines["front"].cut()
    at.ask_meanwhile()
    await _lasts(at, 0.0, 3.0)
    await at.cluster.lines["front"].open()


@scenario("connection cut", "all processes to Postgres", "answers wait in memory; sockets stay open")
async def cut_postgres(at: Round) -> None:
    """Break every connection to the database, and refuse new ones for some seconds."""
    await _without_reconnecting(at, _cut(at, "postgres"))


@scenario("connection cut", "all processes to Valkey", "readers continue from Postgres; sockets stay open")
async def cut_valkey(at: Round) -> None:
    """Break every connection to the broadcast."""
    await _without_reconnecting(at, _cut(at, "valkey"))


@scenario(
    "connection cut",
    "workers to the model daemon",
    "the text so far is kept; Retry writes a complete answer",
    may_fail=True,
)
async def cut_model(at: Round) -> None:
    """Break every connection to the models."""
    await _cut(at, "model", to=("worker0", "worker1"), longest=2.0)


@scenario("connection silently dead", "all processes to Postgres", "answers wait in memory; sockets stay open")
async def dead_postgres(at: Round) -> None:
    """Let nothing through to the database for some seconds."""
    await _without_reconnecting(at, _dead(at, "postgres"))


@scenario("connection silently dead", "all processes to Valkey", "readers continue from Postgres; sockets stay open")
async def dead_valkey(at: Round) -> None:
    """Let nothing through to the broadcast for some seconds."""
    await _without_reconnecting(at, _dead(at, "valkey"))


@scenario(
    "connection silently dead",
    "one worker to Postgres",
    "the other takes over; the first stores nothing late",
    takeover_seconds=TAKEOVER_SECONDS,
)
async def dead_worker(at: Round) -> None:
    """Let nothing of one worker through to the database until the other has its answers."""
    line = at.cluster.lines[f"worker{at.cluster.busiest()}-postgres"]
    line.go_dead()
    at.ask_meanwhile()
    try:
        await _until_taken_over(at)
    finally:
        await line.open()


@scenario(
    "half-open",
    "readers whose connection died",
    "the others continue; the server closes the dead connections within half a minute; reconnected readers show the whole answer",
    model=LONG,
)
async def half_open_readers(at: Round) -> None:
    """Open many more tabs, and drop all data of their connections without closing them."""
    line = Line(at.cluster.lines["front"].port_there)
    await line.open()
    try:
        for chat in at.chats[:-1]:
            chat.watchers += [at.reader(chat, door=line.port) for _ in range(_HALF_OPEN // (len(at.chats) - 1))]
        lost = [reader for chat in at.chats[:-1] for reader in chat.watchers if reader.connections == 0]
        await asyncio.gather(*(reader.open() for reader in lost))
        line.go_dead()
        at.ask_meanwhile()
        at.watch.outcome.injections = len(lost)
        async with asyncio.timeout(_GIVEN_UP_SECONDS):
            while not line.given_up():
                await asyncio.sleep(0.1)
        await line.cut()
        await line.open()
        await asyncio.gather(
            *(reader.until(lambda reader=reader: reader.state == "done", 60, "all") for reader in lost)
        )
    finally:
        # These tabs continue through the proxy of the others.
        for chat in at.chats[:-1]:
            for reader in chat.watchers:
                reader.go_through(at.cluster.lines["front"].port)
        await line.cut()


@scenario(
    "disk full",
    "the data folder",
    "answers wait in memory and are stored when there is space again",
    needs_disk=True,
)
async def full_disk(at: Round) -> None:
    """Fill the disk that Postgres, Valkey and the logs are on; Postgres may have to be started again."""
    at.cluster.fill_disk()
    at.ask_meanwhile()
    try:
        await _until_refused(at)
        await _lasts(at, 0.5, 3.0)
    finally:
        at.cluster.empty_disk()
    await _started_again_if_ended(at.cluster.postgres)
    await _started_again_if_ended(at.cluster.valkey)


async def _until_refused(at: Round) -> None:
    """Write as the owner does until the database has no room, or is gone for the lack of it."""
    async with asyncio.timeout(30):
        with suppress(psycopg.OperationalError):
            async with await psycopg.AsyncConnection.connect(at.cluster.owner_url) as connection:
                await connection.execute("CREATE TEMPORARY TABLE filler (bytes text)")
                while True:
                    await connection.execute("INSERT INTO filler SELECT repeat('x', 8000) FROM generate_series(1, 200)")


async def _started_again_if_ended(part: Part) -> None:
    if part._kept.pid is None:
        await part.again()


@scenario(
    "clock jump",
    "the workers (+1 h and -1 h)",
    "leases are neither stolen nor lost: the same engine finishes each answer",
)
async def jump_clock(at: Round) -> None:
    """Turn the workers' wall clocks, the one forward and the other back, and back to right before the end."""
    forward = at.rng.choice((3600.0, -3600.0))
    at.cluster.turn_clock(forward, -forward)
    at.ask_meanwhile()
    try:
        await asyncio.gather(
            *(reader.until(lambda reader=reader: reader.state == "done", 90, "the end") for reader in at.readers)
        )
    finally:
        at.cluster.turn_clock(0)
    assert not at.watch.outcome.takeovers, "an answer changed hands"

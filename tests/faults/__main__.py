"""`make faults`: every fault so many times, and what came of it in docs/reliability.md."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import deque

from tests.faults import record, scenarios, sequences
from tests.faults.cluster import Cluster, opened
from tests.faults.record import Outcome, Row
from tests.faults.registry import Scenario
from tests.faults.rounds import opened as opened_round
from tests.faults.storage import Storage

_ROUND_SECONDS = 300.0
_SEQUENCES = "sequences"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("only", nargs="*", help=f"scenarios to run, or `{_SEQUENCES}`; everything when none is named")
    parser.add_argument("--rounds", type=int, default=20, help="how often each (default 20)")
    parser.add_argument("--seed", type=int, default=1, help="what chance begins with (default 1)")
    parser.add_argument("--houses", type=int, default=2, help="how many scenarios at a time (default 2)")
    return parser.parse_args()


def say(line: str) -> None:
    """Print the progress."""
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)


async def one_round(cluster: Cluster, storage: Storage, scenario: Scenario, seed: int) -> Outcome:
    """Run one round of a scenario."""
    async with asyncio.timeout(_ROUND_SECONDS), opened_round(cluster, storage, seed, model=scenario.model) as at:
        await at.begin()
        await at.watch.mark()
        await scenario.fault(at)
        return await at.finish(may_fail=scenario.may_fail)


async def all_rounds(cluster: Cluster, storage: Storage, scenario: Scenario, rounds: int, seed: int) -> Row:
    """Run all rounds of a scenario; records failed rounds and continues."""
    row = Row(
        scenario.kind,
        scenario.target,
        scenario.asserted,
        takeover_seconds=scenario.takeover_seconds,
        bounds_loss=scenario.name != "dead-worker",
    )
    if scenario.needs_disk and not cluster.has_own_disk:
        row.skipped = "no disk may be mounted here"
        return row
    number = -1
    # Some faults affect many answers in one round.
    while row.injections + len(row.failures) < rounds:
        number += 1
        try:
            outcome = await one_round(cluster, storage, scenario, seed * 1000 + number)
        except (AssertionError, TimeoutError) as error:
            row.failures.append(f"round {number} (seed {seed * 1000 + number}): {str(error) or type(error).__name__}")
            say(f"  {scenario.name} {number + 1}: FAILED: {row.failures[-1][:1500]}")
            await cluster.is_serving()
            continue
        row.outcomes.append(outcome)
        seconds = ", ".join(f"{taken:.1f}" for taken in outcome.takeovers)
        taken_over = f", taken over after [{seconds}] s" if seconds else ""
        lost = f", lost {outcome.lost_milliseconds:.0f} ms" if outcome.lost_characters else ""
        say(f"  {scenario.name} {number + 1}: {outcome.under_way} under way{taken_over}{lost}")
    return row


async def _work_off(waiting: deque[Scenario], rows: dict[str, Row], arguments: argparse.Namespace) -> None:
    async with opened() as cluster:
        storage = Storage(cluster.owner_url)
        while waiting:
            scenario = waiting.popleft()
            say(f"{scenario.name}: {scenario.kind}, {scenario.target}")
            rows[scenario.name] = await all_rounds(cluster, storage, scenario, arguments.rounds, arguments.seed)
        await storage.aclose()


async def _all_scenarios(arguments: argparse.Namespace, names: list[str]) -> list[Row]:
    wanted = scenarios.chosen(names)
    waiting, rows = deque(wanted), dict[str, Row]()
    houses = min(arguments.houses, len(wanted))
    say(f"{houses} houses are built for {len(wanted)} scenarios ...")
    async with asyncio.TaskGroup() as group:
        for _ in range(houses):
            group.create_task(_work_off(waiting, rows, arguments))
    return [rows[scenario.name] for scenario in wanted]


def _random_sequences(arguments: argparse.Namespace) -> Row:
    with asyncio.Runner() as runner:
        cluster = Cluster()
        try:
            runner.run(cluster.start())
            return sequences.run(runner, cluster, examples=arguments.rounds, first=arguments.seed, report=say)
        finally:
            runner.run(cluster.close())


def main(arguments: argparse.Namespace) -> int:
    """Run the chosen scenarios; returns 1 if any assertion failed."""
    began = time.monotonic()
    names = [name for name in arguments.only if name != _SEQUENCES]
    rows: list[Row] = []
    if names or not arguments.only:
        rows = asyncio.run(_all_scenarios(arguments, names))
    if not arguments.only or _SEQUENCES in arguments.only:
        say(f"{arguments.rounds} random sequences ...")
        rows.append(_random_sequences(arguments))
    print(record.table(rows))
    minutes = (time.monotonic() - began) / 60
    if not arguments.only and arguments.rounds >= 20:
        record.write(rows, arguments.seed, minutes)
    misses = [f"{row.kind}, {row.target}: {miss}" for row in rows for miss in row.misses()]
    say(f"{len(misses)} misses in {minutes:.1f} minutes" + "".join(f"\n- {miss}" for miss in misses))
    return 1 if misses else 0


if __name__ == "__main__":
    sys.exit(main(_arguments()))

"""A quick taste of `make faults`: the pages' process and a worker are killed in mid-answer, and one random sequence."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.faults import scenarios, sequences
from tests.faults.__main__ import one_round
from tests.faults.cluster import LONG, Cluster
from tests.faults.record import Outcome, Row
from tests.faults.registry import Scenario
from tests.faults.storage import Storage

_ROUNDS = 3
_PATIENCE_SECONDS = 120.0


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    """The loop that the house lives on."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def cluster(runner: asyncio.Runner) -> Iterator[Cluster]:
    """Two web processes, two workers, and what they need."""
    cluster = Cluster()
    try:
        runner.run(cluster.start())
        yield cluster
    finally:
        runner.run(cluster.close())


async def _in_mid_answer(cluster: Cluster, storage: Storage, scenario: Scenario, seed: int) -> Outcome:
    """A round whose kill took answers with it: on a busy machine it may come late, or hit the engine of the other round."""
    outcome = await one_round(cluster, storage, replace(scenario, model=LONG), seed)
    for again in range(1, _ROUNDS):
        if outcome.under_way and (outcome.takeovers or scenario.takeover_seconds is None):
            break
        outcome = await one_round(cluster, storage, replace(scenario, model=LONG), seed + 10 * again)
    return outcome


def test_a_web_process_and_a_worker_are_killed_in_mid_answer(runner: asyncio.Runner, cluster: Cluster) -> None:
    web, worker = scenarios.chosen(["kill-web-worker", "kill-worker"])

    async def both() -> tuple[Outcome, Outcome]:
        storage = [Storage(cluster.owner_url) for _ in range(2)]
        found = await asyncio.gather(
            _in_mid_answer(cluster, storage[0], web, 1), _in_mid_answer(cluster, storage[1], worker, 2)
        )
        await asyncio.gather(*(each.aclose() for each in storage))
        return found

    outcomes = runner.run(both())
    for outcome in outcomes:
        assert outcome.under_way and outcome.acknowledged
        assert outcome.acknowledged_lost == outcome.readers_different == 0
    # How many seconds it took is a figure of `make faults`: here other tests run at the same time. The worker may have
    # had answers of either round.
    row = Row("", "", "", list(outcomes), takeover_seconds=_PATIENCE_SECONDS, bounds_loss=False)
    assert row.misses() == []


def test_random_sequences_end_with_what_was_said_stored_and_shown(runner: asyncio.Runner, cluster: Cluster) -> None:
    steps: list[str] = []
    row = sequences.run(runner, cluster, examples=2, first=4, steps=5, report=steps.append)
    assert not row.failures, [*row.failures, *steps]
    assert row.outcomes

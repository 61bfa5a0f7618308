"""A soak: readers who ask again and again for as long as one likes, and whether the web process grows meanwhile."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.performance.crowd import Harvest, crowd, wrong_texts
from tests.performance.figures import Figure, percentile
from tests.performance.processes import memory_megabytes
from tests.performance.seeding import add_readers
from tests.performance.stage import CROWDED, Stage, stage

READERS = 20
_SAMPLE_SECONDS = 10.0
_SECONDS_AN_HOUR = 3600

Sample = tuple[float, float]
"""A moment in seconds, and the megabytes that the web process held."""


async def soak_figures(folder: Path, minutes: float, say: Callable[[str], None]) -> list[Figure]:
    """Let readers ask for so many minutes, and fit a line to the memory of the second half."""
    async with stage(folder) as found:
        seats = add_readers(found.at, READERS, model=CROWDED)
        async with crowd(found.url, seats, folder) as readers:
            asking = asyncio.create_task(readers.ask(seconds=minutes * 60))
            samples = await _watched(found, asking, say)
            harvest = await asking
        return _figures(minutes, samples, harvest, wrong_texts(found.at.database_owner_url, harvest.seen))


async def _watched(found: Stage, asking: asyncio.Task[Harvest], say: Callable[[str], None]) -> list[Sample]:
    began = time.monotonic()
    samples: list[Sample] = []
    while not asking.done():
        await asyncio.wait({asking}, timeout=_SAMPLE_SECONDS)
        samples.append((time.monotonic() - began, sum(memory_megabytes(pid)[1] for pid in found.web)))
        say(f"{samples[-1][1]:.1f} MB")
    return samples


def slope(samples: Sequence[Sample]) -> float:
    """Return how many megabytes an hour the second half of the samples grows by, by least squares; NaN for too few."""
    half = samples[len(samples) // 2 :]
    if len(half) < 2:
        return float("nan")
    moments, amounts = zip(*half, strict=True)
    return statistics.linear_regression(moments, amounts).slope * _SECONDS_AN_HOUR


def _figures(minutes: float, samples: Sequence[Sample], harvest: Harvest, wrong: int) -> list[Figure]:
    seen = harvest.seen
    latencies = sorted(seen.latencies.elements())
    return [
        Figure(
            f"web process, memory over {minutes:.0f} minutes of {READERS} streams, slope of the second half",
            "about 0",
            f"{slope(samples):+.1f} MB/hour (from {samples[0][1]:.0f} to {samples[-1][1]:.0f} MB PSS)",
        ),
        Figure(
            "the same: what it wrote",
            "0 errors",
            f"{seen.turns:,} answers, {seen.tokens:,} tokens; {len(seen.errors)} errors, {len(seen.gaps)} gaps,"
            f" {wrong} of {READERS} last texts not as stored; write to socket p95 {percentile(latencies, 0.95):.0f} ms;"
            f" {harvest.milliseconds_a_token('web'):.2f} s of processor time for 1,000 tokens",
        ),
    ]

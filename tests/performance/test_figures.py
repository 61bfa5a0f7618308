"""The arithmetic and the table of the bench; nothing here is timed."""

from __future__ import annotations

import math
import os

from tests.performance.figures import Figure, middle_and_range, percentile, spread, table
from tests.performance.processes import cpu_seconds, environment, family, memory_megabytes
from tests.performance.soak import slope


def test_a_percentile_is_one_of_the_values() -> None:
    assert percentile([3, 1, 2], 0.5) == 2
    assert percentile(range(1, 101), 0.95) == 95
    assert math.isnan(percentile([], 0.5))


def test_a_figure_says_its_middle_and_its_noise() -> None:
    assert middle_and_range([2.0], "s", 1) == "2.0 s"
    assert middle_and_range([1.0, 3.0, 2.0], "s", 1) == "2.0 s (1.0 to 3.0)"
    assert spread([10.0, 20.0, 30.0], "ms") == "p50 20 ms, p95 30 ms"


def test_the_table_is_markdown() -> None:
    assert table([Figure("a|b", "≤ 1", "2")]).splitlines() == [
        "| figure | target | measured | floor |",
        "| --- | --- | --- | --- |",
        "| a\\|b | ≤ 1 | 2 |  |",
    ]


def test_the_kernel_is_asked_about_a_process() -> None:
    own = os.getpid()
    assert own in family(os.getppid())
    assert cpu_seconds([own]) >= 0
    resident, share = memory_megabytes(own)
    assert resident >= share > 0


def test_what_is_started_does_not_inherit_our_settings(monkeypatch) -> None:
    monkeypatch.setenv("RXCHAT_PORT", "1")
    monkeypatch.setenv("DATABASE_URL", "postgres://elsewhere")
    assert {"RXCHAT_PORT", "DATABASE_URL"}.isdisjoint(environment())
    assert environment(RXCHAT_PORT="2")["RXCHAT_PORT"] == "2"


def test_a_soak_is_judged_by_its_second_half() -> None:
    warming = [(float(second), 100.0 + second) for second in range(0, 1800, 10)]
    level = [(float(second), 300.0) for second in range(1800, 3600, 10)]
    growing = [(float(second), 300.0 + 2 * second / 3600) for second in range(1800, 3600, 10)]
    assert slope(warming + level) == 0
    assert round(slope(warming + growing), 6) == 2
    assert math.isnan(slope([(0.0, 1.0)]))

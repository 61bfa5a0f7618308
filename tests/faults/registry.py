"""The registry of faults, to which `scenarios` adds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tests.faults.cluster import ROUND
from tests.faults.rounds import Round

Fault = Callable[[Round], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One kind of fault."""

    name: str
    kind: str
    target: str
    asserted: str
    fault: Fault
    may_fail: bool = False
    """Whether answers may end as failed, whole up to there and with a working Retry."""
    model: str = ROUND
    needs_disk: bool = False
    """Whether the cluster must have a separate disk."""
    takeover_seconds: float | None = None
    """Within how many seconds answers must change hands; None where they need not."""


ALL: list[Scenario] = []


def scenario(kind: str, target: str, asserted: str, **rest: Any) -> Callable[[Fault], Fault]:
    """Add a fault to those that there are; `rest` are fields of a Scenario."""

    def add(fault: Fault) -> Fault:
        ALL.append(Scenario(fault.__name__.replace("_", "-"), kind, target, asserted, fault, **rest))
        return fault

    return add


def chosen(names: list[str]) -> list[Scenario]:
    """The scenarios with these names, or all."""
    unknown = set(names) - {scenario.name for scenario in ALL}
    if unknown:
        raise ValueError(f"there is no {', '.join(sorted(unknown))}; there are: {', '.join(s.name for s in ALL)}")
    return [scenario for scenario in ALL if not names or scenario.name in names]

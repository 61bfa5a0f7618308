"""What was measured, as values: figures beside their targets, and the table that people read."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

HEADINGS = ("figure", "target", "measured", "floor")


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table."""

    name: str
    target: str
    measured: str
    floor: str = ""


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which this share (0 to 1) of the values lies, by the nearest rank; NaN for none."""
    ordered = sorted(values)
    if not ordered:
        return math.nan
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def median(values: Sequence[float]) -> float:
    """Return the middle value; NaN for none."""
    return statistics.median(values) if values else math.nan


def middle_and_range(values: Sequence[float], unit: str, digits: int = 0) -> str:
    """Return the median and, when there are several values, from where to where they went: the noise."""
    said = f"{median(values):,.{digits}f} {unit}".strip()
    if len(values) < 2:
        return said
    return f"{said} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"


def spread(values: Sequence[float], unit: str) -> str:
    """Return the median and the 95th percentile."""
    return f"p50 {median(values):.0f} {unit}, p95 {percentile(values, 0.95):.0f} {unit}"


def table(figures: Iterable[Figure]) -> str:
    """Return the figures as a markdown table."""
    lines = [_row(HEADINGS), _row(["---"] * len(HEADINGS))]
    lines += [_row((item.name, item.target, item.measured, item.floor)) for item in figures]
    return "\n".join(lines)


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

"""What was injected, how often, and what came of it: the table of docs/reliability.md."""

from __future__ import annotations

import platform
import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from os import cpu_count

from tests.performance.processes import ROOT

PAGE = ROOT / "docs" / "reliability.md"
BEGIN = "<!-- what follows is written by make faults -->"
TAKEOVER_SECONDS = 8.0
LOST_MILLISECONDS = 250

_HEAD = (
    "what was done",
    "to what",
    "times",
    "answers in progress",
    "text lost from storage",
    "taken over within",
    "confirmed and lost",
    "readers with another text at the end",
    "asserted",
)


@dataclass
class Outcome:
    """What one injection did."""

    under_way: int = 0
    """Answers that were being written when it happened."""
    lost_characters: int = 0
    """The most that a reader had seen of an answer and the storage had not, when its engine was gone."""
    lost_milliseconds: float = 0.0
    takeovers: list[float] = field(default_factory=list)
    """Seconds from the fault until another engine had the answer, for each that changed hands."""
    acknowledged: int = 0
    acknowledged_lost: int = 0
    readers_different: int = 0
    injections: int = 1


@dataclass
class Row:
    """One kind of fault and all that came of it."""

    kind: str
    target: str
    asserted: str
    outcomes: list[Outcome] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    """Rounds whose assertions did not hold."""
    skipped: str = ""
    takeover_seconds: float | None = None
    """Within how many seconds answers must change hands; None where they need not."""
    bounds_loss: bool = True
    """Whether what a reader saw must have been stored soon: not where its engine lives on, cut off from storage alone."""

    @property
    def injections(self) -> int:
        """How often it was done."""
        return sum(outcome.injections for outcome in self.outcomes)

    @property
    def takeovers(self) -> list[float]:
        """All takeovers' seconds."""
        return [seconds for outcome in self.outcomes for seconds in outcome.takeovers]

    def misses(self) -> list[str]:
        """The targets that were not met, in words."""
        found = list(self.failures)
        longest = self.takeover_seconds or TAKEOVER_SECONDS
        if self.takeovers and max(self.takeovers) > longest:
            found.append(f"a takeover took {max(self.takeovers):.1f} s (target {longest:g} s)")
        if self.takeover_seconds and self.outcomes and not self.takeovers:
            found.append("no answer changed hands")
        lost = max((outcome.lost_milliseconds for outcome in self.outcomes), default=0)
        if self.bounds_loss and lost > LOST_MILLISECONDS:
            found.append(f"{lost:.0f} ms of text were lost from storage (target {LOST_MILLISECONDS} ms)")
        return found

    def cells(self) -> tuple[str, ...]:
        """Its line of the table."""
        if self.skipped:
            return (self.kind, self.target, "0", "", "", "", "", "", f"skipped: {self.skipped}")
        lost = max(self.outcomes, key=lambda outcome: outcome.lost_milliseconds, default=Outcome())
        takeovers = self.takeovers
        seconds = f"p50 {statistics.median(takeovers):.1f} s, max {max(takeovers):.1f} s" if takeovers else ""
        acknowledged = sum(outcome.acknowledged for outcome in self.outcomes)
        return (
            self.kind,
            self.target,
            str(self.injections),
            str(sum(outcome.under_way for outcome in self.outcomes)),
            f"at most {lost.lost_milliseconds:.0f} ms ({lost.lost_characters} characters)"
            if lost.lost_characters
            else "none",
            f"{seconds} ({len(takeovers)} times)" if takeovers else "",
            f"{sum(outcome.acknowledged_lost for outcome in self.outcomes)} of {acknowledged}",
            str(sum(outcome.readers_different for outcome in self.outcomes)),
            self.asserted + (f" **{len(self.failures)} rounds failed**" if self.failures else ""),
        )


def table(rows: Iterable[Row]) -> str:
    """The table in markdown."""
    lines = [_HEAD, tuple("---" for _ in _HEAD), *(row.cells() for row in rows)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def write(rows: Iterable[Row], seed: int, minutes: float) -> None:
    """Put the table into the page, below the words that people wrote."""
    words, _, _ = PAGE.read_text().partition(BEGIN)
    facts = f"- run: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {minutes:.0f} minutes, seed {seed}\n- machine: {cpu_count()} cores, {platform.system()} {platform.release()}"
    PAGE.write_text(f"{words}{BEGIN}\n\n{table(rows)}\n\n{facts}\n")

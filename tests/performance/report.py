"""The report: the machine that was measured on, and docs/performance.md around the table."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.performance.figures import Figure, table
from tests.performance.processes import ROOT

PAGE = ROOT / "docs" / "performance.md"
BEGIN = "<!-- what follows is written by make bench -->"


def machine(chromium: str = "") -> str:
    """Describe this machine and what was installed, as a markdown list."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    packages = ", ".join(f"{name} {version(name)}" for name in ("reflex", "uvicorn", "starlette"))
    facts = (
        f"measured: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        f"processor: {os.cpu_count()} cores, {_processor()}; load while measuring: {os.getloadavg()[1]:.1f} (5 minutes)",
        f"memory: {memory:.1f} GB",
        f"software: {platform.system()} {platform.release()}, Python {platform.python_version()}, {packages}"
        + (f", Chromium {chromium}" if chromium else ""),
    )
    return "\n".join(f"- {fact}" for fact in facts)


def _processor() -> str:
    with Path("/proc/cpuinfo").open() as lines:
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def write(figures: list[Figure], description: str) -> None:
    """Put the table and the machine into the page, below the words that people wrote."""
    words, _, _ = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(f"{words}{BEGIN}\n\n{table(figures)}\n\n{description}\n")

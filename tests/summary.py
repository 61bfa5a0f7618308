"""A pytest plugin that prints the duration of each folder's tests, and the number of expensive starts."""

from __future__ import annotations

from collections import Counter, defaultdict
from operator import itemgetter
from typing import Any

import pytest

STARTS: Counter[str] = Counter()
"""The starts of services, servers and browsers in this process."""
_OF_WORKERS: Counter[str] = Counter()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Send a worker's counts to the main process."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["starts"] = dict(STARTS)  # pyright: ignore[reportAttributeAccessIssue] - xdist's


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add a worker's counts."""
    _OF_WORKERS.update(getattr(node, "workeroutput", {}).get("starts", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the seconds of each folder if `--durations` is set."""
    if not config.getoption("durations"):
        return
    seconds: defaultdict[str, float] = defaultdict(float)
    tests: Counter[str] = Counter()
    functions: set[str] = set()
    for report in (report for kind in terminalreporter.stats.values() for report in kind):
        if isinstance(report, pytest.TestReport) and not isinstance(report, pytest.SubtestReport):
            module = report.nodeid.partition("::")[0]
            folder = module.split("/")[1] if module.count("/") > 1 else "tests"
            seconds[folder] += report.duration
            tests[folder] += report.when == "call"
            functions.add(report.nodeid.partition("[")[0])
    terminalreporter.section("seconds of each folder, of all workers together")
    for folder, spent in sorted(seconds.items(), key=itemgetter(1), reverse=True):
        terminalreporter.write_line(f"{spent:8.1f} s {tests[folder]:5d} tests  {folder}")
    terminalreporter.write_line(f"{sum(tests.values())} tests of {len(functions)} functions")
    terminalreporter.write_line(
        "starts: " + ", ".join(f"{count} × {what}" for what, count in (STARTS + _OF_WORKERS).most_common())
    )

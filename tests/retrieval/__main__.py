"""Measure, and keep the figures as those that may not drop: `.venv/bin/python -m tests.retrieval`."""

import sys
from pathlib import Path

import pytest

from tests.retrieval.measure import WRITING


class Writing:
    """Makes the test write its measurements."""

    def pytest_configure(self, config: pytest.Config) -> None:
        """Say it in a way that the test knows."""
        config.stash[WRITING] = True


if __name__ == "__main__":
    sys.exit(
        pytest.main(
            ["-q", "-s", "-m", "slow or not slow", str(Path(__file__).parent / "test_quality.py")], plugins=[Writing()]
        )
    )

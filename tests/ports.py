"""Ports for the servers of tests.

A port that the system chooses may be taken again while its server restarts: outgoing connections get theirs from the same
range. These are below that range, and below the ports that RxChat chooses itself.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

from rxchat.embedded.process import is_free

_FIRST, _EACH, _RANGES = 10_000, 500, 20


def _ports() -> Iterator[int]:
    """Each port of this process's range: a worker of pytest-xdist has one of its own, other processes any of the rest."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
    number = int(worker) % 10 if worker else random.randrange(10, _RANGES)
    first = _FIRST + number * _EACH
    start = random.randrange(_EACH)
    while True:
        yield from (first + (start + step) % _EACH for step in range(_EACH))


_next_ports = _ports()


def free_port() -> int:
    """Return a port that is free now, and that this run of tests gives to no other server for the next few hundred calls.

    Raises:
        RuntimeError: If all of them are taken.
    """
    for _ in range(_EACH):
        port = next(_next_ports)
        if is_free(port):
            return port
    raise RuntimeError("No port is free.")

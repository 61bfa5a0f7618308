"""A line between a browser and a server that can be cut, or go dead without a word."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from anyio.from_thread import BlockingPortal, start_blocking_portal

from tests.faults.line import Line
from tests.journeys.server import RxChat


class Wire:
    """A line that is used from a thread without an event loop."""

    def __init__(self, line: Line, portal: BlockingPortal) -> None:
        self.url = f"http://127.0.0.1:{line.port}"
        self._line, self._portal = line, portal

    def lose_connections(self) -> None:
        """Let what is open now be dead, without a word to either end."""
        self._portal.call(self._line.lose_connections)

    def cut(self) -> None:
        """Break open connections, and refuse new ones."""
        self._portal.call(self._line.cut)

    def mend(self) -> None:
        """Let through again."""
        self._portal.call(self._line.open)


@contextmanager
def wire_to(server: RxChat) -> Iterator[Wire]:
    """Lead to a server by way of its extra origin."""
    line = Line(server.port, urlsplit(server.extra_origin).port or 0)
    with start_blocking_portal() as portal:
        portal.call(line.open)
        try:
            yield Wire(line, portal)
        finally:
            portal.call(line.cut)

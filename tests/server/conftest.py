"""The web server, for a test's own application."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from starlette.types import ASGIApp

from rxchat.server import web_process
from tests.server.serving import Served, served_by

Serve = Callable[[ASGIApp], Coroutine[Any, Any, Served]]


@pytest.fixture
async def serve(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Serve]:
    """Serve an application until the test ends."""
    monkeypatch.setattr(web_process, "_SWEEP_SECONDS", 0.05)
    monkeypatch.setattr(web_process, "_ENDING_SECONDS", 0)
    async with AsyncExitStack() as stack:
        yield lambda app: stack.enter_async_context(served_by(app))


class _Kept(logging.Handler):
    def __init__(self, records: list[logging.LogRecord]) -> None:
        super().__init__(logging.WARNING)
        self._records = records

    def emit(self, record: logging.LogRecord) -> None:
        self._records.append(record)


@pytest.fixture
def logged() -> Generator[list[logging.LogRecord]]:
    """What the server says in its log while a test runs."""
    records: list[logging.LogRecord] = []
    handler = _Kept(records)
    logger = logging.getLogger("uvicorn")
    logger.addHandler(handler)
    yield records
    logger.removeHandler(handler)

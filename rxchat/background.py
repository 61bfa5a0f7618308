"""Background tasks of a process, and retries of what fails while another system does not respond."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

_T = TypeVar("_T")


class BackgroundTask:
    """A coroutine that runs from `start` to `stop`, or to its own end."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._task: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._task is not None and not self._task.done()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Start the coroutine. Call it only while the task does not run."""
        self._task = asyncio.create_task(work, name=self._name)

    async def stop(self) -> None:
        """Cancel the coroutine, and wait until it has ended."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@asynccontextmanager
async def background_task(work: Coroutine[Any, Any, None], name: str) -> AsyncGenerator[None]:
    """Run a coroutine while the context is open."""
    task = BackgroundTask(name)
    task.start(work)
    try:
        yield
    finally:
        await task.stop()


async def retry(
    work: Callable[[], Awaitable[_T]], error: type[Exception], seconds: float, *, tries: int | None = None
) -> _T:
    """Return what `work` returns; wait and try again when it raises this error, at most `tries` times (None: no limit).

    Raises:
        error: after the last try.
    """
    while True:
        try:
            return await work()
        except error:
            tries = None if tries is None else tries - 1
            if tries is not None and tries <= 0:
                raise
            await asyncio.sleep(seconds)

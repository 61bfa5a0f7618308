"""Redis or Valkey as the Broadcast port: fan-out between processes, fast and without a promise.

One connection listens for the whole process. A server that is away, or that hangs, costs a caller half a second once;
then a breaker spares it to everybody until the server answers again.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, cast

import redis.asyncio
import structlog
from redis.exceptions import RedisError

from rxchat.adapters.breaker import Breaker
from rxchat.background import BackgroundTask

log = structlog.get_logger(__name__)

_PREFIX = "rxchat:"
_BUDGET_SECONDS = 0.5
_RETRY_SECONDS = 2.0
# A line that is dead without having been closed is noticed in 8 s, whether anything is said on it or not; where the system
# has no such options (macOS has not all of them), as late as it likes.
_KEEPALIVE = {"TCP_KEEPIDLE": 4, "TCP_KEEPINTVL": 2, "TCP_KEEPCNT": 2, "TCP_USER_TIMEOUT": 8000}
_LINE: dict[str, Any] = {
    "socket_keepalive": True,
    "socket_keepalive_options": {
        getattr(socket, name): value for name, value in _KEEPALIVE.items() if hasattr(socket, name)
    },
}


def line_options(url: str) -> dict[str, Any]:
    """Return how to keep a line to this address alive; a socket of this machine needs nothing."""
    return {} if url.startswith("unix:") else _LINE


_UNHEARD = 256
"""So many messages may wait for a slow listener; older ones are forgotten, and read from Postgres."""


class RedisBroadcast:
    """Publish and subscribe; when the server is away, publishing does nothing and listeners hear nothing."""

    def __init__(self, url: str) -> None:
        """Prepare the client; nothing is connected yet."""
        self._client = redis.asyncio.Redis.from_url(
            url, socket_connect_timeout=_BUDGET_SECONDS, socket_timeout=_BUDGET_SECONDS, **line_options(url)
        )
        # What listens waits while nobody says anything; a ping now and then finds a line that answers nothing.
        self._listener = redis.asyncio.Redis.from_url(
            url, socket_connect_timeout=_BUDGET_SECONDS, health_check_interval=5, **line_options(url)
        )
        self._pubsub = self._listener.pubsub(ignore_subscribe_messages=True)
        self._breaker = Breaker(_RETRY_SECONDS)
        # Two that connect at the same time would each make a line, and one of them would never be read.
        self._saying = asyncio.Lock()
        self._queues: dict[bytes, set[asyncio.Queue[bytes]]] = {}
        self._listening = BackgroundTask("redis listener")

    async def publish(self, channel: str, message: bytes) -> int:
        """Send to everyone who listens now; return how many do, 0 when the server is away."""
        if not self._breaker.admits():
            return 0
        try:
            async with asyncio.timeout(_BUDGET_SECONDS):
                heard = await cast("Awaitable[int]", self._client.publish(_PREFIX + channel, message))
        except Exception as error:  # noqa: BLE001 - whatever it is, Postgres has the same
            # The edge of Redis: no answer waits for, or fails with, a server that is only there to make things fast.
            if self._breaker.failed():
                log.warning("redis does not respond, other processes read answers from postgres", error=str(error))
            return 0
        if self._breaker.succeeded():
            log.info("redis responds again")
        return heard

    @asynccontextmanager
    async def subscribe(self, channel: str) -> AsyncGenerator[AsyncGenerator[bytes]]:
        """Listen to a channel while the context is open, whenever the server is there."""
        name, queue = (_PREFIX + channel).encode(), asyncio.Queue[bytes](_UNHEARD)
        queues = self._queues.setdefault(name, set())
        queues.add(queue)
        try:
            if len(queues) == 1:
                await self._say(self._pubsub.subscribe, name)
            if not self._listening.is_running:
                self._listening.start(self._listen())
            yield _messages(queue)
        finally:
            queues.discard(queue)
            if not queues:
                self._queues.pop(name, None)
                await self._say(self._pubsub.unsubscribe, name)

    async def _say(self, command: Callable[..., Awaitable[Any]], *channels: bytes) -> None:
        # What could not be said is said when the connection is made again: it remembers its channels.
        with suppress(RedisError, OSError):
            async with asyncio.timeout(_BUDGET_SECONDS), self._saying:
                await command(*channels)

    async def _listen(self) -> None:
        while self._queues:
            try:
                message = await self._pubsub.get_message(timeout=_RETRY_SECONDS)
            except (RedisError, OSError, RuntimeError):
                # Away, or not connected yet: the channels of whoever listens by then are asked for again.
                await asyncio.sleep(_RETRY_SECONDS / 4)
                if self._queues:
                    await self._say(self._pubsub.subscribe, *self._queues)
                continue
            if message is not None:
                for queue in self._queues.get(message["channel"], ()):
                    if queue.full():
                        queue.get_nowait()
                    queue.put_nowait(message["data"])

    async def ping(self) -> bool:
        """Whether the server answers."""
        try:
            async with asyncio.timeout(_BUDGET_SECONDS):
                return bool(await self._client.ping())  # pyright: ignore[reportGeneralTypeIssues]
        except (RedisError, OSError):
            return False

    async def aclose(self) -> None:
        """Close the connections."""
        await self._listening.stop()
        await self._pubsub.aclose()
        await self._listener.aclose()
        await self._client.aclose()


async def _messages(queue: asyncio.Queue[bytes]) -> AsyncGenerator[bytes]:
    while True:
        yield await queue.get()

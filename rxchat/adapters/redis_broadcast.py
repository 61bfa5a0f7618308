"""Redis or Valkey as the Broadcast port: fast fan-out between processes, without guaranteed delivery.

One connection listens for the whole process. A server that does not respond delays one caller by half a second; then a
breaker stops calls until the server answers again.
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
# Detects a dead connection in 8 s, whether it is idle or not. Systems without these options (macOS lacks some)
# detect it later.
_KEEPALIVE = {"TCP_KEEPIDLE": 4, "TCP_KEEPINTVL": 2, "TCP_KEEPCNT": 2, "TCP_USER_TIMEOUT": 8000}
_LINE: dict[str, Any] = {
    "socket_keepalive": True,
    "socket_keepalive_options": {
        getattr(socket, name): value for name, value in _KEEPALIVE.items() if hasattr(socket, name)
    },
}


def line_options(url: str) -> dict[str, Any]:
    """Return the keepalive options for an address; none for a Unix socket."""
    return {} if url.startswith("unix:") else _LINE


_UNHEARD = 256
"""The most messages that wait for a slow listener; older ones are dropped, and read from Postgres."""


class RedisBroadcast:
    """Publishes and subscribes; while the server is unavailable, messages are dropped without an error."""

    def __init__(self, url: str) -> None:
        """Create the client, which connects at its first call."""
        self._client = redis.asyncio.Redis.from_url(
            url, socket_connect_timeout=_BUDGET_SECONDS, socket_timeout=_BUDGET_SECONDS, **line_options(url)
        )
        # The listener waits without a timeout; regular pings detect a connection that does not answer.
        self._listener = redis.asyncio.Redis.from_url(
            url, socket_connect_timeout=_BUDGET_SECONDS, health_check_interval=5, **line_options(url)
        )
        self._pubsub = self._listener.pubsub(ignore_subscribe_messages=True)
        self._breaker = Breaker(_RETRY_SECONDS)
        # Two tasks that connect at the same time would open two connections, and one of them would never be read.
        self._saying = asyncio.Lock()
        self._queues: dict[bytes, set[asyncio.Queue[bytes]]] = {}
        self._listening = BackgroundTask("redis listener")

    async def publish(self, channel: str, message: bytes) -> int:
        """Send a message to all current subscribers; return their number, 0 while the server is unavailable."""
        if not self._breaker.admits():
            return 0
        try:
            async with asyncio.timeout(_BUDGET_SECONDS):
                heard = await cast("Awaitable[int]", self._client.publish(_PREFIX + channel, message))
        except Exception as error:  # noqa: BLE001 - whatever it is, Postgres has the same
            # Redis only makes things fast: no answer may wait for it or fail with it.
            if self._breaker.failed():
                log.warning("redis does not respond, other processes read answers from postgres", error=str(error))
            return 0
        if self._breaker.succeeded():
            log.info("redis responds again")
        return heard

    @asynccontextmanager
    async def subscribe(self, channel: str) -> AsyncGenerator[AsyncGenerator[bytes]]:
        """Subscribe to a channel while the context is open; subscribes again when the server comes back."""
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
        # The client remembers its channels, and subscribes to them when it reconnects.
        with suppress(RedisError, OSError):
            async with asyncio.timeout(_BUDGET_SECONDS), self._saying:
                await command(*channels)

    async def _listen(self) -> None:
        while self._queues:
            try:
                message = await self._pubsub.get_message(timeout=_RETRY_SECONDS)
            except (RedisError, OSError, RuntimeError):
                # Unavailable or not connected yet: subscribe again to the channels that have listeners then.
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

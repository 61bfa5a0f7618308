"""Redis or Valkey as the Broadcast port: fan-out between processes, fast and without a promise."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import redis.asyncio
import structlog
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

_PREFIX = "rxchat:"
_RETRY_SECONDS = 5.0


class RedisBroadcast:
    """Publish and subscribe; when the server is away, publishing does nothing and listeners hear nothing."""

    def __init__(self, url: str) -> None:
        """Prepare the client; nothing is connected yet."""
        self._client = redis.asyncio.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=2)
        self._away_until = 0.0

    async def publish(self, channel: str, message: bytes) -> None:
        """Send to everyone who listens now."""
        if time.monotonic() < self._away_until:
            return
        try:
            await self._client.publish(_PREFIX + channel, message)
        except (RedisError, OSError) as error:
            # The answer must not wait for a server that is only there to make things fast.
            self._away_until = time.monotonic() + _RETRY_SECONDS
            log.warning("redis is away, followers in other processes read from postgres", error=str(error))

    @asynccontextmanager
    async def subscribe(self, channel: str) -> AsyncGenerator[AsyncGenerator[bytes]]:
        """Listen to a channel for as long as the context is open."""
        pubsub = self._client.pubsub(ignore_subscribe_messages=True)
        try:
            try:
                await pubsub.subscribe(_PREFIX + channel)
            except (RedisError, OSError) as error:
                log.warning("redis is away, following from postgres alone", error=str(error))
                yield _nothing()
            else:
                yield _messages(pubsub)
        finally:
            await pubsub.aclose()

    async def ping(self) -> bool:
        """Whether the server answers."""
        try:
            return bool(await self._client.ping())  # pyright: ignore[reportGeneralTypeIssues]
        except (RedisError, OSError):
            return False

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()


async def _messages(pubsub: PubSub) -> AsyncGenerator[bytes]:
    while True:
        try:
            message = await pubsub.get_message(timeout=30)
        except (RedisError, OSError) as error:
            log.warning("redis went away, following from postgres alone", error=str(error))
            return
        if message is not None:
            yield message["data"]


async def _nothing() -> AsyncGenerator[bytes]:
    return
    yield b""

"""Rate limits in Redis or Valkey, with the same algorithm as the procedure `record_attempt` in Postgres."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import cast

import redis.asyncio
import structlog
from redis.exceptions import RedisError

from rxchat.adapters.breaker import Breaker
from rxchat.domain.rate_limits import Backoff, CountersUnavailable

log = structlog.get_logger(__name__)

_PREFIX = "rxchat:attempts:"
_BUDGET_SECONDS = 0.5
_RETRY_SECONDS = 5.0

# A script is atomic, so no simultaneous attempt is lost. KEYS; ARGV: base, cap, forget, and free for each key.
_COUNT = """
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local blocked = 0
for _, key in ipairs(KEYS) do
  local until_ = tonumber(redis.call('HGET', key, 'until') or '0')
  if until_ - now > blocked then blocked = until_ - now end
end
if blocked > 0 then return tostring(blocked) end
for place, key in ipairs(KEYS) do
  local failures = redis.call('HINCRBY', key, 'failures', 1)
  local over = failures - tonumber(ARGV[3 + place])
  local until_ = 0
  if over > 0 then
    until_ = now + math.min(tonumber(ARGV[2]), tonumber(ARGV[1]) * 2 ^ math.min(over - 1, 30))
  end
  redis.call('HSET', key, 'until', string.format('%.3f', until_))
  redis.call('EXPIRE', key, math.ceil(tonumber(ARGV[3])))
end
return '0'
"""
_LESSEN = """
if redis.call('EXISTS', KEYS[1]) == 1 then
  if redis.call('HINCRBY', KEYS[1], 'failures', -1) < 0 then redis.call('HSET', KEYS[1], 'failures', 0) end
end
"""


class RedisCounters:
    """Counts attempts of all processes; while the server is unavailable, calls fail without a wait."""

    def __init__(self, url: str) -> None:
        """Create the client, which connects at its first call."""
        self._client = redis.asyncio.Redis.from_url(
            url, socket_connect_timeout=_BUDGET_SECONDS, socket_timeout=_BUDGET_SECONDS
        )
        self._breaker = Breaker(_RETRY_SECONDS)

    async def count(self, keys: Sequence[str], free: Sequence[int], pace: Backoff) -> float:
        """Count an attempt under each key; return the seconds for which it is refused, or 0.

        Raises:
            CountersUnavailable: when the server does not respond.
        """
        arguments = [pace.base_seconds, pace.cap_seconds, pace.forget_seconds, *free]
        return float(await self._run(_COUNT, keys, *arguments))

    async def forgive(self, clean: Sequence[str], lessen: Sequence[str]) -> None:
        """Reset the attempts of the keys `clean`, and undo the last one of the keys `lessen`.

        Raises:
            CountersUnavailable: when the server does not respond.
        """
        if clean:
            await self._run("return redis.call('DEL', unpack(KEYS))", clean)
        for key in lessen:
            await self._run(_LESSEN, [key])

    async def _run(self, script: str, keys: Sequence[str], *arguments: float) -> str:
        if not self._breaker.admits():
            raise CountersUnavailable
        named = [_PREFIX + key for key in keys]
        try:
            # The client's type also allows a synchronous result.
            asking = cast("Awaitable[str]", self._client.eval(script, len(named), *named, *map(str, arguments)))
            async with asyncio.timeout(_BUDGET_SECONDS):
                counted = await asking
        except (RedisError, OSError) as error:
            if self._breaker.failed():
                log.warning("redis does not respond, attempts are counted in postgres", error=str(error))
            raise CountersUnavailable from error
        self._breaker.succeeded()
        return counted

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

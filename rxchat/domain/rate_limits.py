"""Rate limits: how often something may be tried, as values."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class CountersUnavailable(Exception):
    """The counters do not respond; the caller has to use other ones."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """How pauses grow after the free attempts: each doubles the previous one."""

    base_seconds: float = 1.0
    cap_seconds: float = 900.0
    forget_seconds: float = 3600.0
    """Without an attempt for this long, counting starts at zero."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """The number of free attempts: for the target, from a known device, from an address, from a network."""

    subject: int = 5
    device: int = 10
    address: int = 20
    network: int = 100


class RateLimitCounters(Protocol):
    """Counts attempts for all processes."""

    async def count(self, keys: Sequence[str], free: Sequence[int], pace: Backoff) -> float:
        """Count an attempt under each key. Returns for how many seconds it is refused (then it is not counted), or 0.

        Raises:
            CountersUnavailable: when the counters do not respond.
        """
        ...

    async def forgive(self, clean: Sequence[str], lessen: Sequence[str]) -> None:
        """Reset the counts of some keys, and subtract the last attempt from others.

        Raises:
            CountersUnavailable: when the counters do not respond.
        """
        ...


def network_of(address: str) -> str:
    """Return the network of an address: a /24, or a /48 of IPv6."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return str(ipaddress.ip_network((parsed, 24 if parsed.version == 4 else 48), strict=False))


def host_of(address: str) -> str:
    """Return what counts as one address: an IPv4 address, or the /64 of an IPv6 subscriber."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def format_wait(seconds: float) -> str:
    """Return a waiting time in words, such as "5 minutes"."""
    if seconds < 90:
        whole = max(1, round(seconds + 0.49))
        return "1 second" if whole == 1 else f"{whole} seconds"
    return f"{round(seconds / 60 + 0.49)} minutes"


class TokenBucket:
    """A token bucket: allows a burst, then a rate (https://en.wikipedia.org/wiki/Token_bucket)."""

    def __init__(self, most: float, a_second: float) -> None:
        self._most, self._a_second = most, a_second
        self._left, self._filled_at = most, time.monotonic()

    def take(self, count: float = 1) -> None:
        """Take tokens, possibly more than the bucket has; then it takes longer until new ones are available."""
        self._fill()
        self._left -= count

    @property
    def is_used(self) -> bool:
        """Whether at least a quarter is used."""
        self._fill()
        return self._left < 0.75 * self._most

    def seconds_until_more(self) -> float:
        """Return for how many seconds no tokens are available."""
        self._fill()
        return max(0.0, -self._left / self._a_second)

    def _fill(self) -> None:
        now = time.monotonic()
        self._left = min(self._most, self._left + (now - self._filled_at) * self._a_second)
        self._filled_at = now

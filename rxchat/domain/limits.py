"""How often something may be tried: the rules, as values."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class CountersUnavailable(Exception):
    """Whatever counts attempts does not answer; somebody else has to."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """How the pauses grow once the free attempts are used up: each is twice the one before."""

    base_seconds: float = 1.0
    cap_seconds: float = 900.0
    forget_seconds: float = 3600.0
    """After so long without an attempt, counting begins anew."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """How many attempts are free: for the thing that is tried, from a device that is known, an address, a network."""

    subject: int = 5
    device: int = 10
    address: int = 20
    network: int = 100


class RateLimitCounters(Protocol):
    """Counts attempts for all processes."""

    async def count(self, keys: Sequence[str], free: Sequence[int], pace: Backoff) -> float:
        """Count an attempt under each key; return for how many seconds it is refused (then it was not counted), or 0.

        Raises:
            CountersUnavailable: when nobody can count just now.
        """
        ...

    async def forgive(self, clean: Sequence[str], lessen: Sequence[str]) -> None:
        """Forget all attempts under some keys, and the last one under others.

        Raises:
            CountersUnavailable: when nobody can count just now.
        """
        ...


def network_of(address: str) -> str:
    """Return the network that an address shares with its neighbours: a /24, or a /48 of IPv6."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return str(ipaddress.ip_network((parsed, 24 if parsed.version == 4 else 48), strict=False))


def host_of(address: str) -> str:
    """Return what counts as one address: an IPv4 address, or the /64 that one subscriber of IPv6 has to themselves."""
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
    """Return when to come back, in words."""
    if seconds < 90:
        whole = max(1, round(seconds + 0.49))
        return "1 second" if whole == 1 else f"{whole} seconds"
    return f"{round(seconds / 60 + 0.49)} minutes"


class TokenBucket:
    """Lets so much through at once, and then so much a second (https://en.wikipedia.org/wiki/Token_bucket)."""

    def __init__(self, most: float, a_second: float) -> None:
        self._most, self._a_second = most, a_second
        self._left, self._filled_at = most, time.monotonic()

    def take(self, count: float = 1) -> None:
        """Take tokens; it may be more than there are, and then it is some time until there are any."""
        self._fill()
        self._left -= count

    @property
    def is_used(self) -> bool:
        """Whether a quarter of it is used up."""
        self._fill()
        return self._left < 0.75 * self._most

    def seconds_until_more(self) -> float:
        """Return for how long nothing more may be taken."""
        self._fill()
        return max(0.0, -self._left / self._a_second)

    def _fill(self) -> None:
        now = time.monotonic()
        self._left = min(self._most, self._left + (now - self._filled_at) * self._a_second)
        self._filled_at = now

"""Stored passwords: bcrypt over an HMAC-SHA-256 with a pepper that is not in the database."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import bcrypt

from rxchat.domain.errors import TooManyAttempts

_Result = TypeVar("_Result")

_NICE = 10
_WAITING_AT_MOST = 100


class Passwords:
    """Hashes and verifies passwords, a few at a time, in threads.

    The stored form is "<pepper>:<bcrypt>", with the first 8 hexadecimal digits of the pepper's hash, so that a pepper
    can be replaced: a password with an earlier one is hashed again at the next sign-in.
    """

    def __init__(self, pepper: bytes, *, rounds: int = 12, previous: Sequence[bytes] = ()) -> None:
        """Store the pepper and the previous ones; `rounds` is bcrypt's cost as a power of two."""
        self._peppers = {_name(item): item for item in (*reversed(previous), pepper)}
        self._current = _name(pepper)
        self._rounds = rounds
        # At most half of the cores, with low priority: streaming answers come first.
        self._workers = ThreadPoolExecutor(
            max(1, (os.cpu_count() or 2) // 2), thread_name_prefix="bcrypt", initializer=_give_way
        )
        self._waiting = 0
        nobodys = bcrypt.hashpw(self._digest(os.urandom(16).hex(), self._current), bcrypt.gensalt(rounds))
        self._nobodys = nobodys.decode()

    def _digest(self, password: str, pepper: str) -> bytes:
        # bcrypt reads 72 bytes and stops at NUL: 44 characters of base64 contain the whole password's digest.
        keyed = hmac.new(self._peppers[pepper], password.encode("utf-8", "surrogatepass"), hashlib.sha256)
        return base64.b64encode(keyed.digest())

    async def hash(self, password: str) -> str:
        """Return the hash to store."""
        digest = self._digest(password, self._current)
        hashed = await self._beside(partial(bcrypt.hashpw, digest, bcrypt.gensalt(self._rounds)))
        return f"{self._current}:{hashed.decode()}"

    async def matches(self, password: str, stored: str | None) -> bool:
        """Whether the password is correct; without a stored hash, or with an unknown pepper, it takes the same time.

        Raises:
            TooManyAttempts: when too many verifications are waiting.
        """
        pepper, hashed = _parts(stored or "", self._current)
        is_known = pepper in self._peppers and bool(hashed)
        digest = self._digest(password, pepper if is_known else self._current)
        same = await self._beside(partial(bcrypt.checkpw, digest, (hashed if is_known else self._nobodys).encode()))
        return same and is_known

    def is_outdated(self, stored: str) -> bool:
        """Whether a hash has another pepper or cost than the current ones."""
        return not stored.startswith(f"{self._current}:$2b${self._rounds:02}$")

    async def _beside(self, work: Callable[[], _Result]) -> _Result:
        if self._waiting >= _WAITING_AT_MOST:
            raise TooManyAttempts("Very many users are signing in just now. Please try again in a minute.")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._workers, work)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Stop the threads."""
        self._workers.shutdown(wait=False, cancel_futures=True)


def _name(pepper: bytes) -> str:
    return hashlib.sha256(b"rxchat pepper " + pepper).hexdigest()[:8]


def _parts(stored: str, current: str) -> tuple[str, str]:
    """Split a stored hash; the oldest ones have no pepper's name."""
    pepper, colon, hashed = stored.partition(":")
    return (pepper, hashed) if colon else (current, stored)


def _give_way() -> None:
    # On Linux this is the thread's own niceness (sched(7)); on other systems that of the whole process.
    if hasattr(os, "setpriority") and hasattr(os, "sched_getaffinity"):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)

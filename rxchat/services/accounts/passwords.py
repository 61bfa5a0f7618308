"""Passwords at rest: bcrypt over an HMAC-SHA-256 with a pepper that is not in the database."""

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
    """Hashes and checks passwords, a few at a time and beside the event loop.

    What is stored is "<pepper>:<bcrypt>", with the first 8 hexadecimal digits of the pepper's own hash, so that a
    pepper can be replaced: whoever signs in with an old one is hashed anew.
    """

    def __init__(self, pepper: bytes, *, rounds: int = 12, previous: Sequence[bytes] = ()) -> None:
        """Keep the pepper, and those it replaced; `rounds` is bcrypt's cost as a power of two."""
        self._peppers = {_name(item): item for item in (*reversed(previous), pepper)}
        self._current = _name(pepper)
        self._rounds = rounds
        # Half the cores at most, and those only when nothing else wants them: the answers that stream go first.
        self._workers = ThreadPoolExecutor(
            max(1, (os.cpu_count() or 2) // 2), thread_name_prefix="bcrypt", initializer=_give_way
        )
        self._waiting = 0
        nobodys = bcrypt.hashpw(self._digest(os.urandom(16).hex(), self._current), bcrypt.gensalt(rounds))
        self._nobodys = nobodys.decode()

    def _digest(self, password: str, pepper: str) -> bytes:
        # bcrypt reads 72 bytes and stops at NUL: 44 characters of base64 hold the whole password's digest.
        keyed = hmac.new(self._peppers[pepper], password.encode("utf-8", "surrogatepass"), hashlib.sha256)
        return base64.b64encode(keyed.digest())

    async def hash(self, password: str) -> str:
        """Return what may be stored of a password."""
        digest = self._digest(password, self._current)
        hashed = await self._beside(partial(bcrypt.hashpw, digest, bcrypt.gensalt(self._rounds)))
        return f"{self._current}:{hashed.decode()}"

    async def matches(self, password: str, stored: str | None) -> bool:
        """Whether it is the password; with nothing stored, or an unknown pepper, it takes as long to say no.

        Raises:
            TooManyAttempts: when very many wait for their turn already.
        """
        pepper, hashed = _parts(stored or "", self._current)
        is_known = pepper in self._peppers and bool(hashed)
        digest = self._digest(password, pepper if is_known else self._current)
        same = await self._beside(partial(bcrypt.checkpw, digest, (hashed if is_known else self._nobodys).encode()))
        return same and is_known

    def is_outdated(self, stored: str) -> bool:
        """Whether a hash was made with another pepper or cost than today's."""
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
        """End the threads."""
        self._workers.shutdown(wait=False, cancel_futures=True)


def _name(pepper: bytes) -> str:
    return hashlib.sha256(b"rxchat pepper " + pepper).hexdigest()[:8]


def _parts(stored: str, current: str) -> tuple[str, str]:
    """Split what is stored; the first ones were stored without the pepper's name."""
    pepper, colon, hashed = stored.partition(":")
    return (pepper, hashed) if colon else (current, stored)


def _give_way() -> None:
    # On Linux this is the thread's own niceness (sched(7)); elsewhere it would be the whole process's.
    if hasattr(os, "setpriority") and hasattr(os, "sched_getaffinity"):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)

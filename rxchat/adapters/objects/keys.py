"""What the key of an object looks like: two hex digits, a slash, and many more; nothing else ever reaches a store."""

from __future__ import annotations

import re
import secrets

SHARD = re.compile(r"[0-9a-f]{2}")
NAME = re.compile(r"[0-9a-f]{8,128}")
_KEY = re.compile(rf"{SHARD.pattern}/{NAME.pattern}")


def is_key(text: str) -> bool:
    """Whether this could be a key of ours."""
    return _KEY.fullmatch(text) is not None


def checked(key: str) -> str:
    """Return the key as it is.

    Raises:
        ValueError: when it is none of ours, so that no key leads out of the folder or bucket, even by mistake.
    """
    if not is_key(key):
        raise ValueError("this is not the key of an object")
    return key


def random_key() -> str:
    """Return a key that nobody has."""
    digits = secrets.token_hex(32)
    return f"{digits[:2]}/{digits}"

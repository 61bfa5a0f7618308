"""Keys of objects: two hex digits, a slash, and many more; stores accept no other keys."""

from __future__ import annotations

import re
import secrets

SHARD = re.compile(r"[0-9a-f]{2}")
NAME = re.compile(r"[0-9a-f]{8,128}")
_KEY = re.compile(rf"{SHARD.pattern}/{NAME.pattern}")


def is_key(text: str) -> bool:
    """Whether a text has the form of an object's key."""
    return _KEY.fullmatch(text) is not None


def checked(key: str) -> str:
    """Return the key if it is valid.

    Raises:
        ValueError: if it is not, so that no key leads out of the folder or bucket, even by mistake.
    """
    if not is_key(key):
        raise ValueError("this is not the key of an object")
    return key


def random_key() -> str:
    """Return a new random key."""
    digits = secrets.token_hex(32)
    return f"{digits[:2]}/{digits}"

"""Envelope encryption of files: a key for each file encrypts its parts, and a master key encrypts that key.

Everything uses AES-256-GCM with random 96-bit nonces. NIST SP 800-38D, 8.3, allows at most 2^32 of these for a key: a
file has far fewer parts (2 MiB each, even a terabyte is 2^19), and a master key encrypts one small key for each file.
Owner, file and position are associated data, so parts and keys cannot be exchanged.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16
_VERSION = b"\x01"
SEALED_OVERHEAD_BYTES = len(_VERSION) + _NONCE_BYTES + _TAG_BYTES
"""How much longer an encrypted part is than its content."""

_KEY_ID_DIGITS = 8
_KEY_ID_TAG = b"rxchat master key id v1"
_WRAP_TAG = b"rxchat file key v1"
_PART_TAG = b"rxchat file part v1"


class DecryptionFailed(Exception):
    """Decryption failed: the data was altered, cut or moved, or its key is missing."""


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A file's encrypted key, and the id of the master key that encrypted it."""

    key_id: str
    sealed: bytes


class KeyRing:
    """Encrypts the keys of files with the current master key, and decrypts them with earlier ones, too."""

    def __init__(self, present: bytes, previous: Sequence[bytes] = ()) -> None:
        """Store the keys.

        Raises:
            ValueError: when one does not have 32 bytes.
        """
        if any(len(key) != KEY_BYTES for key in (present, *previous)):
            raise ValueError("a master key has 32 bytes")
        self._keys = (present, *previous)
        self.key_id = key_id(present)
        """The id of the current key."""

    def __repr__(self) -> str:
        """Show the ids of the keys, not the keys."""
        return f"KeyRing({', '.join(map(key_id, self._keys))})"

    def wrap(self, file_key: bytes, owner: str, file: str) -> WrappedKey:
        """Encrypt a file's key for its owner and file.

        Each call uses one of the master key's 2^32 random nonces (NIST SP 800-38D, 8.3).
        """
        nonce = os.urandom(_NONCE_BYTES)
        sealed = AESGCM(self._keys[0]).encrypt(nonce, file_key, _bound(_WRAP_TAG, owner, file))
        return WrappedKey(self.key_id, nonce + sealed)

    def unwrap(self, wrapped: WrappedKey, owner: str, file: str) -> bytes:
        """Decrypt a file's key.

        Raises:
            DecryptionFailed: when no key matches, or it was altered, or moved to another owner or file.
        """
        nonce, sealed = wrapped.sealed[:_NONCE_BYTES], wrapped.sealed[_NONCE_BYTES:]
        # Two keys may have the same eight digits, though rarely.
        for key in self._keys:
            if key_id(key) == wrapped.key_id:
                try:
                    return AESGCM(key).decrypt(nonce, sealed, _bound(_WRAP_TAG, owner, file))
                except (InvalidTag, ValueError):
                    continue
        raise DecryptionFailed

    def rewrap(self, wrapped: WrappedKey, owner: str, file: str) -> WrappedKey:
        """Encrypt it with the current key, so that an earlier one can be removed; unchanged if it already is.

        Raises:
            DecryptionFailed: as `unwrap` does.
        """
        file_key = self.unwrap(wrapped, owner, file)
        return wrapped if wrapped.key_id == self.key_id else self.wrap(file_key, owner, file)


def key_id(key: bytes) -> str:
    """Return the eight-digit id of a master key, which reveals nothing about the key."""
    return hashlib.sha256(_KEY_ID_TAG + key).hexdigest()[:_KEY_ID_DIGITS]


def new_file_key() -> bytes:
    """Return a random key for one file."""
    return os.urandom(KEY_BYTES)


def seal_part(file_key: bytes, file: str, offset: int, size: int, plain: bytes) -> bytes:
    """Encrypt a part of a file with `size` bytes at `offset`: version, random nonce, ciphertext.

    A file's key may encrypt 2^32 parts with random nonces (NIST SP 800-38D, 8.3), including repeated ones.

    Raises:
        ValueError: when the part does not have this size.
    """
    if len(plain) != size:
        raise ValueError("a part has the size that it is sealed with")
    nonce = os.urandom(_NONCE_BYTES)
    return _VERSION + nonce + AESGCM(file_key).encrypt(nonce, plain, _part(file, offset, size))


def open_part(file_key: bytes, file: str, offset: int, size: int, sealed: bytes) -> bytes:
    """Decrypt the part of a file with `size` bytes at `offset`.

    Raises:
        DecryptionFailed: when it was altered or cut, or is another part, or has another key.
    """
    if len(sealed) != size + SEALED_OVERHEAD_BYTES or not sealed.startswith(_VERSION):
        raise DecryptionFailed
    nonce_end = len(_VERSION) + _NONCE_BYTES
    nonce, content = sealed[len(_VERSION) : nonce_end], sealed[nonce_end:]
    try:
        return AESGCM(file_key).decrypt(nonce, content, _part(file, offset, size))
    except InvalidTag as error:
        raise DecryptionFailed from error


def _part(file: str, offset: int, size: int) -> bytes:
    return _bound(_PART_TAG, file) + _VERSION + struct.pack(">QQ", offset, size)


def _bound(tag: bytes, *names: str) -> bytes:
    # Each with its length, so that different lists of names have different encodings.
    return b"".join(struct.pack(">I", len(part)) + part for part in (tag, *(name.encode() for name in names)))

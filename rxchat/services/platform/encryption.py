"""Secrets at rest: sealed for one purpose and one owner with AES-256-GCM, and keyed hashes of what need not be read."""

from __future__ import annotations

import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12


class DecryptionFailed(Exception):
    """What is stored was not sealed by this installation's key, or not for this owner."""


class SecretBox:
    """Seals and opens with keys derived from the installation's secret."""

    def __init__(self, secret: bytes) -> None:
        """Keep the secret that all keys come from."""
        self._secret = secret

    def key(self, purpose: str) -> bytes:
        """Return 32 bytes for a purpose, the same each time."""
        return hmac.new(self._secret, b"rxchat vault v1 " + purpose.encode(), hashlib.sha256).digest()

    def seal(self, purpose: str, owner: str, secret: bytes) -> bytes:
        """Return what may be stored; it opens only for the same purpose and owner."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(self.key(purpose)).encrypt(nonce, secret, owner.encode())

    def open(self, purpose: str, owner: str, sealed: bytes) -> bytes:
        """Return what was sealed.

        Raises:
            Broken: when it was altered, moved to another owner, or sealed with another key.
        """
        try:
            return AESGCM(self.key(purpose)).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], owner.encode())
        except (InvalidTag, ValueError) as error:
            raise DecryptionFailed from error

    def digest(self, purpose: str, secret: str) -> bytes:
        """Return the keyed hash of a random secret that is compared and never read (a key, a code, a link)."""
        return hmac.new(self.key(purpose), secret.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()

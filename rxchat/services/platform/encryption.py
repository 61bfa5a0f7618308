"""Encryption of secrets for one purpose and one owner (AES-256-GCM), and keyed hashes."""

from __future__ import annotations

import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12


class DecryptionFailed(Exception):
    """The data was encrypted with another key, or for another owner."""


class SecretBox:
    """Encrypts and decrypts with keys derived from the installation's secret."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def key(self, purpose: str) -> bytes:
        """Return the 32-byte key for a purpose, always the same."""
        return hmac.new(self._secret, b"rxchat vault v1 " + purpose.encode(), hashlib.sha256).digest()

    def seal(self, purpose: str, owner: str, secret: bytes) -> bytes:
        """Encrypt data; it can be decrypted only for the same purpose and owner."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(self.key(purpose)).encrypt(nonce, secret, owner.encode())

    def open(self, purpose: str, owner: str, sealed: bytes) -> bytes:
        """Decrypt data.

        Raises:
            DecryptionFailed: when it was altered, moved to another owner, or encrypted with another key.
        """
        try:
            return AESGCM(self.key(purpose)).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], owner.encode())
        except (InvalidTag, ValueError) as error:
            raise DecryptionFailed from error

    def digest(self, purpose: str, secret: str) -> bytes:
        """Return the keyed hash of a random secret that is only compared (a key, a code, a link)."""
        return hmac.new(self.key(purpose), secret.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()

"""Ed25519 signatures (RFC 8032) of files that leave the instance, with a key that each of them names."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


class SigningKey:
    """A private key of this instance."""

    def __init__(self, seed: bytes) -> None:
        """Derive the key from 32 secret bytes."""
        self._key = Ed25519PrivateKey.from_private_bytes(seed)

    @property
    def public_key(self) -> str:
        """The public key in hexadecimal."""
        return self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()

    def sign(self, data: bytes) -> str:
        """Return the signature of the data in hexadecimal."""
        return self._key.sign(data).hex()


def is_signed(public_key: str, data: bytes, signature: str) -> bool:
    """Whether the owner of a public key has signed exactly this data; False for keys and signatures that are none."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        key.verify(bytes.fromhex(signature), data)
    except (InvalidSignature, ValueError):
        return False
    return True

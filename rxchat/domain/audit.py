"""The audit log as a hash chain with signatures, and the verification of its exports.

Each row's hash is SHA-256 over the previous hash and every field of the row (alembic/sql/audit_hash.sql computes the
same). A checkpoint is an Ed25519 signature (RFC 8032) of a row's number and hash. An export is lines of JSON: a head
with the public key, the rows in order with checkpoints among them, and a signed end. Without the key, changing,
removing, moving or truncating rows is detected, and the verification names the first wrong row.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

FORMAT = "rxchat audit v1"
START = bytes(32)
"""The "previous hash" of the first row."""
CHECKPOINT_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the audit log."""

    seq: int
    id: str
    at: str
    """UTC with microseconds: 2026-01-31T12:00:00.000000Z."""
    actor: str
    action: str
    address: str
    correlation_id: str
    data: str
    """JSON, with exactly the characters that were hashed."""
    hash: bytes

    def computed_hash(self, previous: bytes) -> bytes:
        """Return the hash that this row must have after a row with the hash `previous`."""
        fields = (
            str(self.seq), self.id, self.at, self.actor, self.action, self.address, self.correlation_id, self.data,
        )  # fmt: skip
        encoded = [field.encode() for field in fields]
        return hashlib.sha256(previous + b"".join(b"%d:%b" % (len(field), field) for field in encoded)).digest()


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signature of the chain up to one row."""

    seq: int
    hash: bytes
    signed_at: str
    signature: bytes


class Signer:
    """Signs checkpoints with the installation's key."""

    def __init__(self, seed: bytes) -> None:
        """Derive the key from 32 secret bytes."""
        self._key = Ed25519PrivateKey.from_private_bytes(seed)

    @property
    def public_key(self) -> str:
        """The public key in hexadecimal, with which an export can be verified."""
        return self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()

    def sign(self, seq: int, row_hash: bytes, signed_at: str) -> Checkpoint:
        """Return a checkpoint of the chain at this row."""
        return Checkpoint(seq, row_hash, signed_at, self._key.sign(_signed(seq, row_hash, signed_at)))


def _signed(seq: int, row_hash: bytes, signed_at: str) -> bytes:
    return f"{FORMAT}\n{seq}\n{row_hash.hex()}\n{signed_at}".encode()


class ChainInvalid(Exception):
    """The export was altered; the message names the first wrong row."""

    def __init__(self, message: str, seq: int) -> None:
        super().__init__(message)
        self.seq = seq


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of verifying an export."""

    rows: int
    checkpoints: int
    public_key: str


def head_line(public_key: str) -> str:
    """Return the first line of an export."""
    return json.dumps({"format": FORMAT, "public_key": public_key})


def entry_line(entry: Entry) -> str:
    """Return a row as a line of an export."""
    return json.dumps(
        {
            "seq": entry.seq,
            "id": entry.id,
            "at": entry.at,
            "actor": entry.actor,
            "action": entry.action,
            "address": entry.address,
            "correlation_id": entry.correlation_id,
            "data": entry.data,
            "hash": entry.hash.hex(),
        },
        ensure_ascii=False,
    )


def checkpoint_line(checkpoint: Checkpoint, *, is_end: bool = False) -> str:
    """Return a checkpoint, or the signed end, as a line of an export."""
    return json.dumps(
        {
            "end" if is_end else "checkpoint": checkpoint.seq,
            "hash": checkpoint.hash.hex(),
            "signed_at": checkpoint.signed_at,
            "signature": checkpoint.signature.hex(),
        }
    )


def verify(lines: Iterable[str], *, public_key: str = "") -> Verdict:
    """Verify that an export is complete and unchanged.

    Without `public_key`, the key in the export is used: then the verification does not show which installation it is
    from.

    Raises:
        ChainInvalid: names the first row that was altered, removed, moved or cut off.
    """
    written = (line for line in lines if line.strip())
    try:
        head = _parsed(next(written, ""))
    except ValueError:
        head = {}
    if head.get("format") != FORMAT or not isinstance(head.get("public_key"), str):
        raise ChainInvalid("This is not an export of an RxChat audit log: its first line is missing.", 1)
    if public_key and head["public_key"] != public_key:
        raise ChainInvalid("The export was signed with another key than the given one.", 1)
    return ChainVerifier(head["public_key"]).through(written)


class ChainVerifier:
    """Verifies an export's lines in one pass."""

    def __init__(self, public_key: str) -> None:
        self.public_key = public_key
        try:
            self._key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        except ValueError as error:
            raise ChainInvalid("The export contains no valid key.", 1) from error
        self.seq, self.hash = 0, START
        self.checkpoints = 0
        self.signed_seq = 0

    def through(self, lines: Iterator[str]) -> Verdict:
        """Verify all lines and return the result.

        Raises:
            ChainInvalid: at the first line that was changed, removed or added.
        """
        is_ended = False
        for line in lines:
            if is_ended:
                raise ChainInvalid(f"Something was added after row {self.seq}.", self.seq + 1)
            try:
                is_ended = self._step(_parsed(line))
            except (KeyError, TypeError, ValueError) as error:
                raise ChainInvalid(f"The line after row {self.seq} is invalid.", self.seq + 1) from error
        if not is_ended:
            raise ChainInvalid(f"The export ends after row {self.seq}: its signed end is missing.", self.seq + 1)
        return Verdict(self.seq, self.checkpoints, self.public_key)

    def _step(self, line: dict[str, Any]) -> bool:
        wants_signature = self.seq > 0 and self.seq % CHECKPOINT_ROWS == 0 and self.signed_seq < self.seq
        if wants_signature and "checkpoint" not in line:
            raise ChainInvalid(f"The signature of row {self.seq} is missing.", self.seq)
        if "checkpoint" in line or "end" in line:
            self._check(line, int(line["end" if "end" in line else "checkpoint"]))
            return "end" in line
        self._follow(
            Entry(
                int(line["seq"]),
                str(line["id"]),
                str(line["at"]),
                str(line["actor"]),
                str(line["action"]),
                str(line["address"]),
                str(line["correlation_id"]),
                str(line["data"]),
                bytes.fromhex(line["hash"]),
            )
        )
        return False

    def _follow(self, entry: Entry) -> None:
        expected = self.seq + 1
        if entry.seq != expected:
            what = "was removed" if entry.seq > expected else "is not in its place"
            raise ChainInvalid(f"Row {expected} {what}: row {entry.seq} is there instead.", expected)
        if entry.computed_hash(self.hash) != entry.hash:
            raise ChainInvalid(f"Row {expected} was altered: its hash does not match.", expected)
        self.seq, self.hash = entry.seq, entry.hash

    def _check(self, line: dict[str, Any], seq: int) -> None:
        row_hash = bytes.fromhex(line["hash"])
        try:
            self._key.verify(bytes.fromhex(line["signature"]), _signed(seq, row_hash, str(line["signed_at"])))
        except InvalidSignature as error:
            raise ChainInvalid(f"The signature of row {seq} is invalid.", max(seq, 1)) from error
        if seq > self.seq:
            raise ChainInvalid(f"Row {self.seq + 1} is missing: a signature refers to row {seq}.", self.seq + 1)
        if seq < self.seq or row_hash != self.hash:
            raise ChainInvalid(f"The rows up to {seq} differ from the signed ones.", min(seq, self.seq) or 1)
        self.checkpoints += 1
        self.signed_seq = seq


def _parsed(line: str) -> dict[str, Any]:
    found = json.loads(line)
    if not isinstance(found, dict):
        raise ValueError("a line is no object")  # noqa: TRY004 - as what json itself says of such a line
    return found

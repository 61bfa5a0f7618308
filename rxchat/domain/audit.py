"""The audit as a chain of hashes with signatures over it, and the proof that an export of it is whole.

Each row's hash is SHA-256 over the hash before it and every field of the row (alembic/sql/audit_hash.sql computes the
same); a checkpoint is an Ed25519 signature (RFC 8032) over a row's number and hash. An export is lines of JSON: a head
with the public key, the rows in order, checkpoints among them, and a signed end. Whoever changes, removes, moves or
cuts off a row without the key is found out, and so is where.
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
"""What the first row has in place of the hash before it."""
CHECKPOINT_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the audit."""

    seq: int
    id: str
    at: str
    """UTC with microseconds: 2026-01-31T12:00:00.000000Z."""
    actor: str
    action: str
    address: str
    correlation_id: str
    data: str
    """JSON, in exactly the characters that were hashed."""
    hash: bytes

    def computed_hash(self, previous: bytes) -> bytes:
        """Return the hash that the row must have after the one before it."""
        fields = (
            str(self.seq), self.id, self.at, self.actor, self.action, self.address, self.correlation_id, self.data,
        )  # fmt: skip
        encoded = [field.encode() for field in fields]
        return hashlib.sha256(previous + b"".join(b"%d:%b" % (len(field), field) for field in encoded)).digest()


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signature over the chain as it was at one row."""

    seq: int
    hash: bytes
    signed_at: str
    signature: bytes


class Signer:
    """Signs checkpoints with this installation's key."""

    def __init__(self, seed: bytes) -> None:
        """Make the key out of 32 secret bytes."""
        self._key = Ed25519PrivateKey.from_private_bytes(seed)

    @property
    def public_key(self) -> str:
        """The public key in hexadecimal: what an export is checked against."""
        return self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()

    def sign(self, seq: int, row_hash: bytes, signed_at: str) -> Checkpoint:
        """Return a checkpoint over the chain at this row."""
        return Checkpoint(seq, row_hash, signed_at, self._key.sign(_signed(seq, row_hash, signed_at)))


def _signed(seq: int, row_hash: bytes, signed_at: str) -> bytes:
    return f"{FORMAT}\n{seq}\n{row_hash.hex()}\n{signed_at}".encode()


class ChainInvalid(Exception):
    """The export is not what was written; the message says from which row on."""

    def __init__(self, message: str, seq: int) -> None:
        """Keep which row is the first that is wrong."""
        super().__init__(message)
        self.seq = seq


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was proved of an export."""

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
    """Prove that an export is whole and as it was written, without asking anybody.

    Without a public key the one of the export is believed: then only its owner's word says whose it is.

    Raises:
        ChainInvalid: naming the first row that was altered, removed, moved or cut off.
    """
    written = (line for line in lines if line.strip())
    try:
        head = _parsed(next(written, ""))
    except ValueError:
        head = {}
    if head.get("format") != FORMAT or not isinstance(head.get("public_key"), str):
        raise ChainInvalid("This is not an export of an RxChat audit: its first line is missing.", 1)
    if public_key and head["public_key"] != public_key:
        raise ChainInvalid("The export names another key than the one it is checked against.", 1)
    return ChainVerifier(head["public_key"]).through(written)


class ChainVerifier:
    """One pass over an export's lines."""

    def __init__(self, public_key: str) -> None:
        self.public_key = public_key
        try:
            self._key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        except ValueError as error:
            raise ChainInvalid("The export names no usable key.", 1) from error
        self.seq, self.hash = 0, START
        self.checkpoints = 0
        self.signed_seq = 0

    def through(self, lines: Iterator[str]) -> Verdict:
        """Check all lines and return what they prove.

        Raises:
            ChainInvalid: at the first one that was changed, left out or added.
        """
        is_ended = False
        for line in lines:
            if is_ended:
                raise ChainInvalid(f"Something was added after row {self.seq}.", self.seq + 1)
            try:
                is_ended = self._step(_parsed(line))
            except (KeyError, TypeError, ValueError) as error:
                raise ChainInvalid(f"What follows row {self.seq} cannot be read.", self.seq + 1) from error
        if not is_ended:
            raise ChainInvalid(f"The export was cut off after row {self.seq}: its signed end is missing.", self.seq + 1)
        return Verdict(self.seq, self.checkpoints, self.public_key)

    def _step(self, line: dict[str, Any]) -> bool:
        wants_signature = self.seq > 0 and self.seq % CHECKPOINT_ROWS == 0 and self.signed_seq < self.seq
        if wants_signature and "checkpoint" not in line:
            raise ChainInvalid(f"The signature over row {self.seq} is missing.", self.seq)
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
            raise ChainInvalid(f"Row {expected} {what}: row {entry.seq} stands there.", expected)
        if entry.computed_hash(self.hash) != entry.hash:
            raise ChainInvalid(f"Row {expected} was altered: its hash does not fit.", expected)
        self.seq, self.hash = entry.seq, entry.hash

    def _check(self, line: dict[str, Any], seq: int) -> None:
        row_hash = bytes.fromhex(line["hash"])
        try:
            self._key.verify(bytes.fromhex(line["signature"]), _signed(seq, row_hash, str(line["signed_at"])))
        except InvalidSignature as error:
            raise ChainInvalid(f"The signature over row {seq} is not right.", max(seq, 1)) from error
        if seq > self.seq:
            raise ChainInvalid(f"Row {self.seq + 1} was cut off: a signature speaks of row {seq}.", self.seq + 1)
        if seq < self.seq or row_hash != self.hash:
            raise ChainInvalid(f"The rows up to {seq} are not those that were signed.", min(seq, self.seq) or 1)
        self.checkpoints += 1
        self.signed_seq = seq


def _parsed(line: str) -> dict[str, Any]:
    found = json.loads(line)
    if not isinstance(found, dict):
        raise ValueError("a line is no object")  # noqa: TRY004 - as what json itself says of such a line
    return found

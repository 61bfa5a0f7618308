"""Requests with an Idempotency-Key: their claims and their answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """A request that was made with a key, and its answer; no status while it is in progress."""

    request_hash: bytes
    status: int | None
    headers: dict[str, Any]
    body: bytes | None


@dataclass(frozen=True, slots=True)
class KeyClaim:
    """A process's claim of a key for a request that it makes."""

    owner_id: UUID
    key: str
    claim_id: UUID
    request_id: UUID
    """For what the request makes: the same when another process makes the request again."""

    @property
    def named(self) -> dict[str, Any]:
        """The values that a statement needs to find it."""
        return {"owner": self.owner_id, "key": self.key, "claim": self.claim_id}

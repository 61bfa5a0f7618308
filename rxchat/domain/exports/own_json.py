"""RxChat's own JSON of a conversation, signed, so that an import can say whether it was changed.

The signature covers SHA-256 of the conversation's parts, each as canonical JSON (sorted keys, no spaces) on a line of its own:
the facts about the conversation, then each message, then each event. So it can be written and checked part by part, and
survives programs that only indent the file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from rxchat.domain.exports.conversation import ExportedConversation, StoredEvent
from rxchat.domain.messages import ThreadMessage
from rxchat.domain.signatures import SigningKey, is_signed

FORMAT = "rxchat-conversation"
VERSION = 1
ALGORITHM = "Ed25519 of SHA-256"
# Which host failed, and how: only administrators of this instance may know it.
_LEFT_OUT = {"error_code", "error_detail"}
_MESSAGE_FIELDS = [item.name for item in fields(ThreadMessage) if item.name not in {"seq", "versions", *_LEFT_OUT}]
_PARTS = ("messages", "events")


def pieces(conversation: ExportedConversation, key: SigningKey, exported_at: datetime) -> Iterator[bytes]:
    """Return the file of a conversation in pieces, in UTF-8."""
    head = _head(conversation)
    digest = _Digest(head)
    yield f'{{"format": "{FORMAT}", "version": {VERSION}, "exported_at": {_text(exported_at)},\n"conversation": '.encode()
    yield _text(head)[:-1].encode()
    parts: tuple[tuple[str, Iterable[dict[str, Any]]], ...] = (
        ("messages", (_message(conversation.id, message) for message in conversation.messages)),
        ("events", (_event(event) for event in conversation.events)),
    )
    for name, items in parts:
        digest.begin(name)
        yield f',\n"{name}": ['.encode()
        separator = "\n"
        for item in items:
            digest.add(item)
            yield (separator + _text(item)).encode()
            separator = ",\n"
        yield b"]"
    signature = {"algorithm": ALGORITHM, "public_key": key.public_key, "value": key.sign(digest.signed)}
    yield f'}},\n"signature": {_text(signature)}}}\n'.encode()


def signed_by(file: dict[str, Any]) -> str | None:
    """Return the public key of the instance that signed this file as it is.

    Returns "" if it was changed afterwards, None if it has no signature.
    """
    signature, conversation = file.get("signature"), file.get("conversation")
    if not isinstance(signature, dict) or not isinstance(conversation, dict):
        return None
    digest = _Digest({name: value for name, value in conversation.items() if name not in _PARTS})
    for name in _PARTS:
        digest.begin(name)
        for item in conversation.get(name) or []:
            digest.add(item)
    key = str(signature.get("public_key", ""))
    return key if is_signed(key, digest.signed, str(signature.get("value", ""))) else ""


class _Digest:
    """The digest of a conversation's parts, with the version of the format."""

    def __init__(self, head: dict[str, Any]) -> None:
        self._hash = hashlib.sha256(f"{FORMAT} {VERSION}\n".encode())
        self.add(head)

    def begin(self, name: str) -> None:
        """Begin a list of parts: what stands in one cannot be moved to another."""
        self._hash.update(f"[{name}]\n".encode())

    def add(self, part: Any) -> None:
        canonical = json.dumps(part, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        # Lone surrogates do not occur in what RxChat writes, but in what others change.
        self._hash.update(canonical.encode("utf-8", "surrogatepass") + b"\n")

    @property
    def signed(self) -> bytes:
        return self._hash.digest()


def _head(conversation: ExportedConversation) -> dict[str, Any]:
    shown = conversation.leaf_id if conversation.leaf_id != conversation.id else None
    return _plain(
        {
            "id": conversation.id,
            "title": conversation.title,
            "model": conversation.model,
            "created_at": conversation.created_at,
            "updated_at": conversation.updated_at,
            "leaf_id": shown,
            "is_pinned": conversation.is_pinned,
            "is_archived": conversation.is_archived,
            "deleted_at": conversation.deleted_at,
        }
    )


def _message(conversation_id: UUID, message: ThreadMessage) -> dict[str, Any]:
    facts = {name: getattr(message, name) for name in _MESSAGE_FIELDS}
    if message.parent_id == conversation_id:
        facts["parent_id"] = None
    return _plain(facts)


def _event(event: StoredEvent) -> dict[str, Any]:
    data = {name: value for name, value in event.data.items() if name not in _LEFT_OUT}
    return _plain({"seq": event.seq, "type": event.type, "at": event.at, "data": data})


def _plain(facts: dict[str, Any]) -> dict[str, Any]:
    """Return the facts as JSON has them, so that what is signed is what is read back."""
    return json.loads(_text(facts))


def _text(value: Any) -> str:
    return json.dumps(value, default=_as_json, ensure_ascii=False)


def _as_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)

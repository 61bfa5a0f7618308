"""A conversation of a file, as it is imported."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from rxchat.domain.chat import Role
from rxchat.domain.imports import limits
from rxchat.domain.messages import MessageState
from rxchat.domain.text import sanitize


class ImportSource(StrEnum):
    """The systems whose exports can be imported."""

    RXCHAT = "rxchat"
    CHATGPT = "chatgpt"
    CLAUDE = "claude"
    OPEN_WEBUI = "open_webui"
    LIBRECHAT = "librechat"

    @property
    def words(self) -> str:
        """Its name."""
        return _NAMES[self]


_NAMES = {
    ImportSource.RXCHAT: "RxChat",
    ImportSource.CHATGPT: "ChatGPT",
    ImportSource.CLAUDE: "Claude",
    ImportSource.OPEN_WEBUI: "Open WebUI",
    ImportSource.LIBRECHAT: "LibreChat",
}


class ConversationRefused(Exception):
    """A conversation cannot be imported, for a reason in a sentence."""

    def __init__(self, reason: str, title: str = "") -> None:
        super().__init__(reason)
        self.reason, self.title = reason, title


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedMessage:
    """A message of an imported conversation."""

    parent: int | None
    """The place of the message before it in the list, which is a lower one; None for a first message."""
    role: Role
    text: str = ""
    reasoning: str = ""
    model: str = ""
    state: MessageState = MessageState.DONE
    error: str = ""
    tokens: int = 0
    seconds: float = 0.0
    tokens_per_second: float = 0.0
    warnings: list[str] = field(default_factory=list)
    attachments: list[dict[str, str]] = field(default_factory=list)
    is_deleted: bool = False
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedConversation:
    """A conversation that can be stored as it is."""

    source: ImportSource
    external_id: str
    """Its ID in the system that it is from."""
    title: str
    model: str
    messages: list[ImportedMessage]
    """Parents come before what follows them."""
    leaf: int | None
    """The place of the last message of the branch that is shown; None if it shows none."""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    is_pinned: bool = False
    is_archived: bool = False
    notes: list[str] = field(default_factory=list)
    """Sentences about what could not be imported with it."""
    signed_by: str | None = None
    """The public key that its file is signed with; "" if the file was changed, None if it is not signed."""

    def as_plain(self) -> dict[str, Any]:
        """Return it as JSON values, for `from_plain`."""
        facts = asdict(self)
        for item in (facts, *facts["messages"]):
            for moment in ("created_at", "updated_at"):
                if item.get(moment) is not None:
                    item[moment] = item[moment].isoformat()
        return facts

    @classmethod
    def from_plain(cls, facts: dict[str, Any]) -> ImportedConversation:
        """Return the conversation that `as_plain` returned, checked again: the file may control its parser.

        Raises:
            ValueError: if it is none. Errors of other types are possible, too (TypeError, KeyError).
        """
        messages = [_message(place, item) for place, item in enumerate(facts["messages"])]
        leaf = facts["leaf"]
        if not messages or len(messages) > limits.MESSAGES or not (leaf is None or 0 <= int(leaf) < len(messages)):
            raise ValueError("no messages, too many, or no such last one")
        return cls(
            source=ImportSource(facts["source"]),
            external_id=_line(facts["external_id"]),
            title=_line(facts["title"]),
            model=_line(facts["model"]),
            messages=messages,
            leaf=None if leaf is None else int(leaf),
            created_at=_moment(facts["created_at"]),
            updated_at=_moment(facts["updated_at"]),
            is_pinned=bool(facts["is_pinned"]),
            is_archived=bool(facts["is_archived"]),
            notes=[_line(note) for note in facts["notes"][:20]],
            signed_by=None if facts["signed_by"] is None else _line(facts["signed_by"]),
        )


def _message(place: int, facts: dict[str, Any]) -> ImportedMessage:
    parent = facts["parent"]
    if parent is not None and not 0 <= int(parent) < place:
        raise ValueError("a message follows itself")
    texts = {name: _text(facts[name]) for name in ("text", "reasoning", "model", "error")}
    attachments = [
        {"id": str(UUID(item["id"])), "kind": _line(item["kind"]), "name": _line(item["name"])}
        for item in facts["attachments"][:200]
    ]
    return ImportedMessage(
        parent=None if parent is None else int(parent), role=Role(facts["role"]), state=MessageState(facts["state"]),
        tokens=int(facts["tokens"]), seconds=float(facts["seconds"]), attachments=attachments,
        tokens_per_second=float(facts["tokens_per_second"]), warnings=[_line(item) for item in facts["warnings"][:50]],
        is_deleted=bool(facts["is_deleted"]), created_at=_moment(facts["created_at"]), **texts,
    )  # fmt: skip


def _text(value: str) -> str:
    if len(value) > limits.TEXT_CHARACTERS:
        raise ValueError("a text is too long")
    return sanitize(value)


def _line(value: str) -> str:
    return sanitize(value[:2_000])


def _moment(value: str | None) -> datetime | None:
    found = datetime.fromisoformat(value) if value is not None else None
    if found is not None and found.tzinfo is None:
        raise ValueError("a moment without a time zone")
    return found

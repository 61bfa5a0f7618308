"""A conversation as it leaves RxChat."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from rxchat.domain.invisible import without_invisible
from rxchat.domain.messages import ThreadMessage

_LONGEST_NAME = 80
# What file systems refuse or browsers replace in the names of downloads.
_NOT_IN_NAMES = str.maketrans(dict.fromkeys('<>:"/\\|?*%~\0', " "))


class ExportFormat(StrEnum):
    """The formats of an exported conversation."""

    MARKDOWN = "markdown"
    HTML = "html"
    JSON = "json"

    @property
    def media_type(self) -> str:
        """Its media type."""
        return {"markdown": "text/markdown; charset=utf-8", "html": "text/html; charset=utf-8"}.get(
            self.value, "application/json"
        )

    def file_name(self, title: str) -> str:
        """Return the name of the file for a conversation with this title."""
        words = " ".join(without_invisible(title).translate(_NOT_IN_NAMES).split())
        suffix = {"markdown": "md"}.get(self.value, self.value)
        return f"{words[:_LONGEST_NAME].strip(' .') or 'Conversation'}.{suffix}"


@dataclass(frozen=True, slots=True)
class CitedSource:
    """A source that an answer cites, as far as the reader may see it."""

    number: int
    name: str
    heading: str = ""
    page: int = 0
    """0 if the document has no pages."""

    @property
    def words(self) -> str:
        """Name, heading and page on one line."""
        return ", ".join(
            [self.name, *([self.heading] if self.heading else []), *([f"page {self.page}"] if self.page else [])]
        )


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event of a conversation, as it is stored."""

    seq: int
    type: str
    at: datetime
    data: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedConversation:
    """A conversation with what its reader may see of it."""

    id: UUID
    title: str
    model: str
    created_at: datetime
    updated_at: datetime
    leaf_id: UUID
    """The last message of the branch that is shown; the conversation's ID if it shows none."""
    is_pinned: bool = False
    is_archived: bool = False
    deleted_at: datetime | None = None
    messages: list[ThreadMessage] = field(default_factory=list)
    """In the order in which they were added; parents come before what follows them."""
    events: list[StoredEvent] = field(default_factory=list)
    """Empty for readers of another user's conversation: events are about all branches."""
    sources: dict[UUID, list[CitedSource]] = field(default_factory=dict)
    """The sources that answers cite, by the answers' IDs."""

    @property
    def branch(self) -> list[ThreadMessage]:
        """The messages that are shown, the first one first."""
        known = {message.id: message for message in self.messages}
        found: list[ThreadMessage] = []
        message = known.get(self.leaf_id)
        while message is not None and len(found) < len(known):
            found.append(message)
            message = known.get(message.parent_id) if message.parent_id else None
        return found[::-1]

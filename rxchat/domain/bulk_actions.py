"""What users do with several conversations at once."""

from __future__ import annotations

from enum import StrEnum

from rxchat.domain.conversation_events import (
    ConversationArchived,
    ConversationEvent,
    ConversationPinned,
    ConversationRemoved,
    ConversationRestored,
)

MOST_AT_ONCE = 1_000
"""How many conversations one action changes at most."""


class BulkAction(StrEnum):
    """An action on several conversations."""

    ARCHIVE = "archive"
    UNARCHIVE = "unarchive"
    PIN = "pin"
    UNPIN = "unpin"
    REMOVE = "remove"
    """Move them to the trash."""
    RESTORE = "restore"

    @property
    def event(self) -> ConversationEvent:
        """The event that each of them gets."""
        return _EVENTS[self]

    @property
    def reverse(self) -> BulkAction:
        """The action that undoes it."""
        return _REVERSE[self]


_EVENTS: dict[BulkAction, ConversationEvent] = {
    BulkAction.ARCHIVE: ConversationArchived(is_archived=True),
    BulkAction.UNARCHIVE: ConversationArchived(is_archived=False),
    BulkAction.PIN: ConversationPinned(is_pinned=True),
    BulkAction.UNPIN: ConversationPinned(is_pinned=False),
    BulkAction.REMOVE: ConversationRemoved(),
    BulkAction.RESTORE: ConversationRestored(),
}
_PAIRS = (
    (BulkAction.ARCHIVE, BulkAction.UNARCHIVE),
    (BulkAction.PIN, BulkAction.UNPIN),
    (BulkAction.REMOVE, BulkAction.RESTORE),
)
_REVERSE = {first: second for one, other in _PAIRS for first, second in ((one, other), (other, one))}

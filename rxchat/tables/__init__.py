"""The schema: SQLModel rows. Importing this package makes `metadata` complete."""

from rxchat.tables.accounts import Identity, User, UserSession
from rxchat.tables.audit import AuditEvent
from rxchat.tables.base import metadata
from rxchat.tables.conversations import Conversation, ConversationEventRow, Message
from rxchat.tables.runs import Run, RunChunkRow

__all__ = [
    "AuditEvent",
    "Conversation",
    "ConversationEventRow",
    "Identity",
    "Message",
    "Run",
    "RunChunkRow",
    "User",
    "UserSession",
    "metadata",
]

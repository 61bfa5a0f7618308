"""The schema: SQLModel rows. Importing this package makes `metadata` complete."""

from rxchat.tables.access import (
    AccountLink,
    AttemptCounter,
    GrantRow,
    Group,
    GroupMember,
    InstallationSetting,
    RoleRow,
    SpentToken,
)
from rxchat.tables.accounts import Identity, User, UserSession
from rxchat.tables.audit import AuditCheckpoint, AuditEvent
from rxchat.tables.base import metadata
from rxchat.tables.conversations import Conversation, ConversationEventRow, Message, QueuedMessage
from rxchat.tables.credentials import ApiKey, Passkey, RecoveryCode, TotpSecret
from rxchat.tables.runs import Run, RunChunkRow

__all__ = [
    "AccountLink",
    "ApiKey",
    "AttemptCounter",
    "AuditCheckpoint",
    "AuditEvent",
    "Conversation",
    "ConversationEventRow",
    "GrantRow",
    "Group",
    "GroupMember",
    "Identity",
    "InstallationSetting",
    "Message",
    "Passkey",
    "QueuedMessage",
    "RecoveryCode",
    "RoleRow",
    "Run",
    "RunChunkRow",
    "SpentToken",
    "TotpSecret",
    "User",
    "UserSession",
    "metadata",
]

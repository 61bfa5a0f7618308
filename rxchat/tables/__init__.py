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
from rxchat.tables.accounts import DataExport, Identity, User, UserSession
from rxchat.tables.audit import AuditCheckpoint, AuditEvent
from rxchat.tables.base import metadata
from rxchat.tables.conversations import Conversation, ConversationEventRow, Message, QueuedMessage
from rxchat.tables.credentials import ApiKey, Passkey, RecoveryCode, TotpSecret
from rxchat.tables.documents import (
    AnswerSource,
    ChunkRow,
    ChunkVector,
    CollectionRow,
    CommonWord,
    ConversationKnowledge,
    DocumentRow,
    DocumentText,
    EmbeddingIndex,
    FilePart,
    RecognizedPageRow,
    StoredFile,
)
from rxchat.tables.files import DoomedObject, Installation, QueueClaim
from rxchat.tables.runs import Run, RunChunkRow

__all__ = [
    "AccountLink",
    "AnswerSource",
    "ApiKey",
    "AttemptCounter",
    "AuditCheckpoint",
    "AuditEvent",
    "ChunkRow",
    "ChunkVector",
    "CollectionRow",
    "CommonWord",
    "Conversation",
    "ConversationEventRow",
    "ConversationKnowledge",
    "DataExport",
    "DocumentRow",
    "DocumentText",
    "DoomedObject",
    "EmbeddingIndex",
    "FilePart",
    "GrantRow",
    "Group",
    "GroupMember",
    "Identity",
    "Installation",
    "InstallationSetting",
    "Message",
    "Passkey",
    "QueueClaim",
    "QueuedMessage",
    "RecognizedPageRow",
    "RecoveryCode",
    "RoleRow",
    "Run",
    "RunChunkRow",
    "SpentToken",
    "StoredFile",
    "TotpSecret",
    "User",
    "UserSession",
    "metadata",
]

"""The schema: SQLModel rows. Importing this package makes `metadata` complete."""

from rxchat.tables.access import (
    AccountToken,
    ConsumedToken,
    GrantRow,
    Group,
    GroupMember,
    InstanceSetting,
    RateLimitRow,
    RoleRow,
)
from rxchat.tables.accounts import DataExport, Identity, User, UserPreferences, UserSession
from rxchat.tables.assistants import AssistantRow, AssistantVersionRow
from rxchat.tables.audit import AuditCheckpoint, AuditEvent
from rxchat.tables.base import metadata
from rxchat.tables.conversations import Conversation, ConversationEventRow, Message, PublicLinkRow, QueuedMessageRow
from rxchat.tables.credentials import ApiKey, Passkey, RecoveryCode, TotpSecret
from rxchat.tables.documents import (
    ChunkRow,
    ChunkVector,
    Collection,
    ConversationSource,
    DocumentRow,
    DocumentText,
    EmbeddingIndexRow,
    FilePart,
    FrequentLexeme,
    MessageSource,
    RecognizedPageRow,
    StoredFile,
)
from rxchat.tables.files import Instance, ObjectDeletion, QueueClaim
from rxchat.tables.imports import ConversationImport, ImportedConversationRow
from rxchat.tables.models import HostJobRow, ModelProviderRow, ModelSettingRow
from rxchat.tables.organizing import (
    ConversationProject,
    ConversationRead,
    ConversationTag,
    MessageDraft,
    ProjectRow,
    TagRow,
)
from rxchat.tables.programs import IdempotencyKey
from rxchat.tables.prompts import PromptRow, PromptVersionRow
from rxchat.tables.runs import Run, RunChunkRow, RunPrompt
from rxchat.tables.usage import ModelPriceRow, ModelUsageRow, QuotaCounter, QuotaRow, UsageReservation

__all__ = [
    "AccountToken",
    "ApiKey",
    "AssistantRow",
    "AssistantVersionRow",
    "AuditCheckpoint",
    "AuditEvent",
    "ChunkRow",
    "ChunkVector",
    "Collection",
    "ConsumedToken",
    "Conversation",
    "ConversationEventRow",
    "ConversationImport",
    "ConversationProject",
    "ConversationRead",
    "ConversationSource",
    "ConversationTag",
    "DataExport",
    "DocumentRow",
    "DocumentText",
    "EmbeddingIndexRow",
    "FilePart",
    "FrequentLexeme",
    "GrantRow",
    "Group",
    "GroupMember",
    "HostJobRow",
    "IdempotencyKey",
    "Identity",
    "ImportedConversationRow",
    "Instance",
    "InstanceSetting",
    "Message",
    "MessageDraft",
    "MessageSource",
    "ModelPriceRow",
    "ModelProviderRow",
    "ModelSettingRow",
    "ModelUsageRow",
    "ObjectDeletion",
    "Passkey",
    "ProjectRow",
    "PromptRow",
    "PromptVersionRow",
    "PublicLinkRow",
    "QueueClaim",
    "QueuedMessageRow",
    "QuotaCounter",
    "QuotaRow",
    "RateLimitRow",
    "RecognizedPageRow",
    "RecoveryCode",
    "RoleRow",
    "Run",
    "RunChunkRow",
    "RunPrompt",
    "StoredFile",
    "TagRow",
    "TotpSecret",
    "UsageReservation",
    "User",
    "UserPreferences",
    "UserSession",
    "metadata",
]

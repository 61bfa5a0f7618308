"""Names that went, because a reader had to open the module to know what they meant (docs/glossary.md)."""

from __future__ import annotations

import ast

import rxchat.tables
from rxchat.tables import metadata
from tests.gates.test_shape import PACKAGE, ROOT, name, parsed

WENT = {
    "AccountLink": "AccountToken",
    "Admission": "SignInResult",
    "Allowance": "RateLimit",
    "AnswerSource": "MessageSource",
    "AnswerWriter": "AnswerGenerator",
    "Appending": "EventAppender",
    "Arrival": "LoginResult",
    "AskedTerm": "QueryTerm",
    "Attaching": "ContextSources",
    "AttemptCounter": "RateLimitRow",
    "AttemptCounters": "RateLimitCounters",
    "Attendance": "LiveUpdates",
    "AuditTrail": "AuditLog",
    "Authentication": "SignIn",
    "BeganAnew": "AnswerRestarted",
    "Behind": "SessionRecord",
    "BrokenAudit": "ChainInvalid",
    "Chats": "ChatService",
    "CollectionRow": "Collection",
    "CommonWord": "FrequentLexeme",
    "ConversationKnowledge": "ConversationSource",
    "CountersAway": "CountersUnavailable",
    "DatabaseAway": "DatabaseUnavailable",
    "Denials": "AccessDenials",
    "Departure": "AuthorizationRequest",
    "Distrusted": "UntrustedResponse",
    "DoomedObject": "ObjectDeletion",
    "Embedding": "VectorIndex",
    "Federation": "ExternalLogin",
    "FileLinks": "SignedUrls",
    "Finishing": "UploadFinalizer",
    "ForeignAccount": "ExternalIdentity",
    "Garbled": "ProtocolError",
    "Grounded": "PromptContext",
    "Grounding": "PromptContextBuilder",
    "Happened": "Updates",
    "Installation": "Instance",
    "InstallationRules": "AccountPolicies",
    "InstallationSetting": "InstanceSetting",
    "IsolatedParser": "SandboxedParser",
    "Keeping": "StorageOwnership",
    "Kept": "SupervisedProcess",
    "KnowledgeAttached": "ContextSourceAttached",
    "KnowledgeChange": "ContextSourceChange",
    "KnowledgeDetached": "ContextSourceDetached",
    "LiveAnswer": "AnswerStream",
    "LiveAnswers": "AnswerStreams",
    "Lock": "EventAuthMiddleware",
    "MailAway": "MailUnavailable",
    "MasterKeys": "KeyRing",
    "Mirror": "StreamReplica",
    "ModelBroke": "InvalidModelResponse",
    "ModelHostAway": "ModelHostUnavailable",
    "ModelSilent": "ModelTimeout",
    "NotMine": "LeaseLost",
    "NothingButPixels": "NoTextLayer",
    "Notices": "PgListener",
    "Pace": "Backoff",
    "PasswordChanges": "PasswordReset",
    "PersonRow": "UserFacts",
    "Pictures": "ImageCaptions",
    "Post": "MailSender",
    "Programs": "ApiCredentials",
    "ProofRefused": "ReauthenticationFailed",
    "ProviderAway": "ProviderUnavailable",
    "ProviderBroke": "InvalidProviderResponse",
    "Retrieval": "DocumentSearch",
    "Saver": "ChunkFlusher",
    "SealedFile": "EncryptedFile",
    "Seam": "ContinuationJoiner",
    "SpentToken": "ConsumedToken",
    "Spot": "ConversationStatus",
    "StoreAway": "StorageUnavailable",
    "StoreError": "StorageError",
    "StoreFull": "StorageFull",
    "Sweeping": "StorageGarbageCollector",
    "Teams": "Authorization",
    "Teller": "StreamPublisher",
    "TextPiece": "TextExcerpt",
    "ThisInstallation": "InstanceInfo",
    "TotpOffer": "TotpEnrollment",
    "Upkeep": "Maintenance",
    "Vault": "SecretBox",
    "WaitingMessage": "QueuedMessage",
    "Way": "SearchMode",
    "Wrapped": "WrappedKey",
    "asked_to_go_on": "continuation_prompt",
    "going_on": "background_task",
    "let_in": "start_session",
    "send_away": "force_navigate",
    "signed_in": "requires_user",
    "signed_in_background": "requires_user_in_background",
    "spoken_size": "format_size",
    "spoken_wait": "format_wait",
    "storable": "sanitize",
    "take_cookie_back": "clear_cookie",
}
"""What is no name of a class or function any more, and what is called so instead."""


def test_no_definition_has_a_name_that_went() -> None:
    found = [
        f"{name(path)}: {node.name} is called {WENT[node.name]} now"
        for path in PACKAGE
        for node in ast.walk(parsed(path))
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and node.name in WENT
    ]
    assert found == []


WENT_FROM_DATABASE = {
    "account_link": "account_token",
    "acting_may": "current_user_can",
    "acting_person": "a query",
    "acting_role": "current_user_role",
    "acting_user": "current_user_id",
    "answer_source": "message_source",
    "attempt_counter": "rate_limit",
    "common_word": "frequent_lexeme",
    "KnowledgeState": "ContextSourcesState",
    "conversation_knowledge": "conversation_source",
    "doomed_object": "object_deletion",
    "finishing_until": "finalize_lease_until",
    "installation": "instance",
    "installation_setting": "instance_setting",
    "live_generation": "published_generation",
    "note": "status_text",
    "place": "position",
    "remarks": "warnings",
    "sealed": "encrypted_secret",
    "spent_token": "consumed_token",
    "tries": "attempts",
}
VERBS_THAT_WENT = {
    "doom": "delete",
    "forget": "delete or purge",
    "spend": "consume",
    "sweep": "purge",
    "tell": "notify",
}


def test_no_table_column_or_procedure_has_a_name_that_went() -> None:
    procedures = {path.stem for path in (ROOT / "alembic" / "sql").glob("*.sql")}
    columns = {column.name for table in metadata.tables.values() for column in table.columns}
    names = procedures | columns | set(metadata.tables)
    found = {known: WENT_FROM_DATABASE[known] for known in names & WENT_FROM_DATABASE.keys()}
    assert found == {}, "docs/glossary.md has other words for what these names once meant"
    assert [known for known in names if known.partition("_")[0] in VERBS_THAT_WENT] == []


def test_a_table_class_ends_in_row_exactly_where_a_domain_value_has_its_name() -> None:
    nodes = [node for path in PACKAGE if "domain" in path.parts for node in parsed(path).body]
    values = {node.name for node in nodes if isinstance(node, ast.ClassDef)}
    # Unions of events: `ConversationEvent = A | B`.
    values |= {
        node.targets[0].id for node in nodes if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    tables = set(rxchat.tables.__all__) - {"metadata"}
    assert [table for table in tables if table.endswith("Row") != (table.removesuffix("Row") in values)] == []

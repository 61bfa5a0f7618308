"""Names that went, because a reader had to open the module to know what they meant (docs/glossary.md)."""

from __future__ import annotations

import ast

from tests.gates.test_shape import PACKAGE, name, parsed

WENT = {
    "Admission": "SignInResult",
    "Allowance": "RateLimit",
    "AnswerWriter": "AnswerGenerator",
    "Appending": "EventAppender",
    "Arrival": "LoginResult",
    "Attaching": "ContextSources",
    "AttemptCounters": "RateLimitCounters",
    "Attendance": "LiveUpdates",
    "AuditTrail": "AuditLog",
    "Authentication": "SignIn",
    "BeganAnew": "AnswerRestarted",
    "Behind": "SessionRecord",
    "BrokenAudit": "ChainInvalid",
    "Chats": "ChatService",
    "CountersAway": "CountersUnavailable",
    "DatabaseAway": "DatabaseUnavailable",
    "Denials": "AccessDenials",
    "Departure": "AuthorizationRequest",
    "Distrusted": "UntrustedResponse",
    "Embedding": "VectorIndex",
    "Federation": "ExternalLogin",
    "FileLinks": "SignedUrls",
    "Finishing": "UploadFinalizer",
    "ForeignAccount": "ExternalIdentity",
    "Garbled": "ProtocolError",
    "Grounded": "PromptContext",
    "Grounding": "PromptContextBuilder",
    "Happened": "Updates",
    "InstallationRules": "AccountPolicies",
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
    "Spot": "ConversationStatus",
    "StoreAway": "StorageUnavailable",
    "StoreError": "StorageError",
    "StoreFull": "StorageFull",
    "Sweeping": "StorageGarbageCollector",
    "Teams": "Authorization",
    "Teller": "StreamPublisher",
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

"""Create the first schema: tables by capability with their policies, procedures, and procrastinate's tables.

Its SQL is in the folder `0001`. `0001/procedures` and `0001/views` are copies of `alembic/sql` as of this revision.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None

_FOLDER = Path(__file__).parent / "0001"
# In the order in which tables and policies refer to each other.
_TABLES = {
    "accounts": (
        "role",
        "user_account",
        "user_session",
        "identity",
        "totp_secret",
        "recovery_code",
        "passkey",
        "api_key",
        "account_token",
        "rate_limit",
        "consumed_token",
        "data_export",
    ),
    "access": ("user_group", "group_member", "access_grant", "audit_event", "audit_checkpoint"),
    "platform": ("instance", "instance_setting", "queue_claim"),
    "chat": ("conversation", "conversation_event", "message", "queued_message", "run", "run_chunk"),
    "documents": (
        "collection",
        "stored_file",
        "file_part",
        "object_deletion",
        "document",
        "document_text",
        "recognized_page",
    ),
    "retrieval": (
        "chunk",
        "embedding_index",
        "chunk_vector",
        "frequent_lexeme",
        "conversation_source",
        "message_source",
    ),
}
# In the order in which they refer to each other.
_VIEWS = (
    "waiting_run",
    "queued_run",
    "trashed_document",
    "admin_read",
    "published_document",
    "unfinished_document",
    "received_upload",
    "instance_info",
    "unsigned_audit_event",
)
# Read by procedures and other views alone.
_INTERNAL_VIEWS = frozenset({"waiting_run"})
_JOB_TABLES = ("jobs", "events", "workers", "periodic_defers")
# Their signatures name tables.
_AFTER_TABLES = frozenset({"account_token_is_valid", "audit_hash", "claim_job"})
_TRIGGER_FUNCTIONS = frozenset(
    {
        "revoke_invitations",
        "enqueue_object_deletion",
        "delete_collection_grants",
        "delete_principal_grants",
        "notify_access_changed",
        "notify_documents_changed",
        "notify_queue_changed",
        "notify_permissions_changed",
    }
)
# Called for each row by indexes, views and policies; they reveal nothing.
_FOR_EVERYONE = frozenset({"current_user_id", "is_leased"})
# Called by other procedures alone.
_INTERNAL = frozenset({"audit_hash"})


def upgrade() -> None:
    """Create everything."""
    _run("roles")
    procedures = {path.stem for path in (_FOLDER / "procedures").glob("*.sql")}
    # Policies and triggers of tables call procedures that read these tables: they come first, and are not checked.
    op.execute("SET LOCAL check_function_bodies = off")
    _create(procedures - _AFTER_TABLES)
    _run("procrastinate")
    for capability in _TABLES:
        _run(capability)
    _run("jobs")
    _create(_AFTER_TABLES)
    op.execute("SET LOCAL check_function_bodies = on")
    for view in _VIEWS:
        _run(f"views/{view}")
        if view not in _INTERNAL_VIEWS:
            op.execute(f"GRANT SELECT ON {view} TO rxchat_app")
    for tables in _TABLES.values():
        for table in tables:
            _protect(table)


def downgrade() -> None:
    """Drop everything; the roles and extensions stay, since other databases of the cluster may use them."""
    op.execute(f"DROP VIEW {', '.join(_VIEWS)}")
    tables = [table for group in _TABLES.values() for table in group]
    tables += [f"procrastinate_{table}" for table in _JOB_TABLES]
    op.execute(f"DROP TABLE {', '.join(tables)} CASCADE")
    for path in (_FOLDER / "procedures").glob("*.sql"):
        op.execute(f"DROP FUNCTION IF EXISTS {path.stem} CASCADE")
    op.execute(
        """
        DO $$ DECLARE found record; BEGIN
            FOR found IN SELECT oid::regprocedure AS name FROM pg_proc WHERE proname LIKE 'procrastinate%' LOOP
                EXECUTE 'DROP FUNCTION ' || found.name || ' CASCADE';
            END LOOP;
            FOR found IN SELECT typname AS name FROM pg_type WHERE typname LIKE 'procrastinate%' AND typtype IN ('e', 'c') LOOP
                EXECUTE 'DROP TYPE ' || found.name || ' CASCADE';
            END LOOP;
            EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO PUBLIC', current_database());
        END $$
        """
    )
    op.execute("DROP TEXT SEARCH CONFIGURATION rxchat")


def _create(procedures: frozenset[str] | set[str]) -> None:
    for name in sorted(procedures):
        _run(f"procedures/{name}")
        if name not in _TRIGGER_FUNCTIONS | _FOR_EVERYONE:
            op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        if name not in _TRIGGER_FUNCTIONS | _INTERNAL:
            op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO rxchat_app")


def _protect(table: str) -> None:
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    # FORCE applies to the owner too, and procedures run as the owner: they check permissions themselves.
    op.execute(f"CREATE POLICY procedures ON {table} TO CURRENT_USER USING (true) WITH CHECK (true)")


def _run(name: str) -> None:
    # By the driver itself: what looks like a parameter in these statements is none.
    op.get_bind().connection.cursor().execute((_FOLDER / f"{name}.sql").read_text())

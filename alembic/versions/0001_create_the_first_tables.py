"""Create the first tables, their row-level security and the procedures around them."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "0001"
down_revision = None

# In the order in which they refer to one another, each with the column that names the row's owner.
TABLES = {
    "user_account": "id",
    "user_session": "user_id",
    "identity": "user_id",
    "conversation": "owner_id",
    "conversation_event": "owner_id",
    "message": "owner_id",
    "run": "owner_id",
    "run_chunk": "owner_id",
    "audit_event": "actor_id",
}

# What the runtime role may do with its user's own rows; events and audit are written by procedures alone.
GRANTS = {
    "user_account": "SELECT, UPDATE (name, password_hash)",
    "user_session": "SELECT, INSERT, UPDATE, DELETE",
    "identity": "SELECT, INSERT, DELETE",
    "conversation": "SELECT, INSERT, DELETE, UPDATE (title, model, removed_at)",
    "conversation_event": "SELECT",
    "message": "SELECT, INSERT, UPDATE, DELETE",
    "run": "SELECT, INSERT, UPDATE",
    "run_chunk": "SELECT, INSERT, UPDATE, DELETE",
    "audit_event": "SELECT",
}

PROCEDURES = {
    "append_conversation_event": "uuid, uuid, integer, text, jsonb",
    "claim_run": "uuid, interval",
    "renew_run_leases": "uuid, uuid[], interval",
    "append_audit_event": "uuid, uuid, text, text, text, jsonb",
    "has_accounts": "",
    "create_first_administrator": "uuid, text, text, text",
    "account_by_email": "text",
}


def upgrade() -> None:
    """Bring the change."""
    _create_runtime_role()
    _create_user_account()
    _create_user_session()
    _create_identity()
    _create_conversation()
    _create_conversation_event()
    _create_message()
    _create_run()
    _create_run_chunk()
    _create_audit_event()
    _install("acting_user")
    op.execute("GRANT EXECUTE ON FUNCTION acting_user() TO rxchat_app")
    for table, owner in TABLES.items():
        _protect(table, owner)
    for name, arguments in PROCEDURES.items():
        _install(name)
        op.execute(f"REVOKE ALL ON FUNCTION {name}({arguments}) FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name}({arguments}) TO rxchat_app")


def downgrade() -> None:
    """Take it back; the runtime role stays, since other databases of the cluster may use it."""
    for name, arguments in PROCEDURES.items():
        op.execute(f"DROP FUNCTION {name}({arguments})")
    for table in reversed(TABLES):
        op.drop_table(table)
    op.execute("DROP FUNCTION acting_user()")


def _create_runtime_role() -> None:
    # A role belongs to the cluster: another database, or the embedded supervisor, may have made it already.
    op.execute(
        """
        DO $$ BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'rxchat_app') THEN
                CREATE ROLE rxchat_app NOLOGIN;
            END IF;
            IF NOT pg_has_role(current_user, 'rxchat_app', 'MEMBER') THEN
                GRANT rxchat_app TO CURRENT_USER;
            END IF;
        END $$
        """
    )
    op.execute("GRANT USAGE ON SCHEMA public TO rxchat_app")
    op.execute("CREATE TABLE IF NOT EXISTS alembic_version (version_num varchar(32) PRIMARY KEY)")
    op.execute("GRANT SELECT ON alembic_version TO rxchat_app")


def _protect(table: str, owner: str) -> None:
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY own_rows ON {table} TO rxchat_app "
        f"USING ({owner} = (SELECT acting_user())) WITH CHECK ({owner} = (SELECT acting_user()))"
    )
    # FORCE binds the owner too, and procedures run as the owner: they check for themselves who may do what.
    op.execute(f"CREATE POLICY procedures ON {table} TO CURRENT_USER USING (true) WITH CHECK (true)")
    op.execute(f"GRANT {GRANTS[table]} ON {table} TO rxchat_app")


def _install(name: str) -> None:
    op.execute((Path(__file__).parent / "0001" / f"{name}.sql").read_text())


def _create_user_account() -> None:
    op.create_table(
        "user_account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("suspended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_account")),
    )
    op.create_index("uq_user_account_email", "user_account", [sa.literal_column("lower(email)")], unique=True)


def _create_user_session() -> None:
    op.create_table(
        "user_session",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("address", sa.String(), server_default="", nullable=False),
        sa.Column("user_agent", sa.String(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_user_session_user_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "id", name=op.f("pk_user_session")),
    )


def _create_identity() -> None:
    op.create_table(
        "identity",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("email", sa.String(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_identity_user_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "id", name=op.f("pk_identity")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_identity_issuer_subject")),
    )


def _create_conversation() -> None:
    op.create_table(
        "conversation",
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["user_account.id"], name=op.f("fk_conversation_user_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("owner_id", "id", name=op.f("pk_conversation")),
    )
    op.create_index(
        "ix_conversation_owner_updated",
        "conversation",
        ["owner_id", sa.literal_column("updated_at DESC")],
        unique=False,
    )


def _create_conversation_event() -> None:
    op.create_table(
        "conversation_event",
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id", "conversation_id"],
            ["conversation.owner_id", "conversation.id"],
            name=op.f("fk_conversation_event_conversation"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("owner_id", "conversation_id", "seq", name=op.f("pk_conversation_event")),
    )


def _create_message() -> None:
    op.create_table(
        "message",
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("reasoning", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("error_code", sa.String(), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("tokens", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("tokens_per_second", sa.Float(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id", "conversation_id"],
            ["conversation.owner_id", "conversation.id"],
            name=op.f("fk_message_conversation"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("owner_id", "id", name=op.f("pk_message")),
    )
    op.create_index("ix_message_conversation", "message", ["owner_id", "conversation_id", "seq"], unique=False)


def _create_run() -> None:
    op.create_table(
        "run",
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("engine_id", sa.Uuid(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stop_requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("correlation_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["owner_id", "conversation_id"],
            ["conversation.owner_id", "conversation.id"],
            name=op.f("fk_run_conversation"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("owner_id", "id", name=op.f("pk_run")),
    )
    op.create_index(
        "ix_run_waiting",
        "run",
        ["created_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('queued', 'running')"),
    )
    op.create_index(
        "uq_run_active",
        "run",
        ["owner_id", "conversation_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('queued', 'running')"),
    )


def _create_run_chunk() -> None:
    op.create_table(
        "run_chunk",
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id", "run_id"], ["run.owner_id", "run.id"], name=op.f("fk_run_chunk_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("owner_id", "run_id", "seq", name=op.f("pk_run_chunk")),
    )


def _create_audit_event() -> None:
    op.create_table(
        "audit_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("correlation_id", sa.String(), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_event")),
    )
    op.create_index(op.f("ix_audit_event_actor_id"), "audit_event", ["actor_id"], unique=False)

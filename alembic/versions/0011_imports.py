"""Remember imports of conversations, and what each conversation was imported from."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0011"
down_revision = "0010"

_TABLES = ("conversation_import", "imported_conversation")


def upgrade() -> None:
    """Add the tables; an imported conversation keeps the times that it had."""
    op.execute((Path(__file__).parent / "0011" / "imports.sql").read_text())
    for table in _TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY procedures ON {table} TO CURRENT_USER USING (true) WITH CHECK (true)")
    op.execute("GRANT UPDATE (created_at, updated_at) ON conversation TO rxchat_app")


def downgrade() -> None:
    """Remove them; imported conversations stay, and would be imported once more after another upgrade."""
    op.execute("REVOKE UPDATE (created_at, updated_at) ON conversation FROM rxchat_app")
    op.execute("DELETE FROM conversation_event WHERE type = 'conversation_imported'")
    op.execute(f"DROP TABLE {', '.join(_TABLES)}")

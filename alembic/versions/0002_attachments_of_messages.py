"""Keep with each message what was attached to it."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

_TABLES = ("message", "queued_message")


def upgrade() -> None:
    """Add the columns."""
    for table in _TABLES:
        op.execute(f"ALTER TABLE {table} ADD COLUMN attachments jsonb NOT NULL DEFAULT '[]'")


def downgrade() -> None:
    """Remove them."""
    for table in _TABLES:
        op.execute(f"ALTER TABLE {table} DROP COLUMN attachments")

"""Keep with an answer what could not be read for it, and whether a source was used."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the column; the runtime role may read and change it, as it may the whole table."""
    op.execute("ALTER TABLE public.message ADD COLUMN remarks jsonb NOT NULL DEFAULT '[]'")


def downgrade() -> None:
    """Drop the column."""
    op.execute("ALTER TABLE public.message DROP COLUMN remarks")

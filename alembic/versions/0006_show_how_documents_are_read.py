"""Show how documents are read: their encoding and reader, and what their owner has chosen instead."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"

_COLUMNS = ("encoding", "reader", "chosen_encoding", "chosen_reader")


def upgrade() -> None:
    """Add the columns; the runtime role may read and change them, as it may the whole table."""
    for column in _COLUMNS:
        op.execute(f"ALTER TABLE public.document ADD COLUMN {column} character varying NOT NULL DEFAULT ''")


def downgrade() -> None:
    """Drop the columns."""
    for column in reversed(_COLUMNS):
        op.execute(f"ALTER TABLE public.document DROP COLUMN {column}")

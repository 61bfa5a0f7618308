"""Find messages by their words, and titles in spite of typing errors."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the lexemes of each message, which Postgres keeps, and the extension that compares titles."""
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    # Only the beginning of a long text, since a tsvector may have 1 MB. Without the signs of tags, addresses and paths: their
    # parts are words, too, a tag would hide what follows it, and the parser of Postgres follows chains of them recursively.
    op.execute(
        "ALTER TABLE message ADD COLUMN lexemes tsvector NOT NULL GENERATED ALWAYS AS"
        " (to_tsvector('rxchat'::regconfig, translate(left(text, 50000), '<>@/.&', '      '))) STORED"
    )
    # What follows a deleted message is not found either.
    op.execute("CREATE INDEX ix_message_deleted ON message (owner_id, id) WHERE is_deleted")


def downgrade() -> None:
    """Remove the column; the extension may be in use elsewhere."""
    op.execute("DROP INDEX ix_message_deleted")
    op.execute("ALTER TABLE message DROP COLUMN lexemes")

"""Keep public links to conversations, each with the snapshot that it shows.

The SQL in `0009` is a copy of the file in `alembic/sql` as of this revision.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0009"
down_revision = "0008"

_FILES = Path(__file__).parent / "0009"
_FIND = "find_public_link(bytea)"


def upgrade() -> None:
    """Create the table and its procedure."""
    op.execute(
        """
        CREATE TABLE public_link (
            owner_id uuid NOT NULL,
            id uuid NOT NULL,
            conversation_id uuid NOT NULL,
            hash bytea NOT NULL,
            title varchar NOT NULL,
            messages jsonb NOT NULL,
            password_hash varchar,
            created_at timestamptz NOT NULL DEFAULT now(),
            expires_at timestamptz,
            CONSTRAINT pk_public_link PRIMARY KEY (owner_id, id),
            CONSTRAINT uq_public_link_hash UNIQUE (hash),
            CONSTRAINT fk_public_link_conversation FOREIGN KEY (owner_id, conversation_id)
                REFERENCES conversation (owner_id, id) ON DELETE CASCADE
        )
        """
    )
    op.execute("CREATE INDEX ix_public_link_conversation ON public_link (owner_id, conversation_id)")
    op.execute("GRANT SELECT, INSERT, DELETE ON public_link TO rxchat_app")
    op.execute("ALTER TABLE public_link ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE public_link FORCE ROW LEVEL SECURITY")
    op.execute(
        """
        CREATE POLICY own_rows ON public_link TO rxchat_app
            USING (owner_id = (SELECT current_user_id())) WITH CHECK (owner_id = (SELECT current_user_id()))
        """
    )
    op.execute("CREATE POLICY procedures ON public_link TO CURRENT_USER USING (true) WITH CHECK (true)")
    op.execute((_FILES / "find_public_link.sql").read_text())
    op.execute(f"REVOKE ALL ON FUNCTION {_FIND} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {_FIND} TO rxchat_app")


def downgrade() -> None:
    """Remove them; all links end."""
    op.execute(f"DROP FUNCTION {_FIND}")
    op.execute("DROP TABLE public_link")

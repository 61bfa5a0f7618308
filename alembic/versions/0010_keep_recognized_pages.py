"""Keep the pages of a scan that are recognized already, so that recognizing can be done in turns."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"

_OWN = "owner_id = (SELECT acting_user())"


def upgrade() -> None:
    """Bring the change."""
    op.execute(
        """
        CREATE TABLE recognized_page (
            owner_id uuid NOT NULL,
            document_id uuid NOT NULL,
            generation integer NOT NULL,
            page integer NOT NULL,
            lines jsonb NOT NULL,
            CONSTRAINT pk_recognized_page PRIMARY KEY (owner_id, document_id, generation, page),
            CONSTRAINT fk_recognized_page_document FOREIGN KEY (owner_id, document_id)
                REFERENCES document (owner_id, id) ON DELETE CASCADE
        )
        """
    )
    op.execute("ALTER TABLE recognized_page ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE recognized_page FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY procedures ON recognized_page TO CURRENT_USER USING (true) WITH CHECK (true)")
    op.execute(f"CREATE POLICY own_rows ON recognized_page TO rxchat_app USING ({_OWN}) WITH CHECK ({_OWN})")
    op.execute("GRANT SELECT, INSERT, DELETE ON recognized_page TO rxchat_app")


def downgrade() -> None:
    """Take it back: what is being recognized begins again."""
    op.execute("DROP TABLE recognized_page")

"""Claim jobs so that no owner holds all places of a worker, and lease exports, of which each user has one at a time."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0012"
down_revision = "0011"

_CLAIM = "claim_job(varchar[], bigint, integer)"
_OWN = "user_id = (SELECT acting_user())"


def upgrade() -> None:
    """Bring the change."""
    # As it is: what looks like a parameter in it is none.
    op.get_bind().connection.cursor().execute((Path(__file__).parent / "0012" / "claim_job.sql").read_text())
    op.execute(f"REVOKE ALL ON FUNCTION public.{_CLAIM} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION public.{_CLAIM} TO rxchat_app")
    op.execute(
        """
        CREATE TABLE data_export (
            user_id uuid NOT NULL,
            id uuid NOT NULL,
            expires_at timestamptz NOT NULL,
            CONSTRAINT pk_data_export PRIMARY KEY (user_id),
            CONSTRAINT fk_data_export_user_id_user_account FOREIGN KEY (user_id)
                REFERENCES user_account (id) ON DELETE CASCADE
        )
        """
    )
    op.execute("ALTER TABLE data_export ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE data_export FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY procedures ON data_export TO CURRENT_USER USING (true) WITH CHECK (true)")
    op.execute(f"CREATE POLICY own_rows ON data_export TO rxchat_app USING ({_OWN}) WITH CHECK ({_OWN})")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON data_export TO rxchat_app")


def downgrade() -> None:
    """Take it back: procrastinate's own claim has no limit by owner."""
    op.execute("DROP TABLE data_export")
    op.execute(f"DROP FUNCTION public.{_CLAIM}")

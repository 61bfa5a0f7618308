"""Keep the answers of requests with an Idempotency-Key for a day.

The SQL in `0012` is a copy of the procedure in `alembic/sql` as of this revision, and the table.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0012"
down_revision = "0011"

_FILES = Path(__file__).parent / "0012"


def upgrade() -> None:
    """Add the table, and the procedure that deletes what is a day old."""
    op.execute((_FILES / "idempotency_keys.sql").read_text())
    op.execute("ALTER TABLE idempotency_key ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE idempotency_key FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY procedures ON idempotency_key TO CURRENT_USER USING (true) WITH CHECK (true)")
    op.execute((_FILES / "purge_idempotency_keys.sql").read_text())
    op.execute("REVOKE ALL ON FUNCTION purge_idempotency_keys FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION purge_idempotency_keys TO rxchat_app")


def downgrade() -> None:
    """Remove them."""
    op.execute("DROP FUNCTION purge_idempotency_keys")
    op.execute("DROP TABLE idempotency_key")

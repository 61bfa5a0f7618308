"""Let administrators with a new permission add providers of models.

The SQL in `0016` is a copy of the files in `alembic/sql` as of this revision, and the table; the file with a suffix is the one
of that revision.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0016"
down_revision = "0015"

_FILES = Path(__file__).parent / "0016"
_COUNT = "conversations_of_provider(varchar)"


def upgrade() -> None:
    """Add the permission, the table, and the procedure that counts what a provider's removal affects."""
    op.execute("UPDATE role SET permissions = array_append(permissions, 'models.manage') WHERE name = 'admin'")
    _replace_body("without_administrative_permissions")
    for name in ("notify_providers_changed", "model_provider", "conversations_of_provider"):
        # By the driver itself: what looks like a parameter in these statements is none.
        op.get_bind().connection.cursor().execute((_FILES / f"{name}.sql").read_text())
    op.execute("REVOKE ALL ON FUNCTION notify_providers_changed() FROM PUBLIC")
    op.execute(f"REVOKE ALL ON FUNCTION {_COUNT} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {_COUNT} TO rxchat_app")
    op.execute("ALTER TABLE model_provider ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE model_provider FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY procedures ON model_provider TO CURRENT_USER USING (true) WITH CHECK (true)")


def downgrade() -> None:
    """Delete all providers that administrators have added."""
    op.execute(f"DROP FUNCTION {_COUNT}")
    op.execute("DROP TABLE model_provider")
    op.execute("DROP FUNCTION notify_providers_changed()")
    _replace_body("without_administrative_permissions_0013")
    op.execute("UPDATE role SET permissions = array_remove(permissions, 'models.manage')")


def _replace_body(file: str) -> None:
    """Replace only the body of a procedure that another one depends on."""
    op.execute((_FILES / f"{file}.sql").read_text().replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1))

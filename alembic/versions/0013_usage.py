"""Let administrators with a new permission see usage, and the state of the system.

The SQL in `0013` is a copy of the files in `alembic/sql` as of this revision; a file with a suffix is the one of that revision.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0013"
down_revision = "0012"

_FILES = Path(__file__).parent / "0013"
_NEW = (
    "usage_by_day(integer)",
    "usage_by_model(integer)",
    "usage_by_user(integer, integer)",
    "system_totals()",
    "count_jobs()",
)


def upgrade() -> None:
    """Add the permission, the procedures, and the index that they read; runs are inserted in the order of their times."""
    op.execute("CREATE INDEX ix_run_created ON run USING brin (created_at)")
    op.execute("UPDATE role SET permissions = array_append(permissions, 'system.read') WHERE name = 'admin'")
    _replace_body("without_administrative_permissions")
    for procedure in _NEW:
        op.execute((_FILES / f"{procedure.partition('(')[0]}.sql").read_text())
        op.execute(f"REVOKE ALL ON FUNCTION {procedure} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {procedure} TO rxchat_app")


def downgrade() -> None:
    """Remove them."""
    for procedure in _NEW:
        op.execute(f"DROP FUNCTION {procedure}")
    _replace_body("without_administrative_permissions_0008")
    op.execute("UPDATE role SET permissions = array_remove(permissions, 'system.read')")
    op.execute("DROP INDEX ix_run_created")


def _replace_body(file: str) -> None:
    """Replace only the body of a procedure that another one depends on."""
    op.execute((_FILES / f"{file}.sql").read_text().replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1))

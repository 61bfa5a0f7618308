"""Check in three procedures what so far only their callers checked.

They end no sign-ins of users with more rights, let no invitation lead to a role that was given more since, and delete no
upload that is still in progress.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0013"
down_revision = "0012"

_VERSIONS = Path(__file__).parent
_PROCEDURES = ("create_account", "end_sessions", "forget_uploads")


def upgrade() -> None:
    """Replace the procedures."""
    for name in _PROCEDURES:
        _replace(_VERSIONS / "0013" / f"{name}.sql")


def downgrade() -> None:
    """Restore the earlier procedures."""
    for name in _PROCEDURES:
        _replace(_VERSIONS / "0005" / f"{name}.sql")


def _replace(path: Path) -> None:
    # By the driver itself: what looks like a parameter in a procedure's text is none.
    text = path.read_text().replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1)
    op.get_bind().connection.cursor().execute(text)

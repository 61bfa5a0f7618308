"""End nobody's sign-ins who may do more, and forget no upload of the future."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0013"
down_revision = "0012"

_FOLDER = Path(__file__).parent / "0013"
_PROCEDURES = ("end_sessions", "forget_uploads")


def upgrade() -> None:
    """Bring the change."""
    for name in _PROCEDURES:
        _run(name)


def downgrade() -> None:
    """Take it back."""
    for name in _PROCEDURES:
        _run(f"{name}_before")


def _run(name: str) -> None:
    """Run the statements of a file as they are: what looks like a parameter in them is none."""
    op.get_bind().connection.cursor().execute((_FOLDER / f"{name}.sql").read_text())

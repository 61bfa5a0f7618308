"""Say which files go with what is deleted for good from the trash; compare intervals as the times that they lead to."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0016"
down_revision = "0015"

_VERSIONS = Path(__file__).parent
# Where each one was changed last before this.
_BEFORE = {"purge_documents": "0015", "forget_uploads": "0013", "trash_documents": "0015"}
_ARGUMENTS = {
    "purge_documents": "interval",
    "forget_uploads": "interval",
    "trash_documents": "uuid[], bigint, integer",
    "trashed_files": "uuid",
}


def upgrade() -> None:
    """Bring the change."""
    for name in _BEFORE:
        op.execute(f"DROP FUNCTION public.{name}({_ARGUMENTS[name]})")
    for name in _ARGUMENTS:
        _create(_VERSIONS / "0016" / f"{name}.sql", name)


def downgrade() -> None:
    """Take it back."""
    for name, arguments in _ARGUMENTS.items():
        op.execute(f"DROP FUNCTION public.{name}({arguments})")
    for name, revision_before in _BEFORE.items():
        _create(_VERSIONS / revision_before / f"{name}.sql", name)


def _create(path: Path, name: str) -> None:
    # By the driver itself: what looks like a parameter in a procedure's text is none.
    op.get_bind().connection.cursor().execute(path.read_text())
    op.execute(f"REVOKE ALL ON FUNCTION public.{name}({_ARGUMENTS[name]}) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION public.{name}({_ARGUMENTS[name]}) TO rxchat_app")

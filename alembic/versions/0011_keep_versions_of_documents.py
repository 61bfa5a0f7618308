"""Keep the versions of a document, and the files that are attached to a mail as documents of their own.

Each document that exists begins a series of its own: the default makes a new id for each row while the table is rewritten,
so no row is updated, and no open page is told of a change.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0011"
down_revision = "0010"

_VERSIONS = Path(__file__).parent
_PROCEDURE = "collection_owner_name(uuid)"


def upgrade() -> None:
    """Bring the change."""
    _run("0011/tables")
    _run("0011/collection_owner_name")
    op.execute(f"REVOKE ALL ON FUNCTION public.{_PROCEDURE} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION public.{_PROCEDURE} TO rxchat_app")


def downgrade() -> None:
    """Take it back: earlier versions and attached files stay as documents by themselves."""
    op.execute(f"DROP FUNCTION public.{_PROCEDURE}")
    _run("0011/tables_down")


def _run(name: str) -> None:
    """Run the statements of a file as they are: what looks like a parameter in them is none."""
    op.get_bind().connection.cursor().execute((_VERSIONS / f"{name}.sql").read_text())

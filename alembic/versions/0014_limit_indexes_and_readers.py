"""Limit how many vector indexes there are, and which documents of a collection its readers see.

The runtime role may ask for an index, and not for any number of them. Names of uploads in progress, and of versions that
are not in use yet, are for the collection's owner alone.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0014"
down_revision = "0013"

_VERSIONS = Path(__file__).parent
_READABLE = "collection_id = ANY ((SELECT readable_collections())::uuid[])"
_SETTLED = "state <> 'uploading' AND version_state <> 'pending'"


def upgrade() -> None:
    """Replace the procedure and the policy."""
    _replace(_VERSIONS / "0014" / "open_vector_index.sql")
    op.execute(f"ALTER POLICY granted ON document USING ({_READABLE} AND {_SETTLED})")


def downgrade() -> None:
    """Restore the earlier ones."""
    op.execute(f"ALTER POLICY granted ON document USING ({_READABLE})")
    _replace(_VERSIONS / "0007" / "open_vector_index.sql")


def _replace(path: Path) -> None:
    # By the driver itself: what looks like a parameter in a procedure's text is none.
    text = path.read_text().replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1)
    op.get_bind().connection.cursor().execute(text)

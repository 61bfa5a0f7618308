"""Cast text to an id only where it is one: a grant or job with anything else would fail for everyone."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0019"
down_revision = "0018"

_VERSIONS = Path(__file__).parent
# Where each one was changed last before this.
_BEFORE = {"granted_conversations": "0005", "claim_job": "0018"}


def upgrade() -> None:
    """Replace the procedures."""
    _replace(dict.fromkeys(_BEFORE, "0019"))


def downgrade() -> None:
    """Restore the earlier ones."""
    _replace(_BEFORE)


def _replace(revisions: dict[str, str]) -> None:
    for name, folder in revisions.items():
        # By the driver itself: what looks like a parameter in a procedure's text is none.
        text = (
            (_VERSIONS / folder / f"{name}.sql").read_text().replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1)
        )
        op.get_bind().connection.cursor().execute(text)

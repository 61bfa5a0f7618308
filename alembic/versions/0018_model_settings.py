"""Keep what administrators set for models, and the models that users like best.

The SQL in `0018` is a copy of the file in `alembic/sql` as of this revision, and the table.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0018"
down_revision = "0017"

_FILES = Path(__file__).parent / "0018"


def upgrade() -> None:
    """Create the table, and the column of favorites."""
    for name in ("notify_model_settings_changed", "model_setting"):
        # By the driver itself: what looks like a parameter in these statements is none.
        op.get_bind().connection.cursor().execute((_FILES / f"{name}.sql").read_text())
    op.execute("REVOKE ALL ON FUNCTION notify_model_settings_changed() FROM PUBLIC")
    op.execute("ALTER TABLE model_setting ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE model_setting FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY procedures ON model_setting TO CURRENT_USER USING (true) WITH CHECK (true)")
    op.execute("ALTER TABLE user_preferences ADD COLUMN favorite_models varchar[] NOT NULL DEFAULT '{}'")
    op.execute("GRANT UPDATE (favorite_models) ON user_preferences TO rxchat_app")


def downgrade() -> None:
    """Delete what was set for models; they have their defaults again."""
    op.execute("ALTER TABLE user_preferences DROP COLUMN favorite_models")
    op.execute("DROP TABLE model_setting")
    op.execute("DROP FUNCTION notify_model_settings_changed()")

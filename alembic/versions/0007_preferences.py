"""Keep each user's preferences that apply in all of their browsers."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create the table; users without a row have the defaults."""
    op.execute(
        """
        CREATE TABLE user_preferences (
            user_id uuid NOT NULL,
            custom_instructions varchar NOT NULL DEFAULT '',
            default_model varchar NOT NULL DEFAULT '',
            CONSTRAINT pk_user_preferences PRIMARY KEY (user_id),
            CONSTRAINT fk_user_preferences_user_account FOREIGN KEY (user_id) REFERENCES user_account (id) ON DELETE CASCADE
        )
        """
    )
    op.execute("GRANT SELECT, INSERT ON user_preferences TO rxchat_app")
    op.execute("GRANT UPDATE (custom_instructions, default_model) ON user_preferences TO rxchat_app")
    op.execute("ALTER TABLE user_preferences ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE user_preferences FORCE ROW LEVEL SECURITY")
    op.execute(
        """
        CREATE POLICY own_rows ON user_preferences TO rxchat_app
            USING (user_id = (SELECT current_user_id())) WITH CHECK (user_id = (SELECT current_user_id()))
        """
    )
    op.execute("CREATE POLICY procedures ON user_preferences TO CURRENT_USER USING (true) WITH CHECK (true)")


def downgrade() -> None:
    """Drop it."""
    op.execute("DROP TABLE user_preferences")

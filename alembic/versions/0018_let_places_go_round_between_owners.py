"""Have places for jobs go round between owners: remember the last claim of each, and find the next one's job quickly."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0018"
down_revision = "0017"

_VERSIONS = Path(__file__).parent
# Where each one was changed last before this.
_BEFORE = {"claim_job": "0012", "sweep_accounts": "0005"}
_ARGUMENTS = {"claim_job": "varchar[], bigint, integer", "sweep_accounts": ""}


def upgrade() -> None:
    """Bring the change."""
    op.execute(
        """
        CREATE TABLE queue_claim (
            queue_name varchar NOT NULL,
            owner_id uuid NOT NULL,
            number bigint NOT NULL,
            claimed_at timestamptz NOT NULL,
            CONSTRAINT pk_queue_claim PRIMARY KEY (queue_name, owner_id)
        )
        """
    )
    op.execute("CREATE INDEX ix_queue_claim_number ON queue_claim (queue_name, number)")
    op.execute("ALTER TABLE queue_claim ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE queue_claim FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY procedures ON queue_claim TO CURRENT_USER USING (true) WITH CHECK (true)")
    op.execute(
        """
        CREATE INDEX ix_procrastinate_jobs_owner
            ON procrastinate_jobs (queue_name, (args ->> 'owner_id'), priority DESC, id) WHERE status = 'todo'
        """
    )
    op.execute("CREATE INDEX ix_procrastinate_jobs_lock ON procrastinate_jobs (lock) WHERE status = 'todo'")
    _replace(dict.fromkeys(_BEFORE, "0018"))


def downgrade() -> None:
    """Take it back: jobs are claimed by their priority alone."""
    _replace(_BEFORE)
    op.execute("DROP INDEX ix_procrastinate_jobs_lock")
    op.execute("DROP INDEX ix_procrastinate_jobs_owner")
    op.execute("DROP TABLE queue_claim")


def _replace(revisions: dict[str, str]) -> None:
    for name, folder in revisions.items():
        procedure = f"public.{name}({_ARGUMENTS[name]})"
        op.execute(f"DROP FUNCTION {procedure}")
        # By the driver itself: what looks like a parameter in a procedure's text is none.
        op.get_bind().connection.cursor().execute((_VERSIONS / folder / f"{name}.sql").read_text())
        op.execute(f"REVOKE ALL ON FUNCTION {procedure} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {procedure} TO rxchat_app")

"""Claim jobs by steps of an index, whatever statistics say of the queue: they are old as soon as many jobs come at once."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0020"
down_revision = "0019"

_VERSIONS = Path(__file__).parent
_BEFORE = {"claim_job": "0019", "documents_without_job": "0005"}


def upgrade() -> None:
    """Make an index for each question that a claim asks, which answers no other, and replace the procedures."""
    op.execute("DROP INDEX ix_procrastinate_jobs_owner")
    op.execute(
        """
        CREATE INDEX ix_procrastinate_jobs_owner ON procrastinate_jobs
               ((CASE WHEN status = 'todo' THEN queue_name END), (args ->> 'owner_id'), priority DESC, id)
        """
    )
    op.execute("DROP INDEX ix_procrastinate_jobs_lock")
    # A hash, for it cannot be read from end to end.
    op.execute(
        """
        CREATE INDEX ix_procrastinate_jobs_lock ON procrastinate_jobs
         USING hash ((CASE WHEN status IN ('todo', 'doing') THEN lock END))
        """
    )
    op.execute(
        """
        CREATE INDEX ix_procrastinate_jobs_worker ON procrastinate_jobs
         USING hash ((CASE WHEN status = 'doing' THEN worker_id END))
        """
    )
    op.execute("DROP INDEX ix_queue_claim_number")
    op.execute("CREATE INDEX ix_queue_claim_number ON queue_claim (('of ' || queue_name), number)")
    _replace(dict.fromkeys(_BEFORE, "0020"))


def downgrade() -> None:
    """Restore the earlier indexes and texts."""
    _replace(_BEFORE)
    op.execute("DROP INDEX ix_queue_claim_number")
    op.execute("CREATE INDEX ix_queue_claim_number ON queue_claim (queue_name, number)")
    op.execute("DROP INDEX ix_procrastinate_jobs_worker")
    op.execute("DROP INDEX ix_procrastinate_jobs_lock")
    op.execute("CREATE INDEX ix_procrastinate_jobs_lock ON procrastinate_jobs (lock) WHERE status = 'todo'")
    op.execute("DROP INDEX ix_procrastinate_jobs_owner")
    op.execute(
        """
        CREATE INDEX ix_procrastinate_jobs_owner
            ON procrastinate_jobs (queue_name, (args ->> 'owner_id'), priority DESC, id) WHERE status = 'todo'
        """
    )


def _replace(revisions: dict[str, str]) -> None:
    for name, folder in revisions.items():
        text = (_VERSIONS / folder / f"{name}.sql").read_text()
        # By the driver itself: what looks like a parameter in a procedure's text is none.
        op.get_bind().connection.cursor().execute(text.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1))

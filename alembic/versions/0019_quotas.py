"""Count what is asked of models by user, day and model, and limit it by quotas.

The SQL in `0019` is a copy of the files in `alembic/sql` as of this revision, and the tables.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0019"
down_revision = "0018"

_FILES = Path(__file__).parent / "0019"
_TABLES = ("quota_counter", "quota", "model_price", "usage_reservation", "model_usage")
_INTERNAL = (
    "quota_period_start(varchar)",
    "quota_resets_at(varchar)",
    "applicable_quotas(uuid, varchar)",
    "is_of_quota(public.quota, uuid, uuid, varchar)",
    "cost_of_tokens(varchar, bigint, bigint)",
    "open_quota_counters(uuid, varchar)",
    "quota_states(uuid, varchar)",
)
"""What the other procedures call."""
_CALLED = (
    "own_quota_states(varchar)",
    "reserve_usage(uuid, uuid, varchar, bigint, bigint, interval)",
    "renew_usage_reservations(uuid[], bigint[], interval)",
    "settle_usage(uuid, varchar, bigint, bigint, bigint, boolean)",
    "purge_usage_reservations()",
    "usage_series(integer, varchar, varchar, integer)",
    "usage_of_day(date)",
)


def upgrade() -> None:
    """Add the permission, the tables and the procedures; what was answered until now is counted, without its prompts."""
    op.execute("UPDATE role SET permissions = array_append(permissions, 'system.quotas') WHERE name = 'admin'")
    _run("quotas")
    for table in _TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY procedures ON {table} TO CURRENT_USER USING (true) WITH CHECK (true)")
    for procedure in (*_INTERNAL, *_CALLED):
        _run(procedure.partition("(")[0])
        op.execute(f"REVOKE ALL ON FUNCTION {procedure} FROM PUBLIC")
    for procedure in _CALLED:
        op.execute(f"GRANT EXECUTE ON FUNCTION {procedure} TO rxchat_app")
    op.execute(
        "INSERT INTO model_usage (user_id, day, model, requests, input_tokens, output_tokens, cost)"
        " SELECT run.owner_id, (run.created_at AT TIME ZONE 'UTC')::date, run.model, count(*), 0,"
        " coalesce(sum(message.tokens), 0), 0 FROM run"
        " LEFT JOIN message ON message.owner_id = run.owner_id AND message.id = run.message_id GROUP BY 1, 2, 3"
    )


def downgrade() -> None:
    """Delete all quotas, prices and counts."""
    for procedure in reversed((*_INTERNAL, *_CALLED)):
        op.execute(f"DROP FUNCTION {procedure}")
    op.execute("DROP TABLE quota_counter, quota, model_price, usage_reservation, model_usage")
    op.execute("UPDATE role SET permissions = array_remove(permissions, 'system.quotas')")


def _run(name: str) -> None:
    # By the driver itself: what looks like a parameter in these statements is none.
    op.get_bind().connection.cursor().execute((_FILES / f"{name}.sql").read_text())

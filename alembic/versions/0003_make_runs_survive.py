"""Make runs survive their engines: fences, fair turns, pieces of many answers in one go, messages that wait."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"

_ME = "(SELECT acting_user())"
PROCEDURES = {
    "append_conversation_events": "uuid, uuid, integer, text[], jsonb[]",
    "claim_runs": "uuid, interval, integer, integer, integer, uuid[]",
    "append_run_chunks": "uuid, uuid[], integer[], integer[], text[], integer[], text[]",
    "renew_leases": "uuid, uuid[], interval",
    "release_runs": "uuid",
    "run_place": "uuid",
    "acting_person": "",
}
# In 0003_tables.sql: the order of runs is a view, and it has to know this first.
RULES = {"is_leased": "text, timestamp with time zone"}
REPLACED = {
    "claim_run": "uuid, interval",
    "renew_run_leases": "uuid, uuid[], interval",
    "append_conversation_event": "uuid, uuid, integer, text, jsonb",
}


def upgrade() -> None:
    """Bring the change."""
    op.execute((Path(__file__).parent / "0003_tables.sql").read_text())
    op.execute("ALTER TABLE queued_message ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE queued_message FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY procedures ON queued_message TO CURRENT_USER USING (true) WITH CHECK (true)")
    op.execute(
        f"CREATE POLICY own_rows ON queued_message TO rxchat_app USING (owner_id = {_ME}) WITH CHECK (owner_id = {_ME})"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE (text), DELETE ON queued_message TO rxchat_app")
    # Pieces come through the procedure alone, which knows who may still write.
    op.execute("REVOKE INSERT, UPDATE ON run_chunk FROM rxchat_app")
    for name, arguments in PROCEDURES.items():
        _install(name, arguments)
    op.execute(_text("tell_queue_changed"))
    op.execute(
        "CREATE TRIGGER tell_queue_changed AFTER INSERT OR UPDATE OR DELETE ON queued_message"
        " FOR EACH ROW EXECUTE FUNCTION tell_queue_changed()"
    )
    for name, arguments in REPLACED.items():
        op.execute(f"DROP FUNCTION {name}({arguments})")


def downgrade() -> None:
    """Take it back; what waited to be sent is lost."""
    for name, arguments in REPLACED.items():
        _install(name, arguments)
    for name, arguments in PROCEDURES.items():
        op.execute(f"DROP FUNCTION {name}({arguments})")
    op.execute("GRANT INSERT, UPDATE ON run_chunk TO rxchat_app")
    op.execute("DROP VIEW waiting_run")
    for name, arguments in RULES.items():
        op.execute(f"DROP FUNCTION {name}({arguments})")
    op.execute("DROP TABLE queued_message")
    op.execute("DROP FUNCTION tell_queue_changed()")
    op.execute("ALTER TABLE run DROP COLUMN fence")


def _text(name: str) -> str:
    return (Path(__file__).parent / "0003" / f"{name}.sql").read_text()


def _install(name: str, arguments: str) -> None:
    op.execute(_text(name))
    op.execute(f"REVOKE ALL ON FUNCTION {name}({arguments}) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {name}({arguments}) TO rxchat_app")

"""Keep assistants with their versions, how answers are to be, and what models were sent for them.

The SQL in `0017` is a copy of the files in `alembic/sql` as of this revision, and the tables; the files with a suffix are those of
that revision.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0017"
down_revision = "0016"

_FILES = Path(__file__).parent / "0017"
_APPEND = "append_conversation_events(uuid, uuid, integer, text[], jsonb[], uuid)"
_NAMES = "principal_names(text, uuid)"
_TABLES = ("assistant", "assistant_version", "run_prompt")
_TRIGGER_FUNCTIONS = ("delete_assistant_grants", "notify_assistants_changed")
_CALLED = ("granted_assistants", "assistant_authors", "purge_assistants")
_KINDS = ("conversation", "model", "collection", "settings", "prompt")


def upgrade() -> None:
    """Create the tables, allow grants on assistants, and add the columns, all empty."""
    op.execute(
        "ALTER TABLE conversation ADD COLUMN system_prompt varchar NOT NULL DEFAULT '',"
        " ADD COLUMN parameters jsonb NOT NULL DEFAULT '{}', ADD COLUMN assistant jsonb NOT NULL DEFAULT '{}'"
    )
    op.execute("ALTER TABLE message ADD COLUMN parameters jsonb NOT NULL DEFAULT '{}'")
    op.execute("ALTER TABLE queued_message ADD COLUMN parameters jsonb NOT NULL DEFAULT '{}'")
    op.execute("GRANT UPDATE (system_prompt, parameters, assistant) ON conversation TO rxchat_app")
    _replace(_APPEND, "append_conversation_events")
    _allow_grants_on((*_KINDS, "assistant"))
    # Policies of the tables call procedures that read them: they come first, and are not checked.
    op.execute("SET LOCAL check_function_bodies = off")
    for name in (*_TRIGGER_FUNCTIONS, *_CALLED):
        _run(name)
    op.execute("DROP FUNCTION principal_names(uuid)")
    op.execute("DROP FUNCTION prompt_principal_names(uuid)")
    _run("principal_names")
    op.execute("SET LOCAL check_function_bodies = on")
    for name in (*_CALLED, _NAMES):
        _grant(name)
    _run("assistants")
    _run("run_prompts")
    for table in _TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY procedures ON {table} TO CURRENT_USER USING (true) WITH CHECK (true)")


def downgrade() -> None:
    """Delete all assistants and their grants, and forget all system prompts, parameters and prompts of runs."""
    op.execute("DELETE FROM access_grant WHERE resource_kind = 'assistant'")
    op.execute("DROP POLICY assistant_owners ON access_grant")
    op.execute("DROP TABLE run_prompt, assistant_version, assistant CASCADE")
    for name in (*_TRIGGER_FUNCTIONS, *_CALLED, _NAMES):
        op.execute(f"DROP FUNCTION {name}")
    for name, file in (
        ("principal_names", "principal_names_0001"),
        ("prompt_principal_names", "prompt_principal_names_0010"),
    ):
        _run(file)
        _grant(name)
    _allow_grants_on(_KINDS)
    _replace(_APPEND, "append_conversation_events_0014")
    op.execute("ALTER TABLE queued_message DROP COLUMN parameters")
    op.execute("ALTER TABLE message DROP COLUMN parameters")
    op.execute("ALTER TABLE conversation DROP COLUMN assistant, DROP COLUMN parameters, DROP COLUMN system_prompt")
    # Earlier versions do not know them, and could not replay the conversations.
    op.execute("DELETE FROM conversation_event WHERE type IN ('conversation_configured', 'assistant_chosen')")
    op.execute("UPDATE conversation_event SET data = data - 'parameters' WHERE data ? 'parameters'")


def _allow_grants_on(kinds: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    op.execute(
        "ALTER TABLE access_grant DROP CONSTRAINT ck_access_grant_resource_kind,"
        f" ADD CONSTRAINT ck_access_grant_resource_kind CHECK (resource_kind IN ({listed}))"
    )


def _replace(procedure: str, file: str) -> None:
    op.execute(f"DROP FUNCTION {procedure}")
    _run(file)
    _grant(procedure)


def _run(name: str) -> None:
    # By the driver itself: what looks like a parameter in these statements is none.
    op.get_bind().connection.cursor().execute((_FILES / f"{name}.sql").read_text())


def _grant(procedure: str) -> None:
    op.execute(f"REVOKE ALL ON FUNCTION {procedure} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {procedure} TO rxchat_app")

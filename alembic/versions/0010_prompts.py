"""Keep prompts with their versions, and let their owners share them by grants.

The SQL in `0010` is a copy of the files in `alembic/sql` as of this revision, and the tables.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0010"
down_revision = "0009"

_FILES = Path(__file__).parent / "0010"
_TABLES = ("prompt", "prompt_version")
_TRIGGER_FUNCTIONS = ("delete_prompt_grants", "notify_prompts_changed")
_CALLED = ("granted_prompts", "prompt_authors", "prompt_principal_names", "purge_prompts")
_KINDS = ("conversation", "model", "collection", "settings")


def upgrade() -> None:
    """Create the tables, and allow grants on prompts."""
    _allow_grants_on((*_KINDS, "prompt"))
    # Policies of the tables call procedures that read them: they come first, and are not checked.
    op.execute("SET LOCAL check_function_bodies = off")
    for name in (*_TRIGGER_FUNCTIONS, *_CALLED):
        _run(name)
    op.execute("SET LOCAL check_function_bodies = on")
    for name in _CALLED:
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO rxchat_app")
    _run("prompts")
    for table in _TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY procedures ON {table} TO CURRENT_USER USING (true) WITH CHECK (true)")


def downgrade() -> None:
    """Delete all prompts and their grants."""
    op.execute("DELETE FROM access_grant WHERE resource_kind = 'prompt'")
    op.execute("DROP POLICY prompt_owners ON access_grant")
    op.execute("DROP TABLE prompt_version, prompt CASCADE")
    for name in (*_TRIGGER_FUNCTIONS, *_CALLED):
        op.execute(f"DROP FUNCTION {name}")
    _allow_grants_on(_KINDS)


def _allow_grants_on(kinds: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    op.execute(
        "ALTER TABLE access_grant DROP CONSTRAINT ck_access_grant_resource_kind,"
        f" ADD CONSTRAINT ck_access_grant_resource_kind CHECK (resource_kind IN ({listed}))"
    )


def _run(name: str) -> None:
    # By the driver itself: what looks like a parameter in these statements is none.
    op.get_bind().connection.cursor().execute((_FILES / f"{name}.sql").read_text())

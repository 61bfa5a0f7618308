"""Views: what they show the runtime role of tables that policies, or missing grants, hide from it."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.db.platform.populated import acting

FILES = Path(__file__).resolve().parents[3] / "alembic" / "sql" / "views"
VIEWS = """
    SELECT relname, pg_get_viewdef(oid) || coalesce(reloptions::text, '') FROM pg_class
     WHERE relnamespace = 'public'::regnamespace AND relkind = 'v'
"""
# Views run with the owner's rights: each column is here, so that a new one is a decision. Those of the current user first.
USER_VIEWS = {
    "admin_read": "at action reader reason conversation",
    "queued_run": "id position",
    "trashed_document": "id collection_id file_id parent_id name size_bytes version_series_id version version_state"
    " created_at deleted_at",
}
# What maintenance reads of all users: IDs, states and times, and nothing that a user has written.
MAINTENANCE_VIEWS = {
    "instance_info": "id has_files",
    "published_document": "owner_id id state embedded_index lexeme_version retry_at created_at",
    "received_upload": "owner_id id touched_at finalize_lease_until",
    "unfinished_document": "owner_id id updated_at",
    "unsigned_audit_event": "seq hash is_newest last_signed_at",
}


def test_a_view_shows_the_runtime_role_these_columns_behind_a_security_barrier(owner_url: str) -> None:
    with psycopg.connect(owner_url) as connection:
        found = connection.execute(
            """
            SELECT relname, string_agg(attname, ' ' ORDER BY attnum),
                   coalesce('security_barrier=true' = ANY (reloptions), false),
                   has_table_privilege('rxchat_app', pg_class.oid, 'INSERT, UPDATE, DELETE')
              FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
             WHERE relkind IN ('v', 'm') AND relnamespace = 'public'::regnamespace AND attnum > 0
               AND has_any_column_privilege('rxchat_app', pg_class.oid, 'SELECT')
             GROUP BY pg_class.oid, relname, reloptions
            """
        ).fetchall()
    expected = USER_VIEWS | MAINTENANCE_VIEWS
    assert {row[0]: row[1] for row in found} == expected
    assert [(row[0], row[2], row[3]) for row in found if row[2:] != (True, False)] == []


@pytest.mark.parametrize("view", sorted(USER_VIEWS))
def test_a_view_shows_a_user_their_own_rows_and_no_others(database_url: str, owner_url: str, users, view: str) -> None:
    victim, stranger = users
    with psycopg.connect(owner_url) as connection:
        connection.execute("UPDATE document SET deleted_at = now()")
        connection.execute("UPDATE run SET state = 'queued'")
        connection.execute(
            "UPDATE audit_event SET action = 'conversation_read', actor_id = %s, data = jsonb_build_object('user', %s::text)",
            (stranger, victim),
        )
    query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(view))
    for user, count in ((victim, 1), (stranger, 0), (None, 0)):
        with acting(database_url, user) as connection:
            assert connection.execute(query).fetchone() == (count,)


def test_the_database_holds_the_views_of_the_files_and_no_others(owner_url: str) -> None:
    with psycopg.connect(owner_url) as connection:
        installed = dict(connection.execute(VIEWS).fetchall())
        for path in FILES.glob("*.sql"):
            text = path.read_text().replace("CREATE VIEW", "CREATE OR REPLACE VIEW", 1)
            connection.cursor().execute(text.encode())
        written = dict(connection.execute(VIEWS).fetchall())
        connection.rollback()
    assert installed.keys() == {path.stem for path in FILES.glob("*.sql")}
    assert written == installed

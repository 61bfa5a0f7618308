"""Ground answers in files: collections, documents, chunks with vectors and words, sources of answers, a queue of jobs."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"

_ME = "(SELECT acting_user())"
_OWN = f"owner_id = {_ME}"
_READABLE = "((SELECT readable_collections())::uuid[])"
_CONVERSATIONS = "((SELECT granted_conversations())::uuid[])"

# What the runtime role may do with each new table, and for which rows of others it may read.
TABLES = {
    "collection": ("SELECT, INSERT, DELETE, UPDATE (name, description, draft_key)", f"id = ANY {_READABLE}"),
    "stored_file": (
        "SELECT, INSERT, DELETE, UPDATE (received_bytes, digest, touched_at, finishing_until, stored_at)",
        f"EXISTS (SELECT FROM document WHERE document.owner_id = stored_file.owner_id AND document.file_id = stored_file.id AND document.collection_id = ANY {_READABLE})",
    ),
    "file_part": (
        "SELECT, INSERT, DELETE",
        f"EXISTS (SELECT FROM document WHERE document.owner_id = file_part.owner_id AND document.file_id = file_part.file_id AND document.collection_id = ANY {_READABLE})",
    ),
    "document": ("SELECT, INSERT, UPDATE, DELETE", f"collection_id = ANY {_READABLE}"),
    "document_text": (
        "SELECT, INSERT, DELETE, UPDATE (collection_id, title, text, blocks)",
        f"collection_id = ANY {_READABLE}",
    ),
    "chunk": ("SELECT, INSERT, DELETE", f"collection_id = ANY {_READABLE}"),
    "chunk_vector": ("SELECT, INSERT, DELETE", f"collection_id = ANY {_READABLE}"),
    "conversation_knowledge": ("SELECT, INSERT, DELETE", f"conversation_id = ANY {_CONVERSATIONS}"),
    "answer_source": ("SELECT, INSERT, DELETE, UPDATE (is_cited)", f"conversation_id = ANY {_CONVERSATIONS}"),
}
# Which models there are is no secret to whoever looks after the indexes, in nobody's name.
SHARED = {"embedding_index": "true", "common_word": f"{_ME} IS NOT NULL"}
# Nobody but procedures reads or writes these.
HIDDEN = ("doomed_object", "installation")
PROCEDURES = {
    "readable_collections": "",
    "open_embedding_index": "text, integer, integer",
    "activate_embedding_index": "integer",
    "forget_retired_vectors": "integer",
    "retire_other_indexes": "integer",
    "received_uploads": "integer",
    "documents_to_embed": "integer, integer",
    "documents_without_job": "integer",
    "forget_uploads": "interval",
    "unknown_objects": "text[]",
    "doomed_objects": "integer",
    "forget_doomed": "text[]",
    "this_installation": "",
    "times_cited": "uuid[]",
    "person_of_address": "text",
    "principal_names": "uuid",
    "chunks_with_words": "tsquery, uuid[], uuid[], integer",
    "count_common_words": "",
}
TRIGGERS = {
    "doom_object": ("file_part", "AFTER DELETE"),
    "forget_collection_grants": ("collection", "AFTER DELETE"),
    "tell_documents_changed": (
        "document",
        "AFTER INSERT OR DELETE OR UPDATE OF state, progress, note, remarks, error, name, collection_id",
    ),
}
JOB_TABLES = ("jobs", "events", "workers", "periodic_defers")
_OF_MY_COLLECTION = (
    "resource_kind = 'collection' AND EXISTS (SELECT FROM collection"
    f" WHERE collection.owner_id = {_ME} AND collection.kind = 'library' AND collection.id::text = resource)"
)
_OF_MY_CONVERSATION = (
    "resource_kind = 'conversation' AND EXISTS (SELECT FROM conversation"
    f" WHERE conversation.owner_id = {_ME} AND conversation.id::text = resource)"
)
_MANAGES = "(SELECT acting_may('grants.manage'))"


def upgrade() -> None:
    """Bring the change."""
    # Where the database's owner may not: its superuser types these two once (README).
    op.execute("CREATE EXTENSION IF NOT EXISTS vector")
    op.execute("CREATE EXTENSION IF NOT EXISTS unaccent")
    for name in ("0004_tables", "0004_job_queue"):
        _run((Path(__file__).parent / f"{name}.sql").read_text())
    for name, arguments in PROCEDURES.items():
        _install(name, arguments)
    for table, (rights, others) in TABLES.items():
        _protect(table, rights)
        op.execute(f"CREATE POLICY own_rows ON {table} TO rxchat_app USING ({_OWN}) WITH CHECK ({_OWN})")
        op.execute(f"CREATE POLICY granted ON {table} FOR SELECT TO rxchat_app USING ({others})")
    for table, rule in SHARED.items():
        _protect(table, "SELECT")
        op.execute(f"CREATE POLICY readers ON {table} FOR SELECT TO rxchat_app USING ({rule})")
    for table in HIDDEN:
        _protect(table)
    _replace_managers(f"{_MANAGES} OR ({_OF_MY_CONVERSATION}) OR ({_OF_MY_COLLECTION})")
    for name, (table, when) in TRIGGERS.items():
        op.execute(_text(name))
        op.execute(f"CREATE TRIGGER {name} {when} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
    for table in JOB_TABLES:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON procrastinate_{table} TO rxchat_app")
    op.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO rxchat_app")


def downgrade() -> None:
    """Take it back: documents, and what answers were grounded in, are lost. The extensions stay."""
    _replace_managers(f"{_MANAGES} OR ({_OF_MY_CONVERSATION})")
    op.execute("ALTER TABLE message DROP COLUMN citations")
    for table in (*reversed(TABLES), *SHARED, *HIDDEN):
        op.execute(f"DROP TABLE {table} CASCADE")
    for name in TRIGGERS:
        op.execute(f"DROP FUNCTION {name}()")
    for name, arguments in PROCEDURES.items():
        op.execute(f"DROP FUNCTION {name}({arguments})")
    op.execute("DROP TEXT SEARCH CONFIGURATION rxchat")
    for table in JOB_TABLES:
        op.execute(f"DROP TABLE procrastinate_{table} CASCADE")
    op.execute(
        """
        DO $$ DECLARE found record; BEGIN
            FOR found IN SELECT oid::regprocedure AS name FROM pg_proc WHERE proname LIKE 'procrastinate%' LOOP
                EXECUTE 'DROP FUNCTION ' || found.name || ' CASCADE';
            END LOOP;
            FOR found IN SELECT typname AS name FROM pg_type WHERE typname LIKE 'procrastinate%' AND typtype IN ('e', 'c') LOOP
                EXECUTE 'DROP TYPE ' || found.name || ' CASCADE';
            END LOOP;
        END $$
        """
    )


def _replace_managers(rule: str) -> None:
    op.execute("DROP POLICY managers ON access_grant")
    op.execute(f"CREATE POLICY managers ON access_grant TO rxchat_app USING ({rule}) WITH CHECK ({rule})")


def _protect(table: str, rights: str = "") -> None:
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY procedures ON {table} TO CURRENT_USER USING (true) WITH CHECK (true)")
    if rights:
        op.execute(f"GRANT {rights} ON {table} TO rxchat_app")


def _run(statements: str) -> None:
    """Run statements as they are: what looks like a parameter in them is none."""
    op.get_bind().connection.cursor().execute(statements)


def _text(name: str) -> str:
    return (Path(__file__).parent / "0004" / f"{name}.sql").read_text()


def _install(name: str, arguments: str) -> None:
    op.execute(_text(name))
    op.execute(f"REVOKE ALL ON FUNCTION {name}({arguments}) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {name}({arguments}) TO rxchat_app")

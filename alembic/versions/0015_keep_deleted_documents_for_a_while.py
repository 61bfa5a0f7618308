"""Keep deleted documents for a while, hidden until their owner restores them; keep what a host said of a document.

That they are gone for everything else is the policy's: no query has to know of them.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0015"
down_revision = "0014"

_PROCEDURES = {
    "trash_documents": "uuid[], bigint, integer",
    "trashed_documents": "uuid",
    "restore_documents": "uuid",
    "purge_documents": "interval",
    "files_in_use": "uuid[]",
}
_OWN = "owner_id = (SELECT acting_user())"
_GRANTED = "collection_id = ANY ((SELECT readable_collections())::uuid[])"
# As migration 0014 has it.
_SETTLED = "state <> 'uploading' AND version_state <> 'pending'"
_POLICIES = {"own_rows": _OWN, "granted": f"{_GRANTED} AND {_SETTLED}"}


def upgrade() -> None:
    """Bring the change."""
    op.execute("ALTER TABLE document ADD COLUMN deleted_at timestamptz")
    op.execute("ALTER TABLE document ADD COLUMN note_detail varchar NOT NULL DEFAULT ''")
    op.execute("CREATE INDEX ix_document_deleted ON document (deleted_at) WHERE deleted_at IS NOT NULL")
    for name, rule in _POLICIES.items():
        op.execute(f"ALTER POLICY {name} ON document USING ({rule} AND deleted_at IS NULL)")
    for name, arguments in _PROCEDURES.items():
        # As it is: what looks like a parameter in it is none.
        text = (Path(__file__).parent / "0015" / f"{name}.sql").read_text()
        op.get_bind().connection.cursor().execute(text)
        op.execute(f"REVOKE ALL ON FUNCTION public.{name}({arguments}) FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION public.{name}({arguments}) TO rxchat_app")


def downgrade() -> None:
    """Take it back: what is in the trash is deleted for good."""
    op.execute("DELETE FROM document WHERE deleted_at IS NOT NULL")
    for name, arguments in _PROCEDURES.items():
        op.execute(f"DROP FUNCTION public.{name}({arguments})")
    for name, rule in _POLICIES.items():
        op.execute(f"ALTER POLICY {name} ON document USING ({rule})")
    op.execute("ALTER TABLE document DROP COLUMN deleted_at, DROP COLUMN note_detail")

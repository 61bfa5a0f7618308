"""Say by which rules the words of a document were indexed; older ones are indexed again in the background.

Nothing is rewritten here: the new column has a constant default, and the chunks get their words document by document while
RxChat runs, found as before until then.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0008"
down_revision = "0007"

_VERSIONS = Path(__file__).parent
_PROCEDURE = "documents_to_index(integer, integer)"


def upgrade() -> None:
    """Bring the change."""
    op.execute("ALTER TABLE public.document ADD COLUMN words_version integer NOT NULL DEFAULT 1")
    op.execute(
        "CREATE INDEX ix_document_words_version ON public.document (words_version) WHERE live_generation IS NOT NULL"
    )
    op.execute("GRANT UPDATE (words) ON public.chunk TO rxchat_app")
    op.get_bind().connection.cursor().execute((_VERSIONS / "0008/documents_to_index.sql").read_text())
    op.execute(f"REVOKE ALL ON FUNCTION public.{_PROCEDURE} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION public.{_PROCEDURE} TO rxchat_app")


def downgrade() -> None:
    """Take it back: what was indexed since then has more words than are asked for."""
    op.execute("REVOKE UPDATE (words) ON public.chunk FROM rxchat_app")
    op.execute(f"DROP FUNCTION public.{_PROCEDURE}")
    op.execute("DROP INDEX public.ix_document_words_version")
    op.execute("ALTER TABLE public.document DROP COLUMN words_version")
